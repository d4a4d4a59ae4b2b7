"""The four error rates of decisions, by group and by every pair of factors, each with Wilson's interval.

Mitchell et al. 2019 (arXiv 1810.03993) ask for them disaggregated, one factor at a time and intersectionally. Wilson's
score interval (1927) holds its level on average also near 0 and 1; cells with few records say so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import Interval, _wilson
from probatum.statistics.metrics import TooFew, _scored
from probatum.statistics.task_metrics import SMALL, share

Part = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: Rate → (of which records, which of these are errors), from (decision, label).
RATES: dict[str, tuple[Part, Part]] = {
    "false positive rate": (lambda yes, true: ~true, lambda yes, true: yes),
    "false negative rate": (lambda yes, true: true, lambda yes, true: ~yes),
    "false discovery rate": (lambda yes, true: yes, lambda yes, true: ~true),
    "false omission rate": (lambda yes, true: ~yes, lambda yes, true: true),
}


def wilson(hits: int, n: int, *, level: float = 0.95) -> Interval:
    """The rate ``hits / n`` with Wilson's score interval: its coverage is ``level`` on average, not for every rate."""
    low, high = _wilson(hits, n, level)
    return Interval(hits / n, low, high, level, n, "Wilson")


def cells(group: np.ndarray | None, n: int) -> Iterator[tuple[str, np.ndarray]]:
    """(name, bool (n,)): all records, every group of every factor, and of every pair of factors.

    ``group`` has shape (n,) or (n, factors), with cells like ``sex=F``; names of pairs read ``sex=F and age=old``.
    """
    yield "", np.ones(n, bool)
    if group is None:
        return
    columns = list(group.reshape(n, -1).astype(str).T)
    for column in columns:
        for name in np.unique(column):
            yield str(name), column == name
    for a, b in itertools.combinations(columns, 2):
        for one, other in sorted({*zip(a.tolist(), b.tolist(), strict=True)}):
            yield f"{one} and {other}", (a == one) & (b == other)


def error_rates(scores: Scores, truth: Truth) -> Result:
    """The share of wrong decisions, and in the breakdown the four rates of every cell that has records for them.

    Values are decisions (1 yes, 0 no). A rate is of the records that it is about: the false positive rate of those
    labeled no, the false discovery rate of those decided yes. Where records come in units, units are resampled.
    """
    values, truth = _scored(scores, truth)
    if truth.label is None:
        raise TooFew("needs labels: what was true (--label NAME)")
    if not len(values):
        raise TooFew("no decision could be read")
    yes, true = values == 1, truth.label
    found = {}
    for where, at in cells(truth.group, len(values)):
        for name, (among, errors) in RATES.items():
            own = at & among(yes, true)
            if own.any():
                found[f"{name}, {where}" if where else name] = _rate(name, errors(yes, true)[own], truth, own)
    return Result(_rate("error rate", yes != true, truth, np.ones(len(values), bool)), breakdown=found)


def _rate(name: str, wrong: np.ndarray, truth: Truth, own: np.ndarray) -> Estimate:
    few = f"; fewer than {SMALL} records" if len(wrong) < SMALL else ""
    if truth.cluster is not None:
        found = share(wrong.astype(float), truth.cluster[own], truth.seed, name)
        return Estimate(name, found.value, found.low, found.high, found.n, found.method + few)
    i = wilson(int(wrong.sum()), len(wrong))
    return Estimate(name, i.value, i.low, i.high, i.n, i.method + few)
