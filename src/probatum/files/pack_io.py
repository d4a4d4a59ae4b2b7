"""What packing and unpacking share: a safetensors file that is read by place, and work in order by threads."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.pack_format import Piece, read_layout
from probatum.scan.formats.safetensors_ import LONGEST

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Packed:
    """What was done: bytes before and after, the SHA-256 of the original, and how much of it was a difference."""

    out: Path
    original: int
    packed: int
    sha256: str
    differences: int = 0

    @property
    def ratio(self) -> float:
        return self.packed / self.original if self.original else 1.0


class Tensors:
    """A safetensors file that is read by place, from several threads."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
        self.size = os.fstat(self._file).st_size
        length = int.from_bytes(os.pread(self._file, 8, 0), "little")
        if self.size < 8 or length > min(LONGEST, self.size - 8):
            self.close()
            raise BadInput(f"{path}: expected a safetensors file, got something else or a part of one")
        self.header = os.pread(self._file, length, 8)
        try:
            self.layout = read_layout(self.header, str(path))
            end = 8 + length + max((end for *_, end in self.layout.values()), default=0)
            if end != self.size:
                raise BadInput(f"{path}: has {self.size:,} bytes, its header promises {end:,}")
        except BadInput:
            self.close()
            raise

    def read(self, begin: int, end: int) -> np.ndarray:
        """Bytes behind the header, as uint8."""
        block = os.pread(self._file, end - begin, 8 + len(self.header) + begin)
        if len(block) != end - begin:
            raise BadInput(f"{self.path}: became shorter while it was read")
        return np.frombuffer(block, np.uint8)

    def twin(self, piece: Piece, like: tuple[str, tuple[int, ...], int, int]) -> np.ndarray | None:
        """The same part of a tensor of the same name, type and shape."""
        own = self.layout.get(piece.tensor)
        if own is None or own[:2] != like[:2]:
            return None
        return self.read(own[2] + piece.offset, own[2] + piece.offset + piece.end - piece.begin)

    def digest(self) -> str:
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        os.close(self._file)


def in_order(work: Callable[[_In], _Out], items: Iterable[_In], threads: int | None) -> Iterator[_Out]:
    """Results in the order of the items, by threads, with two items for each on the way."""
    count = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or 2
    if count <= 1:
        yield from map(work, items)
        return
    waiting: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(count) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
