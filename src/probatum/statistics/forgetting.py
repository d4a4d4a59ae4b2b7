"""Metrics of what a repaired model holds and lost: a mean without bounds, an area, and TOFU's model utility."""

from __future__ import annotations

import dataclasses

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import bootstrap, clopper_pearson
from probatum.statistics.metrics import TooFew, _estimate, _scored, _spread
from probatum.statistics.task_metrics import share

_DRAWS = 1000
#: The columns of `model_utility`: the values, then what stands beside them.
COLUMNS = ("probability", "ROUGE-L", "1 - truth ratio")


def average(name: str) -> Metric:
    """The mean of values without bounds, such as a divergence, with a breakdown by group; bootstrap by cluster."""

    def metric(scores: Scores, truth: Truth) -> Result:
        values, truth = _scored(scores, truth)
        if not len(values):
            raise TooFew("no record could be scored")
        parts = {}
        if truth.group is not None:
            for group in np.unique(truth.group.astype(str)):
                own = truth.group.astype(str) == group
                parts[str(group)] = _mean(name, values[own], _cut(truth.cluster, own), truth.seed)
        estimate = _mean(name, values, truth.cluster, truth.seed)
        return Result(estimate, breakdown=parts, contributions=_spread(scores, values, np.ones(len(values), bool)))

    metric.__name__ = "average"
    return metric


def ratio_share(name: str) -> Metric:
    """The mean of R / (1 + R) of ratios R >= 0: half where both sides are alike, and no ratio outweighs the rest.

    A mean of ratios is one of its largest values: of golds it was 33 and 62. Contributions and breakdown likewise.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values = np.where(np.isinf(scores.values), 1.0, scores.values / (1 + scores.values))
        return average(name)(dataclasses.replace(scores, values=values), truth)

    metric.__name__ = "ratio_share"
    return metric


def area(scores: Scores, truth: Truth) -> Result:
    """The mean of V10, each record's share of other records below it (ties half): an AUROC with DeLong's interval.

    The variance on the other side, and its number of units, come as ``scores.parameters``: "other variance", the
    variance of the mean of V01, and "other units". Logit scale; at 0 and 1 the rule of three (`roc.delong_interval`).
    """
    from scipy.special import expit, logit, ndtri

    values, truth = _scored(scores, truth)
    units = len(values) if truth.cluster is None else len(np.unique(truth.cluster.astype(str)))
    least = int(min(units, scores.parameters["other units"]))
    if least < 2:
        raise TooFew(f"too few units: {least} on one of the sides, an area needs 2")
    value = float(values.mean())
    spread = variance_of_mean(values, truth.cluster) + scores.parameters["other variance"]
    spread_of = _spread(scores, values, np.ones(len(values), bool))
    if spread <= 1e-24 or not 0 < value < 1:
        slack = 1 - clopper_pearson(least, least).low
        low, high, how = value - slack * value, value + slack * (1 - value), "rule of three on disjoint pairs"
    else:
        half = float(ndtri(0.975)) * spread**0.5 / (value * (1 - value))
        low, high = float(expit(logit(value) - half)), float(expit(logit(value) + half))
        how = "DeLong logit" + " by cluster" * (truth.cluster is not None)
    return Result(Estimate("AUROC", value, low, high, units, how), contributions=spread_of)


def variance_of_mean(values: np.ndarray, cluster: np.ndarray | None) -> float:
    """Variance of the mean of values that come in units: K/(K − 1) Σ_u (Σ_(i in u) (x_i − mean))² / n²."""
    off = values - values.mean()
    if cluster is not None:
        _, unit = np.unique(cluster.astype(str), return_inverse=True)
        off = np.bincount(unit, weights=off)
    return float(len(off) / max(len(off) - 1, 1) * (off**2).sum() / len(values) ** 2)


def harmonic_utility(scores: Scores, truth: Truth) -> Result:
    """The harmonic mean, over groups and the columns `COLUMNS`, of the mean in each group (TOFU's model utility).

    A column of which a group has no value does not count for it; the method says how many numbers there were. The
    bootstrap draws clusters within groups.
    """
    keep = np.flatnonzero(scores.scored)
    if scores.null is None or not len(keep):
        raise TooFew("no record could be scored")
    rows, truth = np.column_stack([scores.values[keep], scores.null[keep]]), truth.take(keep)
    group = np.full(len(rows), "all") if truth.group is None else truth.group.astype(str)
    unit = np.arange(len(rows)).astype(str) if truth.cluster is None else truth.cluster.astype(str)
    rng, cells, drawn, parts = keyed(truth.seed, "model utility"), [], [], {}
    for name in np.unique(group):
        own = group == name
        _, code = np.unique(unit[own], return_inverse=True)
        size = code.max() + 1
        chosen = rng.integers(size, size=(_DRAWS, size))
        for column, values in zip(COLUMNS, rows[own].T, strict=True):
            there = np.isfinite(values)
            if not there.any():
                continue
            total = np.bincount(code[there], weights=values[there], minlength=size)
            count = np.bincount(code[there], minlength=size)
            with np.errstate(invalid="ignore"):  # units without a value may be drawn alone
                drawn.append(total[chosen].sum(1) / count[chosen].sum(1))
            cells.append(float(values[there].mean()))
            cluster = _cut(truth.cluster, own)
            parts[f"{name}, {column}"] = share(values[there], _cut(cluster, there), truth.seed, column)
    again = harmonic(np.array(drawn))
    again = again[np.isfinite(again)]
    low, high = np.quantile(again, [0.025, 0.975])
    how = f"harmonic mean of {len(cells)} numbers, percentile bootstrap by unit within groups"
    value = float(harmonic(np.array(cells)[:, None])[0])
    estimate = Estimate("model utility", value, float(low), float(high), len(np.unique(unit)), how)
    return Result(estimate, breakdown=parts)


def harmonic(numbers: np.ndarray) -> np.ndarray:
    """Harmonic mean of each column of numbers in [0, 1]; 0 where one of them is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(len(numbers) / (1 / numbers).sum(0))


def _mean(name: str, values: np.ndarray, cluster: np.ndarray | None, seed: int) -> Estimate:
    units = len(values) if cluster is None else len(np.unique(cluster.astype(str)))
    if units < 2:
        return Estimate(name, float(values.mean()), None, None, units, "one unit: no interval", kind="point")
    return _estimate(name, bootstrap(values, np.mean, rng=keyed(seed, name), clusters=cluster))


def _cut(column: np.ndarray | None, keep: np.ndarray) -> np.ndarray | None:
    return None if column is None else column[keep]
