"""Random access to the bytes of a file, of a part of it, or of a member in memory."""

from __future__ import annotations

import mmap
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, TypeAlias

    #: What `Source.view` gives: both index to int, slice to bytes, and find.
    Buffer: TypeAlias = "bytes | mmap.mmap"

#: Up to here a view is read into memory, which is faster to index; above, it is mapped.
IN_MEMORY = 16 << 20


class Source:
    """``size`` bytes that start at ``start`` of an open file or of ``data``.

    ``name`` is the member path inside the file that is scanned ("" for the file itself); ``path`` is the path of
    that file as the user sees it.
    """

    __slots__ = ("_data", "_file", "_keep", "_map", "name", "path", "size", "start")

    def __init__(
        self, path: str, *, file: int = -1, data: bytes = b"", start: int = 0, size: int | None = None, name: str = ""
    ) -> None:
        self.path, self.name, self.start = path, name, start
        self._file, self._data = file, data
        whole = os.fstat(file).st_size if file >= 0 else len(data)
        self.size = max(0, whole - start if size is None else min(size, whole - start))
        self._map: mmap.mmap | None = None
        self._keep: IO[bytes] | None = None

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer at the end."""
        size = min(size, self.size - offset)
        if size <= 0 or offset < 0:
            return b""
        if self._file < 0:
            return self._data[self.start + offset : self.start + offset + size]
        return os.pread(self._file, size, self.start + offset)

    def name_ends(self, ends: Iterable[str]) -> bool:
        """Does the name, in lower case, end with one of these? Names add suspicion, they never remove it."""
        name = (self.name or self.path).replace("\\", "/").rpartition("/")[2].lower()
        return name.endswith(tuple(ends))

    def head(self, size: int = 4096) -> bytes:
        return self.read(0, size)

    def view(self) -> tuple[Buffer, int, int]:
        """(buffer, start, end): where the bytes of this source lie in a buffer that holds them."""
        if self._file < 0:
            return self._data, self.start, self.start + self.size
        if self.size <= IN_MEMORY:
            self._data = self._data or self.read(0, self.size)
            return self._data, 0, len(self._data)
        if self._map is None:
            self._map = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)
        return self._map, self.start, min(self.start + self.size, len(self._map))

    def part(self, offset: int, size: int, name: str) -> Source:
        """A range of this source as a source of its own, without a copy."""
        size = max(0, min(size, self.size - offset))
        inside = Source(self.path, data=self._data, name=name) if self._file < 0 else None
        if inside is None:
            inside = Source(self.path, file=self._file, name=name)
        inside.start, inside.size, inside._keep = self.start + offset, size, self._keep
        return inside

    def member(self, data: bytes, name: str) -> Source:
        """Bytes that were unpacked from this source."""
        return Source(self.path, data=data, name=name)

    def unpacked(self, file: IO[bytes], name: str) -> Source:
        """A temporary file that was unpacked from this source; it is closed with the source."""
        inside = Source(self.path, file=file.fileno(), name=name)
        inside._keep = file
        return inside
