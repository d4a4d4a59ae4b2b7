"""The records of a zip archive, as they stand in the file; nothing is believed here."""

from __future__ import annotations

from struct import error as StructError
from struct import unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.source import Source

END, END64, LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
CENTRAL, LOCAL, DESCRIPTOR = b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08"
#: The end record and the longest comment behind it.
TAIL = 22 + 65535


class BadArchive(ValueError):
    """The records cannot be read; ``args[0]`` says which."""


class Header:
    """What one header, central or local, says of a member. ``at`` is where the header stands."""

    __slots__ = ("after", "at", "crc", "flags", "local", "method", "mode", "name", "packed", "raw_name", "size")

    def __init__(self) -> None:
        self.at = self.after = self.local = self.mode = 0
        self.crc = self.flags = self.method = self.packed = self.size = 0
        self.name, self.raw_name = "", b""


class Directory:
    """The central directory: its members, where it starts and ends, and how far the archive is shifted."""

    __slots__ = ("end", "members", "shift", "start")

    def __init__(self, members: list[Header], start: int, end: int, shift: int) -> None:
        self.members, self.start, self.end, self.shift = members, start, end, shift


def find_end(source: Source) -> int | None:
    """Offset of the last end record whose directory lies before it; None if there is none."""
    start = max(0, source.size - TAIL)
    tail = source.read(start, TAIL)
    at = tail.rfind(END)
    while at >= 0:
        if len(tail) - at >= 22:
            _, size, offset = unpack_from("<HII", tail, at + 10)
            if size == 0xFFFFFFFF or offset == 0xFFFFFFFF or size + offset <= start + at:
                return start + at
        at = tail.rfind(END, 0, at)
    return None


def read_directory(source: Source, most: int) -> Directory:
    """Parse the central directory. Raises `BadArchive`."""
    at = find_end(source)
    if at is None:
        raise BadArchive("no end record")
    try:
        disk, first_disk, here, count, size, offset, comment = unpack_from("<HHHHIIH", source.read(at, 22), 4)
        end, directory_end = at + 22 + comment, at
        if source.read(at - 20, 4) == LOCATOR:
            at64 = unpack_from("<Q", source.read(at - 20, 20), 8)[0]
            record = source.read(at64, 56)
            if record[:4] != END64:
                raise BadArchive("no 64-bit end record where the locator points")
            values = unpack_from("<QQQQ", record, 24)
            for small, large in zip((here, count, size, offset), values, strict=True):
                if small not in (0xFFFF, 0xFFFFFFFF, large):
                    raise BadArchive("the two end records disagree")
            here, count, size, offset = values
            directory_end = at64
        if disk not in (0, 0xFFFF) or first_disk not in (0, 0xFFFF) or here != count:
            raise BadArchive("an archive in several parts")
        if end > source.size or size > directory_end:
            raise BadArchive("a directory that does not fit into the file")
        start = directory_end - size
        members = _members(source.read(start, size), start, start - offset, min(count, most + 1))
    except (StructError, IndexError):
        raise BadArchive("a record is cut off") from None
    if len(members) != min(count, most + 1):
        raise BadArchive("a directory of another length than it says")
    return Directory(members, start, end, start - offset)


def _members(records: bytes, start: int, shift: int, count: int) -> list[Header]:
    members: list[Header] = []
    pos = 0
    while pos < len(records) and len(members) < count:
        if records[pos : pos + 4] != CENTRAL:
            raise BadArchive("a record that is none in the directory")
        h = Header()
        h.at = start + pos
        h.flags, h.method, h.crc, h.packed, h.size = unpack_from("<HH4xIII", records, pos + 8)
        name, extra, comment = unpack_from("<HHH", records, pos + 28)
        h.mode, h.local = unpack_from("<II", records, pos + 38)
        h.mode = h.mode >> 16 if records[pos + 5] == 3 else 0  # the upper half is a Unix mode if Unix made it
        _name(h, records[pos + 46 : pos + 46 + name])
        field = records[pos + 46 + name : pos + 46 + name + extra]
        h.size, h.packed, h.local = _wide(field, h.size, h.packed, h.local)
        h.local += shift
        pos += 46 + name + extra + comment
        h.after = start + pos
        members.append(h)
    if pos > len(records) or (pos < len(records) and len(members) == count):
        raise BadArchive("a directory of another length than it says")
    return members


def read_local(source: Source, at: int) -> Header:
    """The local header at an offset; ``after`` is where its data begins. Raises `BadArchive`."""
    record = source.read(at, 30)
    if record[:4] != LOCAL or len(record) < 30:
        raise BadArchive("no local header where the directory points")
    h = Header()
    h.at = at
    h.flags, h.method, h.crc, h.packed, h.size, name, extra = unpack_from("<HH4xIIIHH", record, 6)
    rest = source.read(at + 30, name + extra)
    _name(h, rest[:name])
    h.size, h.packed, _ = _wide(rest[name:], h.size, h.packed, 0)
    h.after = at + 30 + name + extra
    return h


def _name(h: Header, raw: bytes) -> None:
    h.raw_name = raw
    try:
        h.name = raw.decode("utf-8" if h.flags & 0x800 else "cp437")
    except UnicodeDecodeError:
        h.name = raw.decode("latin-1")


def _wide(extra: bytes, *values: int) -> tuple[int, int, int]:
    """Sizes and offset, from the 64-bit field where they are too large for their own."""
    out, pos = list(values), 0
    while pos + 4 <= len(extra):
        kind, size = unpack_from("<HH", extra, pos)
        if kind == 1:
            at = pos + 4
            for n, value in enumerate(out):
                if value == 0xFFFFFFFF and at + 8 <= min(pos + 4 + size, len(extra)):
                    out[n] = unpack_from("<Q", extra, at)[0]
                    at += 8
            break
        pos += 4 + size
    return out[0], out[1], out[2]
