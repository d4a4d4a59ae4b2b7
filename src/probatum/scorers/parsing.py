"""Reading an answer: which of the admissible answers did the model write?

An answer is read strictly: at a word's boundary, and only where one admissible answer is named, else it is unparsable.
Substring tests, as released scorers use them, let "nothing" count as "no" and "A or B" as "A".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: A letter counts as an option where a person would mark one: alone, or before a mark, or after a cue.
_MARK = r"(?:[.):,;\]]|\s*[-–—]\s|\s*$|\n)"
_CUE = r"(?:answer|option|choice|choose|select|pick|is|be)\b(?:[^\w\n]{0,3}|\s*:\s*)"


def plain(text: str) -> str:
    """Lower case, one space, no accents apart from letters, no quotes around it: for comparing, not for showing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("’", "'").split()).strip(" \"'`*_.!")


def chosen(said: str, options: Sequence[str], texts: Sequence[str] | None = None) -> int | None:
    """The number of the option that an answer names, or None where it names none or several.

    ``options`` are what may be written (words, or letters); ``texts`` what letters stand for. First the whole answer
    is compared, then its beginning, then what is named anywhere in it.
    """
    letters = bool(options) and all(len(option) == 1 for option in options)
    answer = plain(said)
    for names in (options, texts or ()):
        whole = [i for i, name in enumerate(names) if plain(name) == answer]
        if len(whole) == 1:
            return whole[0]
    found = _letters(said, options) if letters else _words(answer, options)
    if len(found) != 1 and texts:
        named = _words(answer, texts)
        found = named if not found else found & named or found
    return found.pop() if len(found) == 1 else None


def _letters(said: str, options: Sequence[str]) -> set[int]:
    """Letters at the beginning, in brackets, or after a cue such as "the answer is"."""
    text = unicodedata.normalize("NFKC", said).strip().strip("*`\"'")
    names = "".join(re.escape(o) for o in options)
    begins = re.match(rf"\(?([{names}])(?:{_MARK})", text)
    cued = re.findall(rf"(?:{_CUE})\(?([{names}])\b(?!')", text, flags=0) or re.findall(
        rf"(?i:{_CUE})\(?([{names}])(?:{_MARK})", text
    )
    bracketed = re.findall(rf"\(([{names}])\)", text)
    others = re.findall(rf"(?<![\w'])([{names}])(?![\w'])", text)
    named = [begins.group(1)] if begins else cued or bracketed
    if begins and re.search(rf"^\(?[{names}]\W*(?:or|and|/|,)\W*\(?[{names}]\b", text):
        named = others
    return {options.index(n) for n in named}


def _words(answer: str, names: Sequence[str]) -> set[int]:
    """Names that stand in an answer as whole words, unless only as part of a longer name that stands there too."""
    left, found = f" {answer} ", set()
    for i in sorted(range(len(names)), key=lambda i: -len(names[i])):
        pattern = rf"(?<![\w-]){re.escape(plain(names[i]))}(?![\w-])"
        left, count = re.subn(pattern, " ", left)
        if count and plain(names[i]):
            found.add(i)
    return found


def number(said: str) -> float | None:
    """The one number that an answer states, or None where it states none or several different ones."""
    found = {float(n) for n in re.findall(r"(?<![\w.])[-+−]?\d+(?:\.\d+)?(?![\w]|\.\d)", said.replace("−", "-"))}
    return found.pop() if len(found) == 1 else None
