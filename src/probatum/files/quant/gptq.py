"""GPTQ: codes of 2, 4 or 8 bits packed along the inputs, a scale and a zero point for each group of inputs.

Frantar et al. 2022 (arXiv 2210.17323). Stored transposed: number = scale[g, out] · (code[in, out] − zero[g, out]),
where g = g_idx[in]. The first format of checkpoints stores every zero point less one (``gptq``), ``gptq_v2`` as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from probatum.files.quant.grid import Grid, Parameter, fits, need, unpack
from probatum.files.tensors import Weights


def gptq(weights: Weights, config: dict[str, Any]) -> Iterator[Parameter]:
    """Every matrix whose codes have as many columns as its scales."""
    method = config.get("quantization_config")
    method = method if isinstance(method, dict) else {}
    shapes = weights.shapes
    for name in shapes:
        if not name.endswith(".qweight") or method.get("quant_method") == "awq":
            continue
        stem = name.removesuffix("qweight")
        need(shapes, stem + "weight", stem + "scales", stem + "qzeros")
        if len(shapes[name]) == 2 and shapes[name][1:] == shapes[stem + "scales"][1:]:
            yield _one(weights, stem, method.get("checkpoint_format") == "gptq_v2")


def _one(weights: Weights, stem: str, as_is: bool) -> Parameter:
    shapes, owner = weights.shapes, stem + "weight"
    (packed, outputs), groups = shapes[stem + "qweight"], shapes[stem + "scales"][0]
    zeros = shapes[stem + "qzeros"]
    count = outputs // zeros[1] if len(zeros) == 2 and zeros[1] else 0  # codes in a word
    good = count in (4, 8, 16) and zeros == (groups, -(-outputs // count)) and groups > 0
    fits(owner, good and {weights.stored(stem + n) for n in ("qweight", "qzeros")} <= {"I32", "U32"},
         "codes of 2, 4 or 8 bits in int32, which this reader knows; of 3 bits they are not read")  # fmt: skip
    inputs, bits = packed * count, 32 // count
    indexed = stem + "g_idx" in shapes
    if indexed:
        group = np.asarray(weights[stem + "g_idx"], np.int64)
        fits(owner, group.shape == (inputs,) and bool((group >= 0).all() and (group < groups).all()),
             f"a group below {groups} for each of {inputs} inputs")  # fmt: skip
    else:
        group = np.arange(inputs) // -(-inputs // groups)
    names = ("qweight", "qzeros", "scales", *(("g_idx",) if indexed else ()))
    table = np.arange(1 << bits, dtype=np.float32)

    def read(index: np.ndarray) -> Grid:
        codes = unpack(weights.stored_array(stem + "qweight")[:, index], bits, 0)
        scale = weights.rows(stem + "scales", np.arange(groups))[:, index].astype(np.float32)
        zero = unpack(np.asarray(weights.stored_array(stem + "qzeros")), bits, 1)[:, index].astype(np.float32)
        offset = -scale * (zero if as_is else zero + 1)
        own, zeros = (np.take(v.T, group, axis=1) for v in (scale, offset))
        return Grid(np.ascontiguousarray(codes.T), table, own, zeros)

    scheme = f"GPTQ {bits} bit" + (" v2" if as_is else "")
    return Parameter(owner, scheme, (outputs, inputs), tuple(stem + n for n in names), read, exact=False)
