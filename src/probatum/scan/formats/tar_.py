"""Tar archives (v7, ustar, pax, GNU): headers in a chain, each with its member behind it. Members go to the formats."""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.tar_header import BLOCK, Bad, Header, as_text, records, right_sum
from probatum.scan.tar_paths import Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "tar"
EXCLUSIVE = True

#: Longest name or pax record that is read.
LONGEST = 1 << 20
_DEVICES = {"3": "a character device", "4": "a block device", "6": "a pipe"}


def sniff(head: bytes, source: Source) -> bool:
    return right_sum(head[:BLOCK])


def scan(source: Source, context: Context) -> None:
    """Follow the headers; a broken one ends the reading and is said."""
    walk = Walk(source, context)
    pos = 0
    try:
        while pos < source.size:
            raw = source.read(pos, BLOCK)
            context.budget.spend_steps(8)
            if not raw.strip(b"\0"):
                _end(pos, source, context)
                return
            if not right_sum(raw):
                raise Bad("a header with a wrong checksum" if len(raw) == BLOCK else "a header that is cut off")
            pos = walk.member(Header(raw), pos)
        raise Bad("no end mark")
    except Bad as bad:
        context.report("TAR005", bad.args[0], source, offset=pos)


def _end(pos: int, source: Source, context: Context) -> None:
    """Two blocks of zeros end the archive; writers fill up with more."""
    if source.size - pos < 2 * BLOCK:
        context.report("TAR005", "half an end mark", source, offset=pos)
    while pos < source.size:
        block = source.read(pos, 1 << 20)
        if block.strip(b"\0"):
            at = (pos + len(block) - len(block.lstrip(b"\0"))) // BLOCK * BLOCK
            context.report("TAR007", f"{source.size - at:,} bytes behind the end mark", source, offset=at)
            context.scan_member(source.part(at, source.size - at, f"{source.name}#{at}"))
            return
        pos += len(block)


class Walk(Paths):
    """What has to be remembered from header to header: long names that are pending, and the paths that were seen."""

    def __init__(self, source: Source, context: Context) -> None:
        super().__init__(source, context)
        self.long: dict[str, str] = {}

    def member(self, header: Header, at: int) -> int:
        """Judge one header and its member; gives the offset of the next."""
        start, kind = at + BLOCK, header.kind
        if kind in "LKxg":
            return self._extra(header, at, start)
        name, link, sparse = header.name, header.link, kind == "S"
        if header.doubtful and not sparse:
            self.report("TAR008", f"a part of the name {quote(name)} is one to some readers only", at)
        size = self._size(header, at) if kind in "07\0S" or kind not in "123456" else 0
        name, link = self.long.get("path", name), self.long.get("linkpath", link)
        sparse = sparse or any(key.startswith("GNU.sparse") for key in self.long)
        self.long = {}
        end = start + size
        if end > self.source.size:
            raise Bad(f"{quote(name)} goes on behind the end of the file")
        self.check_name(name, kind, at)
        if kind in "12":
            self.check_link(name, link, kind, at)
        elif kind in _DEVICES:
            self.report("TAR003", f"{quote(name)} is {_DEVICES[kind]}", at)
        elif sparse or kind not in "07\0005":
            self.report("TAR006", f"{quote(name)} is of the kind {quote('sparse' if sparse else kind)}", at)
        elif size:
            inside = f"{self.source.name}/{name}".lstrip("/") if self.source.name else name
            self.context.scan_member(self.source.part(start, size, inside))
        return self._padding(end)

    def _size(self, header: Header, at: int) -> int:
        """A size in a pax record stands in for one that is too large for the header; else they must agree."""
        wide = self.long.get("size")
        if wide is None:
            return header.size
        if not re.fullmatch(r"[0-9]{1,18}", wide):
            raise Bad("a size in a record that is no number")
        if int(wide) != header.size and (header.size or int(wide) < 1 << 33):
            self.report("TAR008", f"the header says {header.size:,} bytes, its record {int(wide):,}", at)
        return int(wide)

    def _extra(self, header: Header, at: int, start: int) -> int:
        """A long name or records for the next member (or for all that follow)."""
        if header.size > LONGEST or start + header.size > self.source.size:
            raise Bad("a long name or record that does not fit")
        data = self.source.read(start, header.size)
        self.context.budget.spend_steps(16 + header.size)
        if header.kind in "LK":
            self.long["path" if header.kind == "L" else "linkpath"] = as_text(data)
            return self._padding(start + header.size)
        found = records(data)
        if header.kind == "x":
            self.long.update(found)
        elif set(found) & {"path", "linkpath", "size"} or any(k.startswith("GNU.sparse") for k in found):
            self.report("TAR008", "a record for all members sets their name, link or size", at)
        return self._padding(start + header.size)

    def _padding(self, end: int) -> int:
        next = (end + BLOCK - 1) // BLOCK * BLOCK
        if next > self.source.size:
            raise Bad("the last member is not filled up")
        if self.source.read(end, next - end).strip(b"\0"):
            self.report("TAR007", "bytes between two members", end)
        return next
