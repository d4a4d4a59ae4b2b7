"""Are the popular models of a collection the better ones, or the better documented ones?

P123 (500 sentiment models) found popularity and measured performance not correlated, and 88 % of the cards too proud.
Here: Kendall's tau-b between downloads or likes and what the cards claim, what audits measured, and how much of the
card somebody filled. All p-values of one table are corrected together (Holm).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.lineage.results import audits, claims, matched, number
from probatum.statistics.rank_correlation import LEAST, kendall
from probatum.statistics.tests import holm

KINDS = ("downloads", "likes")
Values = Mapping[str, float]  #: model → number


@dataclass(frozen=True)
class Row:
    """One correlation. ``tau`` and the rest are None where ``status`` is "not established", and ``reason`` says why."""

    popularity: str
    against: str
    n: int
    status: str
    tau: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None
    p_value_kind: str = ""
    reason: str = ""


def popularity(
    cards: Mapping[str, Mapping[str, Any]], filled: Mapping[str, int], file: Path | None, reports: Path | None
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any] | None]:
    """(rank correlations, share of audited models whose card claims what is not so) of a collection.

    Parameters
    ----------
    cards, filled
        {model: front matter of its card}, {model: sections that somebody filled}.
    file, reports
        A CSV for `read_popularity` (without one, what the cards carry is used), and a directory for `audits`.
    """
    names = list(cards)
    measured, overstated = audits(reports, names) if reports else ({}, None)
    known = read_popularity(file, names) if file else of_cards(cards)
    if not known:
        return (), overstated
    what, claimed = claims(cards)
    others: dict[str, Values] = {f"claimed {what}" if what else "a claimed metric": claimed}
    others |= {f"measured {probe}": values for probe, values in measured.items()}
    others["sections of the card filled"] = {name: float(count) for name, count in filled.items()}
    return tuple(correlations(known, others)), overstated


def read_popularity(file: Path, models: Sequence[str]) -> dict[str, dict[str, float]]:
    """{"downloads": {model: number}, "likes": …} of a CSV with the columns ``model`` and one of these, or both.

    Raises
    ------
    BadInput
        No such file, a column that is missing, what is no count, or not one of the models in it.
    """
    if not file.is_file():
        raise BadInput(f"{file}: expected a CSV file with the columns model,downloads, but there is none here")
    out: dict[str, dict[str, float]] = {}
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        rows = csv.DictReader(stream)
        kinds = [k for k in KINDS if k in (rows.fieldnames or ())]
        if "model" not in (rows.fieldnames or ()) or not kinds:
            raise BadInput(f"{file}: expected the columns model,downloads (or likes), got {rows.fieldnames}")
        for row in rows:
            model = matched(row["model"] or "", models)
            for kind in kinds if model else ():
                if text := (row[kind] or "").strip().replace(",", ""):
                    value = number(text)
                    if value is None:
                        raise BadInput(f"{file}, line {rows.line_num}: expected a count as {kind}, got {text[:40]!r}")
                    out.setdefault(kind, {})[str(model)] = value
    if not out:
        raise BadInput(f"{file}: names none of the {len(models)} models, such as {', '.join(models[:3])}")
    return out


def of_cards(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Downloads and likes that cards carry in their metadata, as exports of a hub have them."""
    out: dict[str, dict[str, float]] = {}
    for model, card in cards.items():
        for kind in KINDS:
            if (value := number(card.get(kind))) is not None:
                out.setdefault(kind, {})[model] = value
    return out


def correlations(popularity: Mapping[str, Values], others: Mapping[str, Values]) -> list[dict[str, Any]]:
    """Every kind of popularity against every other number, over the models that have both."""
    rows = [_row(kind, own, against, other) for kind, own in popularity.items() for against, other in others.items()]
    done = [k for k, r in enumerate(rows) if r.p_value is not None]
    corrected = dict(zip(done, holm([float(rows[k].p_value or 0) for k in done]), strict=True)) if done else {}
    return [asdict(r) | {"adjusted_p_value": float(corrected[k]) if k in corrected else None}
            for k, r in enumerate(rows)]  # fmt: skip


def _row(kind: str, own: Values, against: str, other: Values) -> Row:
    both = sorted(own.keys() & other.keys())
    if len(both) < LEAST:
        return Row(kind, against, len(both), "not established", reason=f"fewer than {LEAST} models have both")
    x, y = [own[m] for m in both], [other[m] for m in both]
    if len(set(x)) == 1 or len(set(y)) == 1:
        return Row(kind, against, len(both), "not established", reason="one of the two is the same for all models")
    found = kendall(x, y)
    return Row(kind, against, found.n, "established", found.value, found.low, found.high, found.p_value, None,
               found.p_value_kind)  # fmt: skip
