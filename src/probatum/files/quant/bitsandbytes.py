"""bitsandbytes: LLM.int8(), and four bits (nf4, fp4) in blocks of 64 numbers, whose scales may be quantized again.

Dettmers et al. 2022 (arXiv 2208.07339), section 2; 2023 (arXiv 2305.14314), equations 1 to 6: a number is a value of
a table of 16 times the largest absolute value of its block; with double quantization that largest value is itself a
value of a table of 256 times the largest of 256 blocks, plus their mean.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.quant.grid import Grid, Parameter, beside, fits, need
from probatum.files.tensors import Weights, picked

STATE = ".quant_state.bitsandbytes__"


def bitsandbytes(weights: Weights, _: dict[str, Any]) -> Iterator[Parameter]:
    """Every matrix with an ``SCB`` (eight bits) or a ``quant_state`` (four bits) beside it."""
    shapes = weights.shapes
    for name in shapes:
        if name.endswith(".SCB"):
            yield _eight_bits(weights, name)
        elif STATE in name:
            yield _four_bits(weights, name.partition(STATE)[0], name)
        elif name.endswith(".absmax") and not any(n.startswith(name.removesuffix(".absmax") + STATE) for n in shapes):
            raise BadInput(f"{name.removesuffix('.absmax')} is quantized, but its {STATE[1:]}* is missing")


def _eight_bits(weights: Weights, scales: str) -> Parameter:
    name = scales.removesuffix("SCB") + "weight"
    need(weights.shapes, scales, name)
    shape = weights.shapes[name]
    fits(name, weights.stored(name) == "I8" and weights.shapes[scales] == shape[:1] and len(shape) == 2,
         "a matrix of int8 and a number for each of its rows")  # fmt: skip
    table = np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32)

    def read(index: np.ndarray) -> Grid:
        largest = np.asarray(weights.rows(scales, index), np.float32) / np.float32(127)
        return Grid(picked(weights.raw(name).reshape(shape), index), table, largest[:, None])

    parts = (name, scales, *beside(weights.shapes, name.removesuffix("weight")))
    return Parameter(name, "LLM.int8()", shape, parts, read)


def _four_bits(weights: Weights, name: str, state: str) -> Parameter:
    said = _state(weights, name, state)
    shape, size = tuple(said["shape"]), said["blocksize"]
    absmax, table = name + ".absmax", name + ".quant_map"
    need(weights.shapes, name, name, absmax, table)
    count = math.prod(shape)
    blocks = -(-count // size)
    fits(name, len(weights.raw(name)) == (count + 1) // 2, f"four bits for each number of {list(shape)}")
    fits(name, weights.shapes[absmax] == (blocks,) and weights.shapes[table] == (16,), f"{blocks} scales and 16 values")
    values, parts = np.asarray(weights[table], np.float32), [name, state, absmax, table]
    nested = "nested_blocksize" in said
    if nested:
        codes, largest = name + ".nested_quant_map", name + ".nested_absmax"
        need(weights.shapes, name, codes, largest)
        whole = -(-blocks // said["nested_blocksize"])
        fits(name, weights.stored(absmax) == "U8" and weights.shapes[codes] == (256,)
             and weights.shapes[largest] == (whole,), f"{whole} scales of scales")  # fmt: skip
        parts += [codes, largest]

    def scales(places: np.ndarray) -> np.ndarray:
        """Of some blocks."""
        own = np.asarray(weights.rows(absmax, places))
        if not nested:
            return own.astype(np.float32)
        each = weights.rows(largest, places // said["nested_blocksize"])
        return np.asarray(weights[codes][own] * each + np.float32(said["nested_offset"]), np.float32)

    rows, width = shape[0], math.prod(shape[1:])

    def read(index: np.ndarray) -> Grid:
        raw = weights.raw(name)
        if width % 2 == 0:
            packed = picked(raw.reshape(rows, width // 2), index)
            codes = np.stack((packed >> 4, packed & 15), axis=-1).reshape(len(index), width)
        else:
            places = index[:, None] * width + np.arange(width)
            codes = np.where(places % 2 == 0, raw[places // 2] >> 4, raw[places // 2] & 15)
        if width % size == 0:
            each = width // size
            places = (index[:, None] * each + np.arange(each)).ravel()
            own = np.repeat(scales(places).reshape(len(index), each), size, axis=1)
        else:
            places = (index[:, None] * width + np.arange(width)) // size
            blocks_here, where = np.unique(places, return_inverse=True)
            own = scales(blocks_here)[where].reshape(places.shape)
        return Grid(codes, values, own)

    scheme = said["quant_type"] + (" double" if nested else "")
    return Parameter(name, scheme, shape, tuple(parts), read)


def _state(weights: Weights, name: str, state: str) -> dict[str, Any]:
    try:
        said = json.loads(bytes(weights.raw(state)))
        good = isinstance(said["shape"], list) and len(said["shape"]) > 0
        numbers = [
            *said["shape"],
            said["blocksize"],
            *([said["nested_blocksize"]] if "nested_blocksize" in said else ()),
        ]
        good = good and all(type(n) is int and 0 < n < 1 << 40 for n in numbers)
        if "nested_blocksize" in said:
            good = good and isinstance(said["nested_offset"], int | float)
        if not good or said["quant_type"] not in ("nf4", "fp4"):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput(f"{name} is quantized, but {state} is not the JSON that bitsandbytes writes") from None
    return dict(said)
