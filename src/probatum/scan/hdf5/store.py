"""Bytes of the file by address, and which of them belong to something."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

#: Most blocks of one file that are noted. A number for each of them is kept.
BLOCKS = 2_000_000
#: Total size of all blocks, in sizes of the file: blocks of an honest file do not overlap.
COVER = 3
#: Most bytes that are read at a time.
LARGEST = 128 << 20


class Bad(ValueError):
    """The file cannot be followed here; ``args`` are the sentence, and the rule if it is not HDF001."""

    @property
    def rule(self) -> str:
        return str(self.args[1]) if len(self.args) > 1 else "HDF001"


class Lost(Bad):
    """The same, and nothing of the file can be followed any further."""


class Cursor:
    """Bytes in memory, read from left to right. Raises `Bad` at the end."""

    __slots__ = ("data", "pos", "what")

    def __init__(self, data: bytes, what: str, pos: int = 0) -> None:
        self.data, self.what, self.pos = data, what, pos

    @property
    def left(self) -> int:
        return len(self.data) - self.pos

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.pos:
            raise Bad(f"{self.what} is cut off")
        self.pos += size
        return self.data[self.pos - size : self.pos]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> bytes:
        """Bytes up to a zero, which is passed as well."""
        end = self.data.find(b"\0", self.pos)
        if end < 0:
            raise Bad(f"a name in {self.what} has no end")
        return self.take(end + 1 - self.pos)[:-1]


class Store:
    """A file from its superblock on. Addresses count from there; ``end`` is the first address behind the file.

    ``wide`` and ``long`` are the bytes of an address and of a length.
    """

    def __init__(self, source: Source, context: Context, start: int) -> None:
        self.source, self.context, self.start = source, context, start
        self.wide = self.long = 8
        self.end = source.size - start
        self.blocks: list[list[int]] = []
        self._starts: set[int] = set()
        self._total = 0

    def is_none(self, address: int) -> bool:
        """Is this how HDF5 writes that there is no address?"""
        return address == (1 << 8 * self.wide) - 1

    def claim(self, address: int, size: int, what: str) -> None:
        """This block belongs to something. Raises `Bad` if it is not in the file, or begins where another does."""
        self.context.budget.spend_steps(1)
        if address < 0 or size < 0 or address + size > self.end:
            raise Bad(f"{what} at {address:,} with {size:,} bytes does not lie in the file")
        if not size:
            return
        if address in self._starts:
            raise Bad(f"{what} at {address:,} begins where another part begins", "HDF011")
        self.cover(size)
        if len(self._starts) >= BLOCKS:
            raise Lost(f"more than {BLOCKS:,} blocks")
        self._starts.add(address)
        if self.blocks and self.blocks[-1][1] == address:
            self.blocks[-1][1] += size
        else:
            self.blocks.append([address, address + size])

    def cover(self, size: int) -> None:
        """So many bytes were walked through. Raises `Lost` if that is more than the file has, several times."""
        self._total += size
        if self._total > COVER * self.end + 4096:
            raise Lost("blocks overlap many times", "HDF011")

    def peek(self, address: int, size: int, what: str) -> bytes:
        """Bytes that are not noted as read."""
        if address < 0 or size < 0 or address + size > self.end:
            raise Bad(f"{what} at {address:,} with {size:,} bytes does not lie in the file")
        if size > LARGEST:
            raise Bad(f"{what} of {size:,} bytes, which is more than {LARGEST:,}")
        self.context.budget.spend_steps(1 + size // 64)
        data = self.source.read(self.start + address, size)
        if len(data) < size:
            raise Bad(f"{what} is cut off")
        return data

    def block(self, address: int, size: int, what: str) -> bytes:
        self.claim(address, size, what)
        return self.peek(address, size, what)

    def signed(self, address: int, size: int, mark: bytes, what: str) -> Cursor:
        """A block that begins with its four letters; the cursor stands behind them."""
        if self.peek(address, 4, what) != mark:
            raise Bad(f"{what} at {address:,} has no mark {mark.decode()}")
        return Cursor(self.block(address, size, what), what, 4)

    def gaps(self) -> tuple[list[tuple[int, int]], int]:
        """(start, end) of what no block covers, and the first address that two blocks cover, or -1."""
        gaps, at, twice = [], 0, -1
        for start, stop in sorted(self.blocks):
            if start > at:
                gaps.append((at, start))
            elif start < at and twice < 0:
                twice = start
            at = max(at, stop)
        return [*gaps, (at, self.end)] if at < self.end else gaps, twice
