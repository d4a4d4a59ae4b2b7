"""compressed-tensors: ``pack-quantized`` (codes of up to 8 bits in int32, along the inputs) and ``int-quantized``.

The format of vllm-project/compressed-tensors: number = scale · (code − 2^(bits − 1) − zero), with a scale for the
tensor, for a row, or for a group of inputs. FP8 in this format (``float-quantized``) is read by `fp8`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from probatum.files.quant.grid import Grid, Parameter, beside, fits, need, unpack
from probatum.files.tensors import Weights, picked


def compressed(weights: Weights, _: dict[str, Any]) -> Iterator[Parameter]:
    """Every matrix with ``weight_packed`` in int32, or of int8 with a ``weight_scale`` beside it."""
    shapes = weights.shapes
    for name in shapes:
        if name.endswith(".weight_packed") and weights.stored(name) in ("I32", "U32"):
            yield _packed(weights, name.removesuffix("weight_packed"))
        elif name.endswith(".weight") and weights.stored(name) == "I8" and name + "_scale" in shapes:
            yield _whole(weights, name.removesuffix("weight"))


def _packed(weights: Weights, stem: str) -> Parameter:
    shapes, owner = weights.shapes, stem + "weight"
    need(shapes, owner, owner + "_shape", owner + "_scale")
    shape = tuple(int(n) for n in np.ravel(weights[owner + "_shape"]))
    fits(owner, len(shape) == 2 and min(shape) > 0, "a shape of two numbers in " + owner + "_shape")
    packed = shapes[owner + "_packed"]
    # ceil(inputs / codes in a word) words a row: of 8 bits four codes, of 4 bits eight, and so on.
    bits = next((b for b in (8, 4, 3, 2) if packed == (shape[0], -(-shape[1] // (32 // b)))), 0)
    fits(owner, bits in (2, 4, 8), f"rows of codes of 2, 4 or 8 bits for {list(shape)}, but they are {list(packed)}")
    table = np.arange(1 << bits, dtype=np.float32) - (1 << bits - 1)

    def codes(index: np.ndarray) -> np.ndarray:
        return unpack(picked(weights.stored_array(owner + "_packed"), index), bits, 1)[:, : shape[1]]

    def zeros(rows: int) -> np.ndarray:
        stored = np.asarray(weights.stored_array(owner + "_zero_point"))
        return np.take(table, unpack(stored, bits, 0)[:rows])

    fold = 32 // bits if shapes.get(owner + "_zero_point", ())[:1] != shapes[owner + "_scale"][:1] else 1
    return _scaled(weights, owner, f"packed {bits} bit", shape, table, codes, zeros if fold > 1 else None, fold)


def _whole(weights: Weights, stem: str) -> Parameter:
    owner = stem + "weight"
    shape = weights.shapes[owner]
    fits(owner, len(shape) == 2, "a matrix")
    table = np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32)

    def codes(index: np.ndarray) -> np.ndarray:
        return picked(weights.raw(owner).reshape(shape), index)

    return _scaled(weights, owner, "int8", shape, table, codes)


def _scaled(
    weights: Weights,
    owner: str,
    scheme: str,
    shape: tuple[int, ...],
    table: np.ndarray,
    codes: Callable[[np.ndarray], np.ndarray],
    zeros: Callable[[int], np.ndarray] | None = None,
    fold: int = 1,
) -> Parameter:
    """With the scales, zero points (``fold`` of them in a word, unpacked by ``zeros``) and groups of both forms."""
    shapes = weights.shapes
    size = math.prod(shapes[owner + "_scale"])
    rows = shape[0] if size >= shape[0] > 1 else 1
    groups = size // rows
    fits(owner, size == rows * groups > 0 and shape[1] % groups == 0, f"scales for rows or groups of {list(shape)}")
    zero = owner + "_zero_point"
    if zero in shapes:
        words = -(-rows // fold) * groups
        fits(owner, math.prod(shapes[zero]) in (words, 1), f"zero points for {rows} rows of {groups} groups")
    group = np.arange(shape[1]) // (shape[1] // groups)
    if owner + "_g_idx" in shapes:
        own = np.asarray(weights[owner + "_g_idx"], np.int64)
        fits(owner, own.shape == shape[1:] and bool((own < groups).all()), f"a group below {groups} for each input")
        group = own if (own >= 0).all() else group  # -1: inputs stand in the order of their groups

    def spread(values: np.ndarray, index: np.ndarray) -> np.ndarray:
        values = values[index] if len(values) > 1 else values
        return np.take(values, group, axis=1) if groups > 1 else values

    def read(index: np.ndarray) -> Grid:
        scale, offset = np.asarray(weights[owner + "_scale"], np.float32).reshape(rows, groups), None
        if zero in shapes:
            points = np.asarray(weights[zero], np.float32) if zeros is None else zeros(rows)
            offset = spread(-scale * points.reshape(-1, groups if points.size > 1 else 1), index)
        return Grid(codes(index), table, spread(scale, index), offset)

    names = ("_packed", "", "_shape", "_scale", "_zero_point", "_g_idx", "_global_scale")
    parts = tuple(owner + n for n in names if owner + n in shapes) + beside(shapes, owner.removesuffix("weight"))
    return Parameter(owner, scheme, shape, parts, read, exact=False)
