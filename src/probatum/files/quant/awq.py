"""AWQ: codes of 4 bits packed along the outputs in an order of their own, a scale and a zero point for each group.

Lin et al. 2023 (arXiv 2306.00978), equation 1, in the layout of AutoAWQ (GEMM): a word holds eight outputs, whose
order in it is 0 2 4 6 1 3 5 7. Columns were scaled before rounding, and what feeds them divided by the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from probatum.files.quant.grid import Grid, Parameter, fits, need, unpack
from probatum.files.tensors import Weights

#: Where in a word the code of each of its eight outputs lies.
PLACES = (0, 4, 1, 5, 2, 6, 3, 7)


def awq(weights: Weights, _: dict[str, Any]) -> Iterator[Parameter]:
    """Every matrix whose codes have an eighth of the columns of its scales."""
    shapes = weights.shapes
    for name in shapes:
        stem = name.removesuffix("qweight")
        if name == stem or not stem.endswith("."):
            continue
        need(shapes, stem + "weight", stem + "scales", stem + "qzeros")
        size, scales = shapes[name], shapes[stem + "scales"]
        if len(size) == len(scales) == 2 and size[1] * 8 == scales[1]:
            yield _one(weights, stem)


def _one(weights: Weights, stem: str) -> Parameter:
    shapes, owner = weights.shapes, stem + "weight"
    inputs, packed = shapes[stem + "qweight"]
    groups, outputs = shapes[stem + "scales"]
    good = groups > 0 and inputs % groups == 0 and shapes[stem + "qzeros"] == (groups, packed)
    fits(
        owner, good and weights.stored(stem + "qweight") in ("I32", "U32"), f"zero points for {groups} groups of inputs"
    )
    table, size = np.arange(16, dtype=np.float32), inputs // groups

    def read(index: np.ndarray) -> Grid:
        # Words that hold several of the wanted outputs are read once.
        words, where = np.unique(index // 8, return_inverse=True)
        pick = where * 8 + index % 8
        codes, zero = (
            unpack(weights.stored_array(stem + n)[:, words], 4, 1, PLACES)[:, pick] for n in ("qweight", "qzeros")
        )
        scale = weights.rows(stem + "scales", np.arange(groups))[:, index].astype(np.float32)
        offset = -scale * zero
        own, zeros = (np.repeat(np.ascontiguousarray(v.T), size, axis=1) for v in (scale, offset))
        return Grid(np.ascontiguousarray(codes.T), table, own, zeros)

    parts = tuple(stem + n for n in ("qweight", "qzeros", "scales"))
    return Parameter(owner, "AWQ 4 bit", (outputs, inputs), parts, read, exact=False)
