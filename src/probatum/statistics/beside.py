"""Answers read beside other answers: to the question before it was changed, or to other questions.

What an item is compared with stands in the first column of ``scores.null``.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import bootstrap, clopper_pearson_limits
from probatum.statistics.metrics import TooFew, _scored
from probatum.statistics.task_metrics import rate, share

DRAWS = 2000
AGREE = "Clopper-Pearson, all agree:"


def rate_and_drop(name: str, *, original: str = "original") -> Metric:
    """The share of changed items with value 1, and beside it that of their originals and the drop between the two.

    ``scores.null`` holds in its first column the value of each item's original (NaN where it was not asked). The drop
    is paired: what is resampled are whole clusters, an item and its original among them.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        result = rate(name)(scores, truth)
        _, seen = _scored(scores, truth)
        if scores.null is None:
            return result
        values, before = scores.values[scores.scored], scores.null[scores.scored, 0]
        known = ~np.isnan(before)
        if not known.any():
            return result
        cluster = None if seen.cluster is None else seen.cluster[known]
        parts = {
            **result.breakdown,
            original: share(before[known], cluster, truth.seed, name),
            "drop": _drop(before[known] - values[known], cluster, truth.seed),
        }
        return dataclasses.replace(result, breakdown=parts)

    metric.__name__ = "rate_and_drop"
    return metric


def _drop(lost: np.ndarray, cluster: np.ndarray | None, seed: int) -> Estimate:
    units = len(lost) if cluster is None else len(np.unique(cluster.astype(str)))
    mean, low, high, method = float(lost.mean()), -1.0, 1.0, "one unit says nothing"
    if units > 1:
        interval = bootstrap(lost, np.mean, rng=keyed(seed, "drop"), clusters=cluster)
        low, high, method = interval.low, interval.high, "percentile bootstrap by cluster, paired"
        if low == high:
            rare = _unseen(units)
            low, high, method = max(-1.0, low - rare), min(1.0, high + rare), f"{AGREE} {units} units"
    return Estimate("drop", mean, low, high, units, method)


def _unseen(units: int) -> float:
    """The share of units that may be otherwise where none of so many is: the exact upper bound of 0 of ``units``."""
    return float(clopper_pearson_limits(0, units)[1])


def beyond_chance(name: str, *, least: int = 10) -> Metric:
    """How far similarity goes beyond what any two answers have in common: 1 − mean(1 − s) / mean(1 − b).

    ``s`` are the values and ``b`` the first column of ``scores.null``, the similarity to answers of other questions:
    the form of Cohen's kappa (1960) and Krippendorff's alpha, for similarities in [0, 1]. It is 1 where nothing
    changes, and 0 where answers are no more alike than those to different questions; also where all answers are alike,
    since then nothing is told apart. Intervals are percentile bootstraps over clusters, by group too.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values, seen = _scored(scores, truth)
        if len(values) < least or scores.null is None:
            raise TooFew(f"too few items: {len(values)} could be scored, {name} needs {least}")
        chance = scores.null[scores.scored, 0]
        unit = np.arange(len(values)).astype(str) if seen.cluster is None else seen.cluster.astype(str)
        rng = keyed(truth.seed, name)
        parts = {}
        if seen.group is not None:
            for group in np.unique(seen.group.astype(str)):
                own = seen.group.astype(str) == group
                parts[str(group)] = _kappa(name, values[own], chance[own], unit[own], rng)
        return Result(_kappa(name, values, chance, unit, rng), breakdown=parts)

    metric.__name__ = "beyond_chance"
    return metric


def _kappa(name: str, values: np.ndarray, chance: np.ndarray, unit: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Sums by unit are all that a draw of units needs."""
    names, code = np.unique(unit, return_inverse=True)
    lost, most = np.bincount(code, weights=1 - values), np.bincount(code, weights=1 - chance)
    if most.sum() < 1e-9 * len(values):
        return Estimate(name, 0.0, None, None, len(names), "all answers are alike: there is nothing to tell apart")
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS).astype(float)
    bottom = drawn @ most
    ratios = 1 - (drawn @ lost)[bottom > 0] / bottom[bottom > 0]
    value = 1 - float(lost.sum()) / float(most.sum())
    low, high = (float(q) for q in np.quantile(ratios, [0.025, 0.975]))
    if high - low < 1e-9:
        rare = _unseen(len(names)) * len(values) / float(most.sum())
        return Estimate(name, value, value - rare, min(1.0, value + rare), len(names), f"{AGREE} {len(names)} units")
    return Estimate(name, value, low, high, len(names), "percentile bootstrap by cluster")
