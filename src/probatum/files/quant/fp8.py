"""FP8: eight-bit floating point, as a plain cast or with a scale for the tensor, a row, or a block of 128 by 128.

Micikevicius et al. 2022 (arXiv 2209.05433), table 1: E4M3 has no infinities, one NaN and ends at 448; E5M2 is as
IEEE. Scales of blocks are those of DeepSeek-V3 (arXiv 2412.19437, section 3.3), which multiply in spite of their name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.quant.grid import Grid, Parameter, beside, fits
from probatum.files.tensors import Weights, picked

SCALES = ("weight_scale_inv", "weight_scale", "scale_weight")


def table_of(exponent: int, mantissa: int, bias: int, *, infinities: bool) -> np.ndarray:
    """The value of each of the 256 codes, float32."""
    code = np.arange(256)
    power, fraction = (code >> mantissa) & ((1 << exponent) - 1), code & ((1 << mantissa) - 1)
    normal = np.ldexp(1 + fraction / (1 << mantissa), power - bias)
    value = np.where(power == 0, np.ldexp(fraction / (1 << mantissa), 1 - bias), normal)
    if infinities:
        value = np.where(power == (1 << exponent) - 1, np.where(fraction == 0, np.inf, np.nan), value)
    else:
        value[[0x7F, 0xFF]] = np.nan
    return np.where(code >> 7, -value, value).astype(np.float32)


TABLES = {
    "F8_E4M3": table_of(4, 3, 7, infinities=False),
    "F8_E5M2": table_of(5, 2, 15, infinities=True),
}


def fp8(weights: Weights, config: dict[str, Any]) -> Iterator[Parameter]:
    """Every tensor of one of the two types.

    Raises
    ------
    BadInput
        If some matrices have a scale and others of the same type have none, or a scale has another shape.
    """
    shapes = weights.shapes
    found = {n: _scale(shapes, n) for n in shapes if weights.stored(n) in TABLES}
    scaled = [n for n, scale in found.items() if scale]
    bare = [n for n, scale in found.items() if not scale and len(shapes[n]) == 2]
    if scaled and bare:
        raise BadInput(
            f"{bare[0]} is stored in FP8 without a scale, while {len(scaled)} others have one; its scale is missing"
        )
    method = config.get("quantization_config")
    block = method.get("weight_block_size") if isinstance(method, dict) else None
    for name, scale in found.items():
        yield _one(weights, name, scale, block if isinstance(block, list) and len(block) == 2 else [128, 128])


def _scale(shapes: dict[str, tuple[int, ...]], name: str) -> str:
    stem = name.removesuffix("weight")
    return next((stem + last for last in SCALES if stem != name and stem + last in shapes), "")


def _one(weights: Weights, name: str, scale: str, block: list[Any]) -> Parameter:
    shape, stored = weights.shapes[name], weights.stored(name)
    factors = np.asarray(weights[scale], np.float32) if scale else np.ones((), np.float32)
    rows, columns = (shape[0], math.prod(shape[1:])) if shape else (1, 1)
    blocks = factors.ndim == 2 and factors.shape not in ((rows, 1), (1, 1))
    if blocks:
        good = all(type(n) is int and n > 0 for n in block) and factors.shape == (
            -(-rows // block[0]),
            -(-columns // block[1]),
        )
        fits(name, good and len(shape) == 2, f"a scale for every {block[0]} × {block[1]} numbers of {list(shape)}")
    else:
        fits(name, factors.size in (1, rows), f"one scale, or {rows}, but {scale} is {list(factors.shape)}")

    def read(index: np.ndarray) -> Grid:
        codes = picked(weights.raw(name).reshape(rows, columns), index)
        if blocks:
            own = np.repeat(factors[index // block[0]], block[1], axis=1)[:, :columns]
        else:
            own = factors.ravel()[index][:, None] if factors.size > 1 else factors.reshape(1, 1)
        return Grid(codes, TABLES[stored], own)

    parts = (name, *((scale,) if scale else ()), *beside(weights.shapes, name.removesuffix("weight")))
    return Parameter(name, stored, shape, parts, read)
