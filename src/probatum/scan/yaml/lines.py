"""Text, lines and small pieces of YAML."""

from __future__ import annotations

import re

#: A key in front of a colon, at most 1,024 characters as YAML says.
KEY = re.compile(
    r"(?:'(?:[^'\n]|''){0,1024}'[ \t]{0,99}|\"(?:[^\"\\\n]|\\.){0,1024}\"[ \t]{0,99}"
    r"|[^\s#'\"&*!|>%@`{}\[\],\-?:][^\n]{0,1024}?|[-?:](?=\S)[^\n]{0,1024}?):(?=\s|$)",
    re.MULTILINE,
)
PROPERTY = re.compile(r"(?:&(?P<anchor>[^\s,\[\]{}]+)|(?P<tag>!(?:<[^>\n]*>|[^\s,\[\]{}]*)))(?=\s|$|,)[ \t]*", re.M)
ALIAS = re.compile(r"\*(?P<name>[^\s,\[\]{}:]+)(?=[\s,\[\]{}:]|$)")
_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v",
            "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}  # fmt: skip
_ESCAPE = re.compile(r"\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|\n[ \t]*|.)", re.DOTALL)


class Unclear(ValueError):
    """Not understood; ``args`` are the reason and the position."""


def unescape(text: str, pos: int) -> str:
    """The value of a text in double quotes."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "xuU" and len(code) > 1:
            number = int(code[1:], 16)
            if number > 0x10FFFF:
                raise Unclear("an escape beyond Unicode", pos)
            return chr(number)
        if code[0] == "\n":
            return ""
        if code not in _ESCAPES and code not in ' "/\\\t':
            raise Unclear("an unknown escape", pos)
        return _ESCAPES.get(code, code)

    return _ESCAPE.sub(one, text)


def folded(text: str) -> str:
    """Lines of a plain or quoted text as one."""
    if "\n" not in text:
        return text
    lines = [line.strip(" \t") for line in text.split("\n")]
    out = lines[0]
    empty = 0
    for line in lines[1:]:
        if not line:
            empty += 1
            continue
        out += "\n" * empty or " "
        out += line
        empty = 0
    return out + ("\n" * empty if empty > 1 else " " * empty)


def quoted_end(text: str, pos: int) -> int:
    """Where a quoted text that starts at ``pos`` ends, behind its last quote."""
    mark, at = text[pos], pos + 1
    while True:
        at = text.find(mark, at) if mark == "'" else _double_end(text, at)
        if at < 0:
            raise Unclear("a quoted text is not closed", pos)
        if mark == "'" and text[at : at + 2] == "''":
            at += 2
            continue
        return at + 1


def _double_end(text: str, at: int) -> int:
    found = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL).match(text, at)
    return found.end() - 1 if found else -1


def unquoted(text: str, pos: int) -> str:
    """The value of a quoted text, quotes included."""
    if text[0] == "'":
        return folded(text[1:-1]).replace("''", "'")
    return unescape(folded(text[1:-1]), pos) if "\\\n" not in text else unescape(text[1:-1], pos)
