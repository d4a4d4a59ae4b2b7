"""Comparing a short answer of one's own words with the accepted ones, without a judge."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Literal

import numpy as np

from probatum.scorers.parsing import chosen
from probatum.scorers.refusal import refuses

#: Between several accepted answers in one string.
BETWEEN = " | "


def normalized(text: str) -> str:
    """Lower case, without punctuation, articles and double spaces (Rajpurkar et al. 2016, SQuAD)."""
    bare = "".join(c for c in text.casefold() if c not in string.punctuation and c not in "’‘“”°")
    return " ".join(w for w in bare.split() if w not in ("a", "an", "the"))


def stated(said: str) -> str:
    """The answer within what was written: the first line that says something, after "Answer:" where that stands."""
    after = re.split(r"answer\s*(?:is)?\s*:", said, maxsplit=1, flags=re.IGNORECASE)[-1]
    return next((line.strip(" \t[]*") for line in after.splitlines() if line.strip(" \t[]*")), "")


def best_match(said: str, accepted: str, match: Literal["exact", "f1"] = "exact") -> float:
    """How well an answer fits the best of the accepted ones (one string, `BETWEEN` them), in [0, 1].

    A yes or a no may be followed by anything but the other. A refusal that fits none of them is NaN.
    """
    answer = stated(said)
    best = 0.0
    for reference in {accepted, *accepted.split(BETWEEN)}:
        if normalized(reference) in ("yes", "no"):
            found = chosen(answer, ("yes", "no"))
            best = max(best, float(found is not None and ("yes", "no")[found] == normalized(reference)))
        elif match == "exact":
            best = max(best, float(normalized(answer) == normalized(reference)))
        else:
            best = max(best, word_f1(answer, reference))
    return np.nan if not best and refuses(said) else best


def word_f1(said: str, reference: str) -> float:
    """Harmonic mean of precision and recall over words, each counted as often as it stands there."""
    a, b = Counter(normalized(said).split()), Counter(normalized(reference).split())
    common = (a & b).total()
    return 2 * common / (a.total() + b.total()) if common else 0.0
