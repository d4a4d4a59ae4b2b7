"""Decisions by group: rates with exact intervals, and how far apart the groups lie.

Demographic parity difference: the largest selection rate minus the smallest. Equalized odds difference: the larger of
the same differences of true and of false positive rates (Hardt et al. 2016, arXiv 1610.02413).

The largest of many differences is large by chance alone. So every pair of groups has an interval of its own, at a level
at which all of them hold together (Bonferroni); the largest difference then lies between the largest of their lower
and the largest of their upper limits. A rate that rests on few records is shown, and no difference is taken from it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics import roc
from probatum.statistics.intervals import clopper_pearson, newcombe
from probatum.statistics.metrics import TooFew, _scored
from probatum.statistics.task_metrics import SMALL, share

SELECTION, TRUE, FALSE = "selection rate", "true positive rate", "false positive rate"
PARITY, ODDS = "demographic parity difference", "equalized odds difference"
DRAWS = 4000
SHOWN = 6  #: groups that one sentence names


@dataclass(frozen=True)
class Part:
    """One rate of one group: which records it rests on. Differences are taken within a ``family`` (one column)."""

    family: str
    rate: str
    group: str
    at: np.ndarray  #: bool (n,)

    @property
    def n(self) -> int:
        """Records behind the rate."""
        return int(self.at.sum())


def parts_of(label: np.ndarray | None, group: np.ndarray) -> list[Part]:
    """Every rate of every group; ``group`` has shape (n,), or (n, columns) with cells like ``sex=Male``.

    Several columns are looked at one by one and together, group by group of their intersection. Without labels there
    are selection rates only.
    """
    parts = []
    for family, names in _families(group):
        for name in np.unique(names):
            own = names == name
            parts.append(Part(family, SELECTION, str(name), own))
            if label is not None:
                parts.append(Part(family, TRUE, str(name), own & label))
                parts.append(Part(family, FALSE, str(name), own & ~label))
    return parts


def _families(group: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    columns = group.reshape(len(group), -1).astype(str)
    named = [column[0].partition("=")[0] if group.ndim > 1 else "group" for column in columns.T]
    yield from zip(named, columns.T, strict=True)
    if len(named) > 1:
        yield " and ".join(named), np.array([", ".join(row) for row in columns])


def largest_difference(
    name: str, values: np.ndarray, parts: Sequence[Part], cluster: np.ndarray | None = None, seed: int = 0
) -> tuple[Estimate, str]:
    """The largest difference between two groups in one rate and family, and in words which it is.

    Parameters
    ----------
    values
        Decisions, 0 or 1, shape (n,).
    cluster
        Units that are independent of each other, where records are not; then pairs are resampled by unit.

    Raises
    ------
    TooFew
        No rate has two groups.
    """
    pairs = [
        (a, b)
        for a, b in itertools.combinations([p for p in parts if p.n], 2)
        if (a.family, a.rate) == (b.family, b.rate)
    ]
    if not pairs:
        raise TooFew("there are no two groups to compare")
    level = 1 - 0.05 / len(pairs)
    found = [(float(values[a.at].mean() - values[b.at].mean()), a, b) for a, b in pairs]
    value, most, least = max(found, key=lambda d: (abs(d[0]), d[1].n + d[2].n))
    if cluster is None:
        counts = {id(p): _counts(values, p.at, None) for pair in pairs for p in pair}
        limits = [newcombe(*counts[id(a)], *counts[id(b)], level=level) for a, b in pairs]
        spans = [(i.low, i.high) for i in limits]
    else:
        spans = _resampled(values, pairs, cluster, level, keyed(seed, name))
    low = max(max(0.0, lo, -hi) for lo, hi in spans)
    high = max(max(abs(lo), abs(hi)) for lo, hi in spans)
    how = "Newcombe hybrid score" if cluster is None else "percentile bootstrap by cluster"
    if len(pairs) > 1:
        how += f", {len(pairs)} pairs of groups together (Bonferroni)"
    records = np.logical_or.reduce([a.at | b.at for a, b in pairs])
    n = int(records.sum()) if cluster is None else len(np.unique(cluster[records].astype(str)))
    upper, lower = (most, least) if value >= 0 else (least, most)
    where = f"{upper.rate}, {upper.group} over {lower.group}"
    return Estimate(name, abs(value), low, high, n, how), where


def _resampled(
    values: np.ndarray, pairs: Sequence[tuple[Part, Part]], cluster: np.ndarray, level: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Percentile limits of every pair's difference over resampled units; a group that is drawn empty is left out.

    Where all draws agree there is no width to see, and the units of either side count as independent records.
    """
    _, unit = np.unique(cluster.astype(str), return_inverse=True)
    size = int(unit.max()) + 1
    rates = list({id(p): p for pair in pairs for p in pair}.values())
    hits = np.column_stack([np.bincount(unit, p.at * values, size) for p in rates])
    total = np.column_stack([np.bincount(unit, p.at, size) for p in rates])
    drawn = []
    for _ in range(0, DRAWS, 200):
        weight = rng.multinomial(size, np.full(size, 1 / size), size=200)
        with np.errstate(invalid="ignore"):
            drawn.append((weight @ hits) / (weight @ total))
    rows, place = np.concatenate(drawn), {id(p): i for i, p in enumerate(rates)}
    spans = []
    for a, b in pairs:
        low, high = np.nanquantile(rows[:, place[id(a)]] - rows[:, place[id(b)]], [(1 - level) / 2, (1 + level) / 2])
        if low == high:
            exact = newcombe(*_counts(values, a.at, cluster), *_counts(values, b.at, cluster), level=level)
            low, high = exact.low, exact.high
        spans.append((float(low), float(high)))
    return spans


