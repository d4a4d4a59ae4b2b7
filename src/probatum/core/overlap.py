"""How much two texts have in common: ROUGE-1 (units in common, each as often as it stands in both) and edit distance.

A unit is a word (letters and digits, lower case) or a character. Lin 2004 (ROUGE) and Levenshtein 1966.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from math import comb
from typing import Literal

import numpy as np

Unit = Literal["word", "character"]


def units(text: str, unit: Unit) -> list[str]:
    """The words of a text, or its characters without blanks."""
    if unit == "word":
        return re.findall(r"\w+", text.lower())
    return [c for c in text if not c.isspace()]


def rouge_1_recall(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """Share of the reference's units that the candidate has; NaN for a reference without any.

    A unit that stands twice in the reference is found twice only if the candidate has it twice.
    """
    return _common(candidate, reference) / len(reference) if reference else float("nan")


def rouge_1_precision(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """Share of the candidate's units that the reference has, counted likewise; 0 for a candidate without any."""
    return _common(candidate, reference) / len(candidate) if candidate else 0.0


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    return (Counter(a) & Counter(b)).total()


def edit_distances(text: str, prefixes_of: str) -> np.ndarray:
    """Levenshtein distance of ``text`` to every prefix of the other, shape (len(prefixes_of) + 1,)."""
    other = np.array([ord(c) for c in prefixes_of], np.int64)
    place = np.arange(len(other) + 1)
    row = place.copy()
    for c in text:
        step = row + 1  # a character that the prefix lacks
        step[1:] = np.minimum(step[1:], row[:-1] + (other != ord(c)))
        row = np.minimum.accumulate(step - place) + place  # then characters that the text lacks, from left to right
    return row


@functools.lru_cache(1024)
def near_count(length: int, letters: int, edits: int) -> int:
    """At most so many strings of ``length`` over ``letters`` lie within ``edits`` of some prefix of one given text.

    Counts the ways to write such a string from left to right: places that are substituted or inserted, what stands
    there, and characters of the text that are skipped before a place. Several ways may write one string, so this is an
    upper bound; without edits it is 1.
    """
    total = 0
    for changed in range(min(edits, length) + 1):
        skipped = edits - changed  # at most; before each place that reads a character of the text
        ways = sum(comb(changed, new) * comb(length - new + skipped, skipped) for new in range(changed + 1))
        total += comb(length, changed) * letters**changed * ways
    return total
