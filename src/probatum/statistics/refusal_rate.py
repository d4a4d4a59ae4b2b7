"""The rate of refusals behind the verdicts of a judge that is not always right.

Rogan and Gladen 1978: of a judge with sensitivity Se and specificity Sp that calls a share a of all answers a refusal,
p = (a + Sp − 1) / (Se + Sp − 1), cut to [0, 1]. The interval carries all three uncertainties: each share is a
confidence box (Ferson et al. 2013), Beta(k, n − k + 1) at its lower and Beta(k + 1, n − k) at its upper end, whose
quantiles are the Clopper-Pearson limits; the limits of p are quantiles of p over draws of the ends that make it least
and greatest. A rate that is cut keeps the bound of so many answers of which none (or all) are refusals, widened by what
the judge misses.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.metrics import TooFew, _scored, _spread
from probatum.statistics.task_metrics import SMALL, share

DRAWS = 4000
METHOD = "Rogan-Gladen by confidence boxes of the sample, the sensitivity and the specificity"


class Judge(NamedTuple):
    """A judge's sensitivity and specificity, and of how many answers each was measured as if they were independent."""

    sensitivity: float
    refusals: float
    specificity: float
    others: float


def corrected(found: float, n: float, judge: Judge, *, level: float = 0.95) -> tuple[float, float, float]:
    """(rate, low, high) of refusals where a judge found ``found`` among ``n`` answers (both may be effective numbers).

    Raises `BadInput` for a judge that is no better than a coin: its verdicts say nothing, least of all "perfect".
    """
    se, sp = judge.sensitivity, judge.specificity
    if not se + sp > 1:
        raise BadInput(
            f"a judge with sensitivity {se:.3g} and specificity {sp:.3g} tells nothing about refusals: "
            "their sum must be above 1"
        )
    rate = float(_rate(found / n, se, sp))
    rng = keyed("refusal rate", DRAWS)
    sure, pure = (se * judge.refusals, judge.refusals), (sp * judge.others, judge.others)
    least = _rate(_low(found, n, rng), _high(*sure, rng), _low(*pure, rng))
    most = _rate(_high(found, n, rng), _low(*sure, rng), _high(*pure, rng))
    low = float(np.clip(_quantile(least, (1 - level) / 2), 0, 1))
    high = float(np.clip(_quantile(most, (1 + level) / 2), 0, 1))
    if rate <= 0:  # no false alarm among them: those that were missed remain
        high = max(high, min(1.0, _quantile(_high(0, n, rng) / _low(*sure, rng), (1 + level) / 2)))
    if rate >= 1:
        low = min(low, max(0.0, 1 - _quantile((1 - _low(n, n, rng)) / _low(*pure, rng), (1 + level) / 2)))
    value = float(np.clip(rate, 0, 1))
    return value, min(low, value), max(high, value)


def refusal_rate(name: str) -> Metric:
    """The rate of refusals: values are the judge's verdicts (1: a refusal), its quality travels in the parameters.

    ``scores.parameters`` holds ``sensitivity``, ``refusals``, ``specificity`` and ``others`` (see `Judge`). Answers of
    the kind "missing" were not judged: their values are certain. The breakdown holds the apparent rate, and groups.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values, truth = _scored(scores, truth)
        if not len(values):
            raise TooFew("no item could be scored")
        try:
            judge = Judge(**{field: scores.parameters[field] for field in Judge._fields})
        except KeyError as error:
            raise BadInput(f"a rate of refusals needs the judge's {error} among the parameters of its scores") from None
        kinds = scores.kinds or ("answered",) * len(scores)
        judged = np.array([kinds[i] != "missing" for i in np.flatnonzero(scores.scored)])
        parts = {"as judged, not corrected": share(values, truth.cluster, truth.seed, name)}
        if truth.group is not None:
            for group in np.unique(truth.group.astype(str)):
                own = truth.group.astype(str) == group
                cluster = None if truth.cluster is None else truth.cluster[own]
                part = _estimate(name, values[own], judged[own], cluster, judge)
                small = f"; fewer than {SMALL} items" if own.sum() < SMALL else ""
                parts[str(group)] = dataclasses.replace(part, method=part.method + small)
        estimate = _estimate(name, values, judged, truth.cluster, judge)
        per_record = np.where(judged, _rate(values, judge.sensitivity, judge.specificity), values)
        spread = _spread(scores, per_record, np.ones(len(values), bool))
        exact = bool(np.isclose(per_record.mean(), estimate.value))  # a rate that was cut is no mean
        return Result(estimate, breakdown=parts, contributions=spread if exact else None)

    metric.__name__ = "refusal_rate"
    return metric


def effective(values: np.ndarray, cluster: np.ndarray | None) -> float:
    """How many independent zeros and ones say as much as these: fewer where those of a cluster are alike."""
    n = len(values)
    if cluster is None or n == 0:
        return float(n)
    _, unit = np.unique(cluster.astype(str), return_inverse=True)
    units, mean = int(unit.max()) + 1, float(values.mean())
    if units == n or units < 2 or mean in (0.0, 1.0):
        return float(units)
    residual = np.bincount(unit, weights=values - mean)
    variance = units / (units - 1) * float((residual**2).sum()) / n**2
    return float(np.clip(mean * (1 - mean) / variance, 1, n)) if variance > 0 else float(n)


def _estimate(name: str, values: np.ndarray, judged: np.ndarray, cluster: np.ndarray | None, judge: Judge) -> Estimate:
    """Judged answers are corrected; missing ones count as what they are, at their share."""
    n, seen = len(values), values[judged]
    units = effective(values, cluster)
    if not len(seen):
        return share(values, cluster, 0, name)
    certain, part = float(values[~judged].sum()) / n, len(seen) / n
    size = max(1.0, effective(seen, None if cluster is None else cluster[judged]))
    rate = corrected(float(seen.mean()) * size, size, judge)
    value, low, high = (certain + part * x for x in rate)
    return Estimate(name, value, low, high, round(units), METHOD)


def _rate(apparent: Any, se: Any, sp: Any) -> Any:
    """Not cut; NaN where a draw has the judge blind."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.divide(np.asarray(apparent, dtype=float) + sp - 1, np.asarray(se + sp - 1, dtype=float))
    return np.where(np.asarray(se + sp) > 1, rate, np.nan)


def _low(k: float, n: float, rng: np.random.Generator) -> np.ndarray:
    return rng.beta(k, n - k + 1, DRAWS) if k > 0 else np.zeros(DRAWS)


def _high(k: float, n: float, rng: np.random.Generator) -> np.ndarray:
    return rng.beta(k + 1, n - k, DRAWS) if n - k > 1e-9 else np.ones(DRAWS)


def _quantile(draws: np.ndarray, q: float) -> float:
    """Draws in which the judge is blind bound nothing."""
    blind = np.isnan(draws)
    return float(np.quantile(np.where(blind, -np.inf if q < 0.5 else np.inf, draws), q, method="nearest"))
