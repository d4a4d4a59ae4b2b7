"""GGUF: the parameters of a model as they were before the conversion, read through a map of the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.gguf_header import Header
from probatum.files.gguf_names import hugging_face_name, is_interleaved, is_turned, norm_shift
from probatum.files.quant.gguf_blocks import DECODERS, PLAIN, TYPES, gguf_blocks
from probatum.files.quant.grid import Grid, Parameter
from probatum.files.quantized import Quantized
from probatum.files.tensors import Weights, picked
from probatum.scan.gguf_values import BLOCKS

CHUNK = 512  #: rows of a transposed matrix that are decoded at a time


class Gguf(Weights):
    """The stored tensors of a GGUF model under their names on the hub, and ``header``: the keys of its header."""

    def __init__(self, files: list[Path]):
        self._entries = {}
        self.header: dict[str, Any] = {}
        found = [(file, *Header(file).read()) for file in files]
        for _, values, _ in found:
            self.header |= values
        self.architecture = str(self.header.get("general.architecture", ""))
        for file, _, tensors in found:
            for own, entry in tensors.items():
                name = hugging_face_name(own, self.architecture)
                if name in self._entries:
                    raise BadInput(f"{file}: the tensor {own} stands twice in this model")
                if name is not None:
                    self._entries[name] = (file, 0, entry)

    def number(self, key: str, layer: int = 0) -> int:
        """A whole number of the architecture, such as ``attention.head_count``; of a layer where each has its own."""
        value = self.header.get(f"{self.architecture}.{key}", 0)
        value = value[layer] if isinstance(value, list) and layer < len(value) else value
        return value if type(value) is int else 0


def gguf(files: list[Path]) -> Quantized:
    """The parameters of a GGUF model, in one file or in several shards, as they were before the conversion.

    Raises
    ------
    BadInput
        A file is no GGUF, is cut off, or its tensors do not lie where its header says.
    """
    weights = Gguf(files)
    return Quantized(weights, list(_parameters(weights)))


def _parameters(weights: Gguf) -> Iterator[Parameter]:
    for name, shape in weights.shapes.items():
        kind, order = weights.stored(name), _order(weights, name)
        turned, shift = is_turned(name, weights.architecture), norm_shift(name, weights.architecture)
        if not (kind in DECODERS and len(shape) > 1) and (
            kind not in PLAIN or (order is None and not turned and not shift)
        ):
            continue
        out = shape[::-1] if turned else shape
        # Only Q8_0 is never fitted to the data at hand; the others may be, and then round to a grid nearby.
        yield Parameter(name, kind, out, (name,), _reader(weights, name, order, turned, shift), exact=kind == "Q8_0")


def _reader(weights: Gguf, name: str, order: np.ndarray | None, turned: bool, shift: float) -> Any:
    shape, kind = weights.shapes[name], weights.stored(name)

    def straight(index: np.ndarray) -> Grid | np.ndarray:
        index = index if order is None else order[index]
        if kind in PLAIN:
            return weights.rows(name, index) - np.float32(shift)
        size = BLOCKS[_NUMBER[kind]][1]
        return gguf_blocks(
            kind, picked(weights.raw(name).reshape(math.prod(shape[:-1]), -1, size), _inner(index, shape))
        )

    def across(index: np.ndarray) -> Grid | np.ndarray:
        chunks = (np.arange(k, min(k + CHUNK, shape[0])) for k in range(0, shape[0], CHUNK))
        return _beside([_columns(straight(chunk), index) for chunk in chunks])

    return across if turned else straight


def _columns(part: Grid | np.ndarray, index: np.ndarray) -> Grid | np.ndarray:
    """Some columns, as rows."""
    if not isinstance(part, Grid):
        return np.asarray(part.T[index])
    turned = part.turned
    return Grid(turned.codes[index], part.table, turned.scale[index],
                None if turned.offset is None else turned.offset[index])  # fmt: skip


def _beside(parts: list[Grid | np.ndarray]) -> Grid | np.ndarray:
    """One part beside the other; all are grids, or all are numbers."""
    grids = [part for part in parts if isinstance(part, Grid)]
    if not grids:
        return np.concatenate([part for part in parts if isinstance(part, np.ndarray)], axis=1)
    offsets = [g.offset for g in grids if g.offset is not None]
    codes, scale = (np.concatenate(v, axis=1) for v in ([g.codes for g in grids], [g.scale for g in grids]))
    return Grid(codes, grids[0].table, scale, np.concatenate(offsets, axis=1) if offsets else None)


_NUMBER = {name: number for number, name in TYPES.items()}


def _inner(index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of the last axis that places along the first one stand for (stacked experts have a third axis)."""
    each = math.prod(shape[1:-1])
    return index if each == 1 else (index[:, None] * each + np.arange(each)).ravel()


def _order(weights: Gguf, name: str) -> np.ndarray | None:
    """Where each row of a query or key matrix of Llama lies in the file: pairs (i, i + half) stand side by side."""
    if not is_interleaved(name, weights.architecture):
        return None
    layer, rows = int(name.split(".layers.")[1].split(".")[0]), weights.shapes[name][0]
    heads = weights.number("attention.head_count", layer)
    if ".k_proj." in name:
        heads = weights.number("attention.head_count_kv", layer) or heads
    if heads < 1 or rows % (2 * heads):
        raise BadInput(f"{name} has {rows} rows, which do not go into {heads} heads; the header is damaged")
    return np.arange(rows).reshape(heads, rows // heads // 2, 2).swapaxes(1, 2).ravel()