def _counts(values: np.ndarray, at: np.ndarray, cluster: np.ndarray | None) -> tuple[int, int]:
    """(hits, n) at these records; where records come in units, as if every unit were one record."""
    n = int(at.sum()) if cluster is None else len(np.unique(cluster[at].astype(str)))
    return round(float(values[at].mean()) * n), n


def group_difference(scores: Scores, truth: Truth) -> Result:
    """Equalized odds difference of decisions (without labels: demographic parity difference), and all that it rests on.

    Values are decisions (1 yes, 0 no); the column of ``scores.null`` is the score that led to them. The parameter
    ``least`` says on how many records a rate must rest before differences are taken from it.
    """
    values, truth = _scored(scores, truth)
    if not len(values):
        raise TooFew("no decision could be read")
    group = _group(truth)
    least = int(scores.parameters.get("least", SMALL))
    parts = parts_of(truth.label, group)
    breakdown, notes = by_group(values, parts, truth, least)
    name = PARITY if truth.label is None else ODDS
    wanted = [p for p in parts if p.n >= least and (p.rate == SELECTION) == (truth.label is None)]
    try:
        estimate, where = largest_difference(name, values, wanted, truth.cluster, truth.seed)
    except TooFew:
        raise TooFew(f"no rate has two groups with {least} records or more to compare") from None
    notes.insert(0, f"largest in the {where}")
    if truth.label is None:
        notes.append("no labels were given, so nothing can be said of errors")
    notes += _against(values, parts, truth)
    if scores.null is not None and truth.label is not None:
        ranked, told = _ranking(scores.null[scores.scored, 0], truth, parts)
        breakdown, notes = {**breakdown, **ranked}, notes + told
    return Result(estimate, breakdown=breakdown, note="; ".join(notes))


def worst_group_accuracy(scores: Scores, truth: Truth) -> Result:
    """The accuracy where it is lowest: among those labeled yes and those labeled no, of every group.

    A constant answer has 0 there (Sagawa et al. 2020, arXiv 1911.08731). An answer that could not be read counts as
    wrong here, and as a no in the differences of the breakdown.
    """
    values, truth = _scored(scores, truth)
    if truth.label is None or not len(values):
        raise TooFew("no decision with a label could be read")
    kinds = scores.kinds or ("answered",) * len(scores)
    answered = np.array([k == "answered" for k in kinds])[scores.scored]
    right = ((values == 1) == truth.label) & answered
    parts = parts_of(truth.label, _group(truth))
    cells = [p for p in parts if p.rate in (TRUE, FALSE) and p.n]
    counts = [_counts(right.astype(float), p.at, truth.cluster) for p in cells]
    exact = [clopper_pearson(*count, level=1 - 0.05 / len(cells)) for count in counts]
    worst = min(range(len(cells)), key=lambda i: exact[i].value)
    how = f"Clopper-Pearson, {len(cells)} cells together (Bonferroni)"
    estimate = Estimate(
        "worst-group accuracy", exact[worst].value, min(i.low for i in exact), min(i.high for i in exact),
        exact[worst].n, how,
    )  # fmt: skip
    breakdown, notes = by_group(values, parts, truth, SMALL)
    side = "yes" if cells[worst].rate == TRUE else "no"
    notes.insert(0, f"lowest in {cells[worst].group} where the right answer is {side}")
    overall = share(right.astype(float), truth.cluster, truth.seed, "accuracy")
    return Result(estimate, breakdown={"accuracy": overall, **breakdown}, note="; ".join(notes))


