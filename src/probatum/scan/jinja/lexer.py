"""From the text of a template to tokens: text, and the parts of statements and expressions."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    #: (kind, value, position): kinds are text, begin, end, name, string, number and op.
    Token: TypeAlias = tuple[str, Any, int]

_OPEN = re.compile(r"\{[%{#]")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_RAW_END = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_PART = re.compile(
    r"""(?P<space>\s+)|(?P<name>[^\W\d]\w*)
    |(?P<number>0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)
    |(?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<op>\*\*|//|==|!=|>=|<=|[-+*/%~<>=.:|,;(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)


class Unreadable(ValueError):
    """The template does not follow the grammar; ``args`` are the reason and the position."""


def tokens(text: str) -> list[Token]:
    """Every token of a template.

    Raises
    ------
    Unreadable
        If a delimiter or a string is not closed, or a character has no meaning.
    """
    out: list[Token] = []
    pos = 0
    while (begin := _OPEN.search(text, pos)) is not None:
        if begin.start() > pos:
            out.append(("text", text[pos : begin.start()], pos))
        opened, pos = begin.group(), begin.end()
        if opened == "{#":
            end = text.find("#}", pos)
            if end < 0:
                raise Unreadable("a comment is not closed", begin.start())
            pos = end + 2
        elif raw := _RAW.match(text, begin.start()):
            last = _RAW_END.search(text, raw.end())
            if last is None:
                raise Unreadable("a raw block is not closed", begin.start())
            out.append(("text", text[raw.end() : last.start()], raw.end()))
            pos = last.end()
        else:
            out.append(("begin", opened, begin.start()))
            pos = _inside(text, pos, "%}" if opened == "{%" else "}}", out)
    if pos < len(text):
        out.append(("text", text[pos:], pos))
    return out


def _inside(text: str, pos: int, end: str, out: list[Token]) -> int:
    """The tokens up to the closing delimiter, which counts only outside of brackets."""
    depth, start = 0, pos
    pos += text[pos : pos + 1] in ("-", "+") and not text.startswith(end, pos)
    while True:
        if not depth:
            for close in (end, "-" + end, "+" + end):
                if text.startswith(close, pos):
                    out.append(("end", end, pos))
                    return pos + len(close)
        part = _PART.match(text, pos)
        if part is None:
            raise Unreadable("a statement is not closed or holds a character without meaning", min(pos, len(text)))
        kind, value = part.lastgroup or "", part.group()
        if value in ("(", "[", "{"):
            depth += 1
        elif value in (")", "]", "}"):
            depth -= 1
        if depth < 0:
            raise Unreadable("a bracket is closed that was not opened", start)
        if kind != "space":
            out.append((kind, _value(kind, value, pos), pos))
        pos = part.end()


def _value(kind: str, text: str, pos: int) -> Any:
    if kind == "number":
        plain = text.replace("_", "")
        if len(plain) > 300:
            raise Unreadable("a number of more than 300 digits", pos)
        return float(plain) if re.search(r"^\d*[.eE]|^\d+[.eE]", plain) and plain[:2].lower() != "0x" else _whole(plain)
    if kind == "string":
        try:
            return text[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
        except UnicodeDecodeError:
            raise Unreadable("a string with a broken escape", pos) from None
    return text


def _whole(text: str) -> int:
    return int(text, 0) if text[:2].lower() in ("0x", "0o", "0b") else int(text)
