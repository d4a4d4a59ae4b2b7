"""Small alterations of a text, for methods that compare a text with versions of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Letters, digits and underscores in a row; an apostrophe or a hyphen between them belongs to the word.
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word of the text begins and ends, in characters; punctuation and spaces lie between them."""
    return [match.span() for match in _WORD.finditer(text)]


def replaced(text: str, changes: Mapping[tuple[int, int], str]) -> str:
    """The text with other characters at the given spans, which do not overlap; all else stays as it is."""
    parts, at = [], 0
    for (begin, end), new in sorted(changes.items()):
        parts += [text[at:begin], new]
        at = end
    return "".join([*parts, text[at:]])