def by_group(
    values: np.ndarray, parts: Sequence[Part], truth: Truth, least: int
) -> tuple[dict[str, Estimate], list[str]]:
    """Both differences, by column where there are several, and every rate of every group; what rests on few says so."""
    breakdown: dict[str, Estimate] = {}
    families = list(dict.fromkeys(p.family for p in parts))
    for name, rates in ((PARITY, (SELECTION,)), (ODDS, (TRUE, FALSE))):
        for family in (None, *families) if len(families) > 1 else (None,):
            own = [p for p in parts if p.rate in rates and p.n >= least and family in (None, p.family)]
            try:
                found, _ = largest_difference(name, values, own, truth.cluster, truth.seed)
            except TooFew:
                continue
            breakdown[name if family is None else f"{name}, {family}"] = found
    small: dict[str, list[str]] = {}
    sizes = {p.group: p.n for p in parts if p.rate == SELECTION}
    for p in parts:
        if p.n < least:
            told = [] if p.rate == SELECTION else [f"{p.n} with the label" if p.rate == TRUE else f"{p.n} without"]
            small.setdefault(p.group, []).extend(told)
        if p.n:
            cluster = None if truth.cluster is None else truth.cluster[p.at]
            rate = share(values[p.at], cluster, truth.seed, p.rate)
            few = f"; fewer than {least} records" if p.n < least else ""
            breakdown[f"{p.rate}, {p.group}"] = dataclasses.replace(rate, method=rate.method + few)
    if not small:
        return breakdown, []
    told = [f"{group} ({', '.join([f'{sizes[group]} records', *counts])})" for group, counts in small.items()]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    note = f"rates on fewer than {least} records are shown but not compared: {'; '.join(told[:SHOWN])}{more}"
    return breakdown, [note]


def _group(truth: Truth) -> np.ndarray:
    if truth.group is None:
        raise TooFew("needs groups, and the data has none")
    return truth.group


def _against(values: np.ndarray, parts: Sequence[Part], truth: Truth) -> list[str]:
    """Groups whose decisions run against their label: a yes is rarer where it is right than where it is wrong."""
    if truth.label is None:
        return []
    told = []
    sides = {(p.group, p.rate): p for p in parts}
    for (group, rate), own in sides.items():
        other = sides.get((group, FALSE))
        if rate != TRUE or other is None or not own.n or not other.n:
            continue
        gap = newcombe(*_counts(values, own.at, truth.cluster), *_counts(values, other.at, truth.cluster))
        if gap.high < 0:
            told.append(f"{group} ({gap.value:.2f} [{gap.low:.2f}, {gap.high:.2f}])")
    return [f"decisions run against their label in {', '.join(told)}: true minus false positive rate"] if told else []


def _ranking(score: np.ndarray, truth: Truth, parts: Sequence[Part]) -> tuple[dict[str, Estimate], list[str]]:
    """AUROC of the score against the label in every group; one that lies below chance is named, never averaged away."""
    breakdown: dict[str, Estimate] = {}
    told: list[str] = []
    assert truth.label is not None
    for p in parts:
        sides = [np.flatnonzero(p.at & side & np.isfinite(score)) for side in (truth.label, ~truth.label)]
        if p.rate != SELECTION or min(map(len, sides)) < 2:
            continue
        units = None if truth.cluster is None else (truth.cluster[sides[0]], truth.cluster[sides[1]])
        i = roc.delong_interval(score[sides[0]], score[sides[1]], clusters=units)
        few = f"; fewer than {SMALL} records on a side" if min(map(len, sides)) < SMALL else ""
        breakdown[f"AUROC of the score, {p.group}"] = Estimate("AUROC", i.value, i.low, i.high, i.n, i.method + few)
        if i.high < 0.5:
            told.append(f"{p.group} (AUROC {i.value:.2f} [{i.low:.2f}, {i.high:.2f}])")
    return breakdown, [f"the score runs against its label in {', '.join(told)}"] if told else []
