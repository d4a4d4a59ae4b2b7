"""The tensors of a safetensors file, read one by one through a map of the file: no framework, no pickle."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.errors import BadInput

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "<u1",
}  # fmt: skip
_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


class Weights(Mapping[str, np.ndarray]):
    """Parameters by name; each is read from disk when it is touched, as float32 (whole numbers as they are).

    ``raw`` gives the bytes as they lie, ``rows`` a few rows without reading the rest; nothing is held in memory.
    """

    def __init__(self, files: list[Path]):
        self._entries: dict[str, tuple[Path, int, dict[str, Any]]] = {}
        for file in files:
            data, header = _header(file)
            self._entries.update((name, (file, data, entry)) for name, entry in header.items())

    def __getitem__(self, name: str) -> np.ndarray:
        return self._numbers(name, self.stored_array(name))

    def rows(self, name: str, index: np.ndarray) -> np.ndarray:
        """Some rows of a tensor, by their places along its first axis, as float32 (whole numbers as they are)."""
        return self._numbers(name, picked(self.stored_array(name), index))

    def raw(self, name: str) -> np.ndarray:
        """The bytes of a tensor as they lie on disk, mapped, not read: uint8, one axis."""
        file, data, entry = self._entries[name]
        begin, end = entry["data_offsets"]
        return np.memmap(file, np.uint8, "r", data + begin, (end - begin,)) if end > begin else np.zeros(0, np.uint8)

    def stored_array(self, name: str) -> np.ndarray:
        """A tensor of its own type and shape, mapped, not read; BF16 as the whole numbers of its bits."""
        file, _, entry = self._entries[name]
        if entry["dtype"] not in _DTYPES:
            raise BadInput(f"{file}: {name} has type {entry['dtype']}, which cannot be read as numbers")
        return self.raw(name).view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])

    def _numbers(self, name: str, stored: np.ndarray) -> np.ndarray:
        if self.stored(name) == "BF16":  # the upper half of a float32
            return (stored.astype(np.uint32) << 16).view(np.float32)
        return np.array(stored, np.float32 if stored.dtype.kind == "f" or not stored.size else stored.dtype)

    def parts(self, name: str) -> tuple[str, ...]:
        """The stored tensors that a parameter is made of, as ``raw`` takes them: here it is one and the same."""
        return (name,)

    def __contains__(self, name: object) -> bool:
        return name in self._entries  # Mapping's own way would read the tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def parameter_count(self) -> int:
        """Numbers on disk; tensors that are tied are saved, and counted, once."""
        return sum(math.prod(entry["shape"]) for _, _, entry in self._entries.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every tensor; reads none."""
        return {name: tuple(entry["shape"]) for name, (_, _, entry) in self._entries.items()}

    def stored(self, name: str) -> str:
        """The type of a tensor as safetensors calls it, such as BF16."""
        return str(self._entries[name][2]["dtype"])

    @property
    def dtype(self) -> str:
        """The type of most of the numbers, as torch calls it."""
        counts: dict[str, int] = {}
        for _, _, entry in self._entries.values():
            name = _NAMES.get(entry["dtype"], "float32")
            counts[name] = counts.get(name, 0) + math.prod(entry["shape"])
        return max(counts, key=lambda name: counts[name], default="float32")


def picked(stored: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Some entries along the first axis of a mapped array; the disk is told which, so that it reads no others ahead.

    A touch of a mapped page makes the system read far beyond it, ten times too much where few rows are wanted.
    """
    if hasattr(os, "posix_fadvise") and isinstance(stored, np.memmap) and stored.filename and len(index):
        height = stored.nbytes // max(1, len(stored))
        places = np.unique(index)
        file = os.open(str(stored.filename), os.O_RDONLY)
        try:
            for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
                os.posix_fadvise(file, stored.offset + int(run[0]) * height, len(run) * height, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(file)
    return np.asarray(stored[index])


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object, or a sentence saying what is wrong with the file."""
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise BadInput(f"{file}: expected a JSON object, got {type(value).__name__}")
    return value


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where the data begins, and {tensor: entry}; checks that every tensor lies within the file."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > size - 8:
            raise BadInput(
                f"{file}: is truncated or not safetensors ({size} bytes, a header of {length}); copy it again"
            )
        try:
            header = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            last = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
            whole = all(
                0 <= e["data_offsets"][0] <= e["data_offsets"][1]
                and isinstance(e["dtype"], str)
                and isinstance(e["shape"], list)
                for e in header.values()
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(f"{file}: its header is not that of a safetensors file; copy it again") from error
    if not whole or 8 + length + last > size:
        raise BadInput(
            f"{file}: is truncated: {size} bytes here, its header promises {8 + length + last}; copy it again"
        )
    return 8 + length, header
