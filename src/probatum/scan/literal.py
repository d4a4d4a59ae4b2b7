"""Python literals of the plain kind: texts without escapes, integers, truth values, tuples, lists and dicts."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: How deep a literal may be nested.
DEEPEST = 16
_TOKEN = re.compile(r"\s*(?:'([^'\\\n]*)'|\"([^\"\\\n]*)\"|(-?\d{1,19})L?|(True|False)|([\[\](){},:]))")


class Refused(ValueError):
    """The text is not what was expected; ``args[0]`` says why."""


def literal(text: str) -> Any:
    """The value of a Python literal of the kinds named above. Raises `Refused`."""
    value, pos = _value(text, 0, 0)
    if text[pos:].strip(" \n\t\0"):
        raise Refused("something behind the literal of the header")
    return value


def _value(text: str, pos: int, depth: int) -> tuple[Any, int]:
    match = _TOKEN.match(text, pos)
    if match is None or depth > DEEPEST:
        raise Refused("a header that is no plain literal")
    if match[5] is None:
        if match[4]:
            return match[4] == "True", match.end()
        return int(match[3]) if match[3] else (match[1] if match[1] is not None else match[2]), match.end()
    close = {"(": ")", "[": "]", "{": "}"}.get(match[5])
    if close is None:
        raise Refused("a header that is no plain literal")
    items, pos, commas = _items(text, match.end(), close, depth)
    if close == "]":
        return items, pos
    if close == ")":
        return (items[0] if len(items) == 1 and not commas else tuple(items)), pos
    keys = [k for k, _ in items]
    if not all(isinstance(k, str) for k in keys) or len(set(keys)) != len(keys):
        raise Refused("a key of the header stands twice")
    return dict(items), pos


def _items(text: str, pos: int, close: str, depth: int) -> tuple[list[Any], int, int]:
    """What stands between brackets, where they end, and how many commas there are."""
    items: list[Any] = []
    commas = 0
    while True:
        match = _TOKEN.match(text, pos)
        if match is not None and match[5] == close:
            return items, match.end(), commas
        if len(items) > commas:
            raise Refused("a comma is missing")
        value, pos = _value(text, pos, depth + 1)
        if close == "}":
            match = _TOKEN.match(text, pos)
            if match is None or match[5] != ":":
                raise Refused("a colon is missing")
            inner, pos = _value(text, match.end(), depth + 1)
            value = (value, inner)
        items.append(value)
        match = _TOKEN.match(text, pos)
        if match is not None and match[5] == ",":
            commas, pos = commas + 1, match.end()
