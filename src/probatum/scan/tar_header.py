"""One header of a tar archive, and the records of pax, as they stand; nothing is believed here."""

from __future__ import annotations

import re

BLOCK = 512
_PAX = re.compile(rb"(\d{1,9}) ([^=]{1,255})=")


class Bad(ValueError):
    """The chain of headers cannot be followed; ``args[0]`` says why."""


class Header:
    """One header as it stands: name, kind (one character), size, link."""

    __slots__ = ("doubtful", "kind", "link", "name", "size")

    def __init__(self, raw: bytes) -> None:
        self.kind, self.size = chr(raw[156]), number(raw[124:136])
        self.name, self.link = as_text(raw[:100]), as_text(raw[157:257])
        prefix = as_text(raw[345:500])
        self.doubtful = bool(prefix) and raw[257:263] != b"ustar\0"  # some readers look at the magic, some do not
        if prefix and self.kind not in "LKS":
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


def as_text(field: bytes) -> str:
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


def records(data: bytes) -> dict[str, str]:
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
