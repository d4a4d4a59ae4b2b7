"""How well a collection of models is documented: what share has a card, and which sections anybody filled.

Liang et al. 2024 (P058, arXiv 2402.05160) counted 32,111 cards of 74,970 models by these eight sections; P062 found two
of five models documented at all. A section counts as in `card_completeness`: five words that no template wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from probatum.files.card_sections import SECTIONS, words
from probatum.files.data_card import names_a_license
from probatum.files.documents import Documents, read_documents
from probatum.statistics.intervals import clopper_pearson

LEAST = 5


def filled(folder: Path) -> tuple[bool, frozenset[str]]:
    """Whether there is a card, and which sections of it hold text."""
    card = read_documents(folder)
    return bool(card.card_name), filled_sections(card)


def filled_sections(card: Documents, least: int = LEAST) -> frozenset[str]:
    """The sections with ``least`` words of somebody; the licensing of a data set is filled by the name of a license."""
    counts = {name: sum(words(s.lines) for s in card.sections if name in s.names) for name in card.scheme.sections}
    if "licensing" in counts and (counts["licensing"] or names_a_license(card.text, card.front)):
        counts["licensing"] = max(counts["licensing"], least)
    return frozenset(name for name, n in counts.items() if n >= least)


def practice(found: Sequence[tuple[bool, frozenset[str]]], names: Sequence[str] = SECTIONS) -> list[dict[str, Any]]:
    """One row for having a card, and one a section among those that have one: n, count, rate with its interval."""
    with_card = [sections for has, sections in found if has]
    rows = [_row("a card", sum(has for has, _ in found), len(found))]
    rows += [_row(name, sum(name in own for own in with_card), len(with_card)) for name in names]
    return rows


def _row(name: str, count: int, n: int) -> dict[str, Any]:
    if not n:
        return {"name": name, "count": 0, "n": 0, "rate": None, "low": None, "high": None}
    rate = clopper_pearson(count, n)
    return {"name": name, "count": count, "n": n, "rate": count / n, "low": rate.low, "high": rate.high}
