"""Inflate streams within the budget. What came out before an error is kept: loaders read it before they notice."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    from probatum.scan.budget import Budget
    from probatum.scan.source import Source

#: What a file may grow to before the ratio counts, and up to where the output stays in memory.
FREE = IN_MEMORY = 64 << 20
#: Bytes that go in, and that come out, at a time.
CHUNK, STEP = 4096, 1 << 16
#: How the last bytes before an error are looked for: in pieces of so many.
PIECE = 256
#: Memory that a decoder of LZMA may ask for; the largest preset of xz needs 65 MiB.
MEMORY = 72 << 20


class BadStream(ValueError):
    """The stream breaks off or is wrong; ``args[0]`` says how."""


class Bomb(ValueError):
    """The output grows beyond the allowed ratio."""


class Output:
    """What was inflated: in memory, or in a temporary file without a name if it is large."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.budget, self.size = budget, 0
        self.limit = FREE + budget.ratio * source.size
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._source = source

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.budget.spend_inflated(len(data))
        if self.size > self.limit:
            raise Bomb
        if self.size > IN_MEMORY and self._file is None:
            import tempfile

            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.writelines(self._pieces)
            self._pieces = []
        if self._file is not None:
            self._file.write(data)
        elif data:
            self._pieces.append(data)

    def member(self, name: str) -> Source:
        if self._file is None:
            return self._source.member(b"".join(self._pieces), name)
        self._file.flush()
        return self._source.unpacked(self._file, name)


class Sum:
    """An output that is summed on its way, by CRC-32 or Adler-32."""

    def __init__(self, out: Output, function: Callable[[bytes, int], int], start: int) -> None:
        self.out, self.function, self.value, self.size = out, function, start, 0

    def add(self, data: bytes) -> None:
        self.value, self.size = self.function(data, self.value), self.size + len(data)
        self.out.add(data)


def deflate(source: Source, pos: int, out: Output | Sum) -> int:
    """Raw deflate from ``pos``; gives the offset behind it. Raises `BadStream`."""
    inflater = zlib.decompressobj(-15)
    while not inflater.eof:
        block = source.read(pos, CHUNK)
        if not block:
            raise BadStream("the stream breaks off")
        before = inflater.copy()
        try:
            data = inflater.decompress(block)
        except zlib.error:
            _last_bytes(before, block, out)
            raise BadStream("the stream does not inflate") from None
        out.add(data)
        pos += len(block)
    return pos - len(inflater.unused_data)


def _last_bytes(inflater: Any, block: bytes, out: Output | Sum) -> None:
    """What a failed call would have given before its error."""
    for byte in block:
        try:
            data = inflater.decompress(bytes((byte,)))
        except zlib.error:
            return
        out.add(data)


def by_library(make: Callable[[], Any], source: Source, start: int, out: Output) -> int:
    """A stream of bz2 or lzma from ``start``; gives the offset behind it. Raises `BadStream`."""
    inflater, pos, calls = make(), start, 0
    while not inflater.eof:
        block = source.read(pos, CHUNK) if inflater.needs_input else b""
        if not block and inflater.needs_input:
            raise BadStream("the stream breaks off")
        try:
            data = inflater.decompress(block, STEP)
        except (OSError, EOFError, ValueError):
            _salvage(make, source, start, calls, out)
            raise BadStream("the stream does not inflate") from None
        except Exception as error:  # lzma.LZMAError, whose module is loaded only when it is needed
            if type(error).__name__ != "LZMAError":
                raise
            _salvage(make, source, start, calls, out)
            raise BadStream("the stream does not inflate") from None
        calls += 1
        pos += len(block)
        out.add(data)
    return pos - len(inflater.unused_data)


def _salvage(make: Callable[[], Any], source: Source, start: int, calls: int, out: Output) -> None:
    """What the failed call would have given before its error: in pieces, then the last piece byte by byte."""
    pieces = _again(make, source, start, calls, 0, PIECE, None)
    _again(make, source, start, calls, pieces, 1, out)


def _again(
    make: Callable[[], Any], source: Source, pos: int, calls: int, pieces: int, size: int, out: Output | None
) -> int:
    """Repeat the calls and the pieces that went well, then go on by ``size`` bytes; gives how often that went well.

    The decoder cannot be copied, but it does the same again. What the pieces and the last bytes give goes to ``out``.
    """
    inflater, good = make(), 0
    most = STEP // PIECE + 1 if size == PIECE else PIECE
    for n in range(calls + pieces + most):
        block = source.read(pos, CHUNK) if inflater.needs_input and n <= calls else b""
        if inflater.eof or (not block and inflater.needs_input):
            break
        length = STEP if n < calls else PIECE if n < calls + pieces else size
        try:
            data = inflater.decompress(block, length)
        except Exception as error:
            if type(error).__name__ not in ("LZMAError", "OSError", "EOFError", "ValueError"):
                raise
            break
        pos += len(block)
        good += n >= calls + pieces
        if out is not None and n >= calls:
            out.add(data)
    return good
