"""What is made of graded answers: a rate or a mean with its interval, by group, and nothing tested.

A rate of zero of n keeps its exact upper bound. Where items form clusters (one question in several forms), clusters are
what is resampled, and the effective number is theirs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import bootstrap, clopper_pearson, clopper_pearson_limits
from probatum.statistics.metrics import TooFew, _scored, _spread

#: A group smaller than this says so beside its number.
SMALL = 30


def rate(name: str) -> Metric:
    """The share of items with value 1 (values in [0, 1]: their mean), with a breakdown by group."""

    def metric(scores: Scores, truth: Truth) -> Result:
        values, truth = _scored(scores, truth)
        if not len(values):
            raise TooFew("no item could be scored")
        parts = {}
        if truth.group is not None:
            for group in np.unique(truth.group.astype(str)):
                own = truth.group.astype(str) == group
                cluster = None if truth.cluster is None else truth.cluster[own]
                part = share(values[own], cluster, truth.seed, name)
                small = f"; fewer than {SMALL} items" if own.sum() < SMALL else ""
                parts[str(group)] = dataclasses.replace(part, method=part.method + small)
        everything = np.ones(len(values), bool)
        estimate = share(values, truth.cluster, truth.seed, name)
        return Result(estimate, breakdown=parts, contributions=_spread(scores, values, everything))

    metric.__name__ = "rate"
    return metric


def share(values: np.ndarray, cluster: np.ndarray | None, seed: int, name: str) -> Estimate:
    """The mean of values in [0, 1]: Clopper-Pearson for independent zeros and ones, else by resampling units.

    Where all units agree a bootstrap has no width; then the bound is the exact one for that many units.
    """
    binary = bool(np.isin(values, (0, 1)).all())
    units = len(values) if cluster is None else len(np.unique(cluster.astype(str)))
    mean = float(values.mean())
    if binary and units == len(values):
        i = clopper_pearson(int(values.sum()), len(values))
        return Estimate(name, i.value, i.low, i.high, i.n, i.method)
    low = high = mean
    method = "percentile bootstrap by cluster" if cluster is not None else "percentile bootstrap"
    if units > 1:
        interval = bootstrap(values, np.mean, rng=keyed(seed, name), clusters=cluster)
        low, high = interval.low, interval.high
    if low == high:
        bounds = clopper_pearson_limits([np.floor(mean * units), np.ceil(mean * units)], units)
        low, high, method = float(bounds[0][0]), float(bounds[1][1]), f"Clopper-Pearson of {units} units that agree"
    return Estimate(name, mean, low, high, units, method)


def mean_of(name: str, low: float, high: float) -> Metric:
    """The mean of values between ``low`` and ``high``, such as a correlation's products or a rank, by bootstrap."""

    def metric(scores: Scores, truth: Truth) -> Result:
        scaled = dataclasses.replace(scores, values=(scores.values - low) / (high - low))
        return _scaled(rate(name)(scaled, truth), lambda x: low + x * (high - low))

    metric.__name__ = "mean_of"
    return metric


def statistic(name: str, of: Callable[[np.ndarray], float], *, least: int = 10) -> Metric:
    """Any function of the values (rows of ``scores.values``, or with ``scores.null`` of its columns beside them).

    The function gets shape (n, 1 + columns): the value first, then what stands beside it. The interval is a
    percentile bootstrap over clusters; where the function is not defined, there is no score.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        keep = np.flatnonzero(scores.scored)
        if len(keep) < least:
            raise TooFew(f"too few items: {len(keep)} could be scored, {name} needs {least}")
        beside = scores.null[keep] if scores.null is not None else np.zeros((len(keep), 0))
        rows = np.column_stack([scores.values[keep], beside])
        value = of(rows)
        if not np.isfinite(value):
            raise TooFew(f"{name} is not defined: all answers are alike")
        cluster = None if truth.cluster is None else truth.cluster[keep]
        low, high = _drawn(rows, of, cluster, keyed(truth.seed, name))
        return Result(Estimate(name, float(value), low, high, len(keep), "percentile bootstrap"))

    metric.__name__ = "statistic"
    return metric


def _drawn(
    rows: np.ndarray, of: Callable[[np.ndarray], float], cluster: np.ndarray | None, rng: np.random.Generator
) -> tuple[float, float]:
    names = np.arange(len(rows)).astype(str) if cluster is None else cluster.astype(str)
    _, unit = np.unique(names, return_inverse=True)
    members = [np.flatnonzero(unit == u) for u in range(unit.max() + 1)]
    drawn = []
    for _ in range(1000):
        index = np.concatenate([members[u] for u in rng.integers(len(members), size=len(members))])
        drawn.append(of(rows[index]))
    values = np.array(drawn)[np.isfinite(drawn)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _scaled(result: Result, to: Callable[[float], float]) -> Result:
    def limit(x: float | None) -> float | None:
        return None if x is None else to(x)

    def turn(e: Estimate) -> Estimate:
        return dataclasses.replace(e, value=to(e.value), low=limit(e.low), high=limit(e.high))

    parts = {name: turn(e) for name, e in result.breakdown.items()}
    spread = None if result.contributions is None else np.array([to(x) for x in result.contributions])
    return dataclasses.replace(result, estimate=turn(result.estimate), breakdown=parts, contributions=spread)
