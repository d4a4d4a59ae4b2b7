"""Whole texts for the formats that parse them."""

from __future__ import annotations

import re

from probatum.scan import secrets
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

#: Longest text that is parsed.
LARGEST = 8 << 20
#: Names of prose and lists of words: what they quote is not run by whoever reads them.
PROSE = words(".md .markdown .rst .txt .csv .tsv .adoc .log .tex .bib license licence notice authors .vocab .merges")


def whole_text(source: Source, context: Context) -> str | None:
    """The text of a source; None, and a finding, if it is too long or no text after all."""
    if source.size > LARGEST:
        context.report("BUD001", f"a text longer than {LARGEST:,} bytes was not parsed", source)
        return None
    context.budget.spend_steps(source.size)
    secrets.report(source, context)
    try:
        text = source.read(0, source.size).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        context.report("FIL001", "begins as text and goes on as something else", source, offset=error.start)
        return None
    if "\0" in text:
        context.report("FIL001", "begins as text and goes on as something else", source, offset=text.index("\0"))
        return None
    return text


def byte_offset(text: str, position: int) -> int:
    """Byte offset of a character."""
    return position if text.isascii() else len(text[:position].encode())


def is_prose(source: Source) -> bool:
    """A name of prose: README.md, notes.txt, LICENSE."""
    return source.name_ends(PROSE)


def beginning(source: Source, pattern: re.Pattern[str], size: int = 65536) -> bool:
    """Does the beginning of a source, as text, match somewhere?"""
    return bool(pattern.search(source.read(0, size).decode("utf-8", "ignore")))
