"""MessagePack, value by value: kinds and spans, nothing built."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.source import Buffer

#: Bytes of numbers with a byte of type before them.
FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
#: Width of the length of texts, bytes, extensions, lists and maps.
TEXTS, BYTES, EXTENSIONS = {0xD9: 1, 0xDA: 2, 0xDB: 4}, {0xC4: 1, 0xC5: 2, 0xC6: 4}, {0xC7: 1, 0xC8: 2, 0xC9: 4}
LISTS, DICTS = {0xDC: 2, 0xDD: 4}, {0xDE: 2, 0xDF: 4}
FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


class Bad(ValueError):
    """The bytes are no MessagePack; ``args`` are the sentence and the offset in the buffer."""


def item(data: Buffer, pos: int, end: int) -> tuple[str, int, int, int]:
    """(kind, content start, content end, values that follow in it) of one value.

    Kinds are ``number``, ``text``, ``bytes``, ``extension N``, ``list``, ``map``.
    """
    if pos >= end:
        raise Bad("breaks off", pos)
    code, at = data[pos], pos + 1
    if code < 0x80 or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
        return "number", at, at, 0
    if code < 0xA0:
        count = code & 15
        return ("map", at, at, 2 * count) if code < 0x90 else ("list", at, at, count)
    if code < 0xC0:
        return _within("text", at, at + (code & 31), end)
    if code in FIXED:
        return _within("number", at, at + FIXED[code], end)
    if code in FIXED_EXTENSIONS and at < end:
        return _within(f"extension {_signed(data[at])}", at + 1, at + 1 + FIXED_EXTENSIONS[code], end)
    for kind, widths in (("text", TEXTS), ("bytes", BYTES), ("extension", EXTENSIONS), ("list", LISTS), ("map", DICTS)):
        if code in widths:
            first = at + widths[code]
            if first + (kind == "extension") > end:
                raise Bad("breaks off", pos)
            size = int.from_bytes(data[at:first], "big")
            if kind in ("list", "map"):
                return kind, first, first, size * (2 if kind == "map" else 1)
            if kind == "extension":
                return _within(f"extension {_signed(data[first])}", first + 1, first + 1 + size, end)
            return _within(kind, first, first + size, end)
    raise Bad(f"a byte {code:#x} that begins no value", pos)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _within(kind: str, start: int, stop: int, end: int) -> tuple[str, int, int, int]:
    if stop > end:
        raise Bad(f"a {kind.split()[0]} goes on behind the end", start)
    return kind, start, stop, 0
