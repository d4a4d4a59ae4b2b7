"""Names in marshalled code. Nothing is loaded: what looks like a text of the marshal format is read out."""

from __future__ import annotations

import binascii
import re

#: A short text (z Z), with one byte of length; a long one (a A u t), with four. Bit 7 marks a reference.
_TEXT = re.compile(rb"[zZ\xfa\xda](.)|[aAut\xe1\xc1\xf5\xf4](.)\0\0\0", re.S)
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{0,80}")
MOST = 1 << 20


def names(code: bytes) -> list[str]:
    """Identifiers that stand in marshalled code, each once, in order. There may be too many, hardly too few."""
    found: dict[str, None] = {}
    for match in _TEXT.finditer(code[:MOST]):
        size = (match[1] or match[2])[0]
        text = code[match.end() : match.end() + size]
        if len(text) == size and _NAME.fullmatch(text):
            found[text.decode()] = None
    return list(found)


def decoded(text: str) -> bytes:
    """The bytes of base64, b"" if it is none."""
    try:
        return binascii.a2b_base64(text[: 2 * MOST].encode("ascii", "ignore"))
    except ValueError:
        return b""
