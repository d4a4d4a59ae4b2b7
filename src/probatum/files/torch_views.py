"""One tensor of a PyTorch checkpoint: which bytes of the file it is, checked, and read block by block."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.scan.finding import quote

#: Bytes that are in memory at a time.
BLOCK = 4 << 20
#: By the class of a storage, and by the name of a dtype: how safetensors calls it, and bytes of one element.
CLASSES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
DTYPES = {
    "float64": ("F64", 8), "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2), "int64": ("I64", 8),
    "int32": ("I32", 4), "int16": ("I16", 2), "int8": ("I8", 1), "uint64": ("U64", 8), "uint32": ("U32", 4),
    "uint16": ("U16", 2), "uint8": ("U8", 1), "bool": ("BOOL", 1), "complex64": ("C64", 8),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1), "float8_e8m0fnu": ("F8_E8M0", 1),
}  # fmt: skip
ALIASES = {"double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32",
           "short": "int16", "cfloat": "complex64", "cdouble": "complex128"}  # fmt: skip
_WORDS = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}


@dataclass(frozen=True)
class Storage:
    """Where a storage lies: its key, the first byte in the file, and how many; ``kind`` is its class."""

    key: str
    kind: str
    start: int
    size: int


@dataclass(frozen=True)
class View:
    """A tensor over a storage; ``offset`` and ``stride`` count elements.

    ``file`` is the descriptor of the open file; ``swapped``: it holds the bytes of each number in the other order.
    """

    file: int
    storage: Storage
    dtype: str
    item: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    swapped: bool

    @property
    def size(self) -> int:
        """Bytes of the tensor when it is written out."""
        return math.prod(self.shape) * self.item

    @property
    def place(self) -> tuple[Any, ...]:
        """The same for two tensors that are one."""
        return self.storage.key, self.dtype, self.offset, self.shape, self.stride

    def blocks(self) -> Iterator[bytes]:
        """The elements in the order of the shape, little-endian, a few MiB at a time."""
        if not self.size:
            return
        first = self.storage.start + self.offset * self.item
        if self._contiguous():
            for at in range(first, first + self.size, BLOCK):
                yield self._turned(os.pread(self.file, min(BLOCK, first + self.size - at), at))
            return
        span = sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True)) + 1
        shift = first % mmap.ALLOCATIONGRANULARITY  # only this tensor is mapped, and only while it is read
        try:
            region = mmap.mmap(self.file, shift + span * self.item, access=mmap.ACCESS_READ, offset=first - shift)
        except (ValueError, OSError) as error:
            raise BadInput(f"storage {quote(self.storage.key)}: the file changed while it was read") from error
        words = np.frombuffer(region, _WORDS[self.item], span, shift)
        steps = tuple(s * self.item for s in self.stride)
        for part in _parts(np.lib.stride_tricks.as_strided(words, self.shape, steps, writeable=False)):
            yield self._turned(np.ascontiguousarray(part).tobytes())

    def _contiguous(self) -> bool:
        step = 1
        for count, stride in zip(reversed(self.shape), reversed(self.stride), strict=True):
            if count != 1 and stride != step:
                return False
            step *= count
        return True

    def _turned(self, block: bytes) -> bytes:
        word = 4 if self.dtype == "C64" else self.item
        return np.frombuffer(block, _WORDS[word]).byteswap().tobytes() if self.swapped and word > 1 else block


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    """Pieces along the first axes, each of at most one block."""
    if array.nbytes <= BLOCK:
        yield array
        return
    row = array.nbytes // len(array)
    if row > BLOCK:
        for inner in array:
            yield from _parts(inner)
        return
    step = BLOCK // row
    for at in range(0, len(array), step):
        yield array[at : at + step]


def make_view(
    file: int, storage: Storage, dtype: str, offset: Any, shape: Any, stride: Any, swapped: bool, where: str
) -> View:
    """A tensor whose elements all lie inside its storage. Raises BadInput with ``where`` otherwise."""
    dtype = ALIASES.get(dtype, dtype)
    if dtype not in DTYPES:
        hint = "; save its real and imaginary part apart" if dtype == "complex128" else ""
        raise BadInput(f"{where} has the type {quote(dtype)}, which safetensors cannot hold{hint}")
    code, item = DTYPES[dtype]
    shape, stride = _numbers(shape, where), _numbers(stride, where)
    if not _natural(offset) or len(shape) != len(stride) or len(shape) > 64:
        raise BadInput(f"{where} has a layout that is none: offset {offset!r:.40}, shape of {len(shape)}")
    if math.prod(shape) >= 1 << 60:
        raise BadInput(f"{where} has a shape that no file can hold: {_short(shape)}")
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) + 1 if all(shape) else 0
    if last * item > storage.size:
        raise BadInput(
            f"{where} reaches to byte {last * item:,} of a storage of {storage.size:,}; the file is damaged or lies"
        )
    return View(file, storage, code, item, offset, shape, stride, swapped)


def _numbers(values: Any, where: str) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(map(_natural, values)):
        raise BadInput(f"{where} has a shape or strides that are not natural numbers: {values!r:.60}")
    return values


def _natural(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _short(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape[:6])) + (" × …" if len(shape) > 6 else "")
