"""Flow style: ``[a, b]`` and ``{a: b}``."""

from __future__ import annotations

import re

from probatum.scan.yaml.lines import ALIAS, PROPERTY, Unclear, folded, quoted_end, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.yaml.reader import Reader

DEEPEST = 60
#: Sizes are not counted beyond this.
HUGE = 10**15
_SPACE = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*")
_PLAIN = re.compile(r"(?:[^\s,\[\]{}:#]|:(?=[^\s,\[\]{}])|(?<=\S)#|\s+(?=[^\s,\[\]{}#:])|\s+:(?=[^\s,\[\]{}]))+")


def flow(reader: Reader, pos: int, depth: int = 0) -> tuple[Any, int, int]:
    """The value at ``pos``, the position behind it, and its size with aliases counted in full."""
    if depth > DEEPEST:
        raise Unclear(f"nested deeper than {DEEPEST}", pos)
    text, anchors = reader.text, []
    pos = _skip(text, pos)
    while (found := PROPERTY.match(text, pos)) is not None:
        if found["anchor"]:
            anchors.append(found["anchor"])
        else:
            reader.tag(found["tag"], pos)
        pos = _skip(text, found.end())
    if text[pos : pos + 1] in ("[", "{"):
        value, pos, size = _collection(reader, pos, depth)
    elif (found := ALIAS.match(text, pos)) is not None:
        value, size = reader.alias(found["name"], pos)
        pos = found.end()
    else:
        value, pos = _scalar(text, pos)
        size = 1
    for name in anchors:
        reader.anchors[name] = (value, size)
    reader.count(1)
    return value, pos, size


def _skip(text: str, pos: int) -> int:
    found = _SPACE.match(text, pos)
    return found.end() if found else pos


def _scalar(text: str, pos: int) -> tuple[str | None, int]:
    if text[pos : pos + 1] in ("'", '"'):
        end = quoted_end(text, pos)
        return unquoted(text[pos:end], pos), end
    if text[pos : pos + 1] in ("|", ">", "@", "`", "%", "&", "!", "*", "?"):
        raise Unclear("a character that may not begin a value", pos)
    found = _PLAIN.match(text, pos)
    return (folded(found.group().strip()), found.end()) if found else (None, pos)


def _collection(reader: Reader, pos: int, depth: int) -> tuple[Any, int, int]:
    text, opened, start = reader.text, reader.text[pos], pos
    end = "]" if opened == "[" else "}"
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    pos, size = _skip(text, pos + 1), 1
    while not text.startswith(end, pos):
        value, pos, one = flow(reader, pos, depth + 1)
        pos, size = _skip(text, pos), size + one
        if text.startswith(":", pos):
            inner, pos, one = flow(reader, pos + 1, depth + 1)
            pos, size = _skip(text, pos), size + one
            if opened == "{":
                reader.put(pairs, value, inner, pos)
            else:
                items.append({_key(value, pos): inner})
        elif opened == "{":
            reader.put(pairs, value, None, pos)
        else:
            items.append(value)
        if text.startswith(",", pos):
            pos = _skip(text, pos + 1)
        elif not text.startswith(end, pos):
            raise Unclear("a bracket is not closed", start)
    return (items if opened == "[" else pairs), pos + 1, min(size, HUGE)


def _key(value: Any, pos: int) -> str:
    if isinstance(value, (dict, list)):
        raise Unclear("a key that is not a text", pos)
    return "" if value is None else str(value)
