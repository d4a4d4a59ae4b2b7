"""Tar archives (v7, ustar, pax, GNU): headers in a chain, each with its member behind it. Members go to the formats."""

from __future__ import annotations

import re

from probatum.scan.finding import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "tar"
EXCLUSIVE = True

BLOCK = 512
#: Longest name or pax record that is read.
LONGEST = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICES = {"3": "a character device", "4": "a block device", "6": "a pipe"}
_PAX = re.compile(rb"(\d{1,9}) ([^=]{1,255})=")


class Bad(ValueError):
    """The chain of headers cannot be followed; ``args[0]`` says why."""


class Header:
    """One header as it stands: name, kind (one character), size, link."""

    __slots__ = ("kind", "link", "name", "size")

    def __init__(self, raw: bytes) -> None:
        self.kind, self.size = chr(raw[156]), number(raw[124:136])
        self.name, self.link = _text(raw[:100]), _text(raw[157:257])
        prefix = _text(raw[345:500]) if raw[257:263] == b"ustar\0" else ""
        if prefix:
            self.name = f"{prefix}/{self.name}"


def number(field: bytes) -> int:
    """Octal text, or binary with the first bit set. Raises `Bad`."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        if field[0] == 0xFF or value >= 1 << 60:
            raise Bad("a negative or absurd size")
        return value
    text = field.split(b"\0")[0].strip()
    if not re.fullmatch(rb"[0-7]*", text):
        raise Bad("a number that is no octal text")
    return int(text or b"0", 8)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "surrogateescape")


def right_sum(raw: bytes) -> bool:
    """Is the checksum of a header right, with bytes taken as unsigned or as signed?"""
    if len(raw) < BLOCK or not raw[0]:
        return False
    try:
        said = number(raw[148:156])
    except Bad:
        return False
    rest = raw[:148] + b" " * 8 + raw[156:]
    total = sum(rest)
    return said in (total, total - 256 * sum(b > 127 for b in rest))


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


class Walk:
    """What has to be remembered from header to header: long names that are pending, names and links that were seen."""

    def __init__(self, source: Source, context: Context) -> None:
        self.source, self.context = source, context
        self.long: dict[str, str] = {}
        self.seen: set[str] = set()
        self.links: set[str] = set()

    def report(self, rule: str, message: str, at: int) -> None:
        self.context.report(rule, message, self.source, offset=at)

    def member(self, header: Header, at: int) -> int:
        """Judge one header and its member; gives the offset of the next."""
        start, kind = at + BLOCK, header.kind
        if kind in "LKxg":
            return self._extra(header, at, start)
        name, link, sparse = header.name, header.link, kind == "S"
        size = self._size(header, at) if kind in "07\0S" or kind not in "123456" else 0
        name, link = self.long.get("path", name), self.long.get("linkpath", link)
        sparse = sparse or any(key.startswith("GNU.sparse") for key in self.long)
        self.long = {}
        end = start + size
        if end > self.source.size:
            raise Bad(f"{quote(name)} goes on behind the end of the file")
        self._name(name, kind, at)
        if kind in "12":
            self._link(name, link, kind, at)
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
            self.long["path" if header.kind == "L" else "linkpath"] = _text(data)
            return self._padding(start + header.size)
        records = _records(data)
        if header.kind == "x":
            self.long.update(records)
        elif set(records) & {"path", "linkpath", "size"} or any(k.startswith("GNU.sparse") for k in records):
            self.report("TAR008", "a record for all members sets their name, link or size", at)
        return self._padding(start + header.size)

    def _padding(self, end: int) -> int:
        next = (end + BLOCK - 1) // BLOCK * BLOCK
        if next > self.source.size:
            raise Bad("the last member is not filled up")
        if self.source.read(end, next - end).strip(b"\0"):
            self.report("TAR007", "bytes between two members", end)
        return next

    def _name(self, name: str, kind: str, at: int) -> None:
        parts = [p for p in name.split("/") if p not in ("", ".")]
        if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\\" in name or "\0" in name:
            self.report("TAR001", f"a member is called {quote(name)}", at)
        path = "/".join(parts)
        if path in self.seen and kind != "5":
            self.report("TAR004", f"the name {quote(name)} stands twice", at)
        self.seen.add(path)
        for n in range(1, min(len(parts), 256)):
            if "/".join(parts[:n]) in self.links:
                self.report("TAR002", f"{quote(name)} is written through a link of this archive", at)
                break

    def _link(self, name: str, link: str, kind: str, at: int) -> None:
        """A symbolic link starts at its folder, a hard link at the root of the archive. Through links, nothing."""
        parts = [p for p in name.split("/")[:-1] if p not in ("", ".")] if kind == "2" else []
        out = link.startswith("/") or "\\" in link or bool(_DRIVE.match(link))
        for part in link.split("/"):
            if part == "..":
                out = out or not parts
                parts = parts[:-1]
            elif part not in ("", "."):
                parts = [*parts, part]
            out = out or "/".join(parts) in self.links
            if out or len(parts) > 256:
                self.report("TAR002", f"the link {quote(name)} leads to {quote(link)}", at)
                break
        self.links.add("/".join(p for p in name.split("/") if p not in ("", ".")))


def _records(data: bytes) -> dict[str, str]:
    """pax records: length, key and value. Raises `Bad`."""
    found: dict[str, str] = {}
    pos = 0
    while pos < len(data) and data[pos]:
        match = _PAX.match(data, pos)
        end = pos + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(data) or data[end - 1] != 10:
            raise Bad("a record that is none")
        found[match[2].decode("utf-8", "replace")] = data[match.end() : end - 1].decode("utf-8", "surrogateescape")
        pos = end
    return found
