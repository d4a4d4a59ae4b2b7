"""A repaired model against models that never saw what it was to forget: the distribution of golds, never one of them.

Two golds differ by initialization and order of training alone, so a repaired model is told from gold only where it lies
further off than golds lie from one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from probatum.core.draws import keyed


class Band(NamedTuple):
    """Where one more gold would lie (two-sided, 95 %), its center, and the p-value that ``value`` is one."""

    center: float
    low: float
    high: float
    p_value: float


def band(value: float, error: float, golds: Sequence[float], errors: Sequence[float]) -> Band:
    """The prediction interval of one more gold, with the error of measuring it.

    Parameters
    ----------
    value, error
        The repaired model's estimate and its standard error.
    golds, errors
        The same of every gold, one or more.

    Notes
    -----
    The variance of value − mean(golds) is s²(1 + 1/k), s² the variance between golds, which already holds their own
    errors of measurement; to it comes error², since a repaired model may be measured less well. The degrees of freedom
    are Welch's and Satterthwaite's, with k − 1 for s². With one gold or two there is no s² to speak of: the errors of
    measurement alone stand for it, and the band is too narrow by what training adds.
    """
    from scipy import stats

    center = float(np.mean(golds))
    k = len(golds)
    measured = error**2 + float(np.mean(np.square(errors))) / k
    freedom = np.inf
    if k >= 3:
        between = float(np.var(golds, ddof=1)) * (1 + 1 / k)
        total = between + measured
        if between > 0:
            freedom = total**2 / (between**2 / (k - 1))
    else:
        total = measured
    spread = float(np.sqrt(total))
    off = abs(value - center)
    if spread == 0:
        return Band(center, center, center, 1.0 if off == 0 else 0.0)
    half = float(stats.t.ppf(0.975, freedom)) * spread
    return Band(center, center - half, center + half, float(2 * stats.t.sf(off / spread, freedom)))


class Distance(NamedTuple):
    """Kolmogorov and Smirnov's D with an interval, and its exact or asymptotic p-value."""

    value: float
    low: float
    high: float
    p_value: float


def ks_distance(a: np.ndarray, b: np.ndarray, *, seed: int = 0, draws: int = 400) -> Distance:
    """D = sup |F_a − F_b| between two samples; TOFU's forget quality is its p-value (arXiv 2401.06121).

    D is printed beside p, since p shrinks with the number of questions whatever the distance is. A bootstrap of D
    itself lies too high (a sup is never below its noise; its 95 % interval held the truth in 76 % of trials), so the
    interval is D ± the 95 % quantile of sup |(F_a* − F_b*) − (F_a − F_b)|, which errs on the wide side.
    """
    from scipy import stats

    a, b = (np.sort(np.asarray(x, float)[np.isfinite(x)]) for x in (a, b))
    found = stats.ks_2samp(a, b)
    value, rng, grid = float(found.statistic), keyed(seed, "ks"), np.concatenate([a, b])

    def steps(sample: np.ndarray, times: np.ndarray) -> np.ndarray:
        """F of a sample in which every value stands so many times, at the grid."""
        sums = np.concatenate([[0], np.cumsum(times)])
        return sums[np.searchsorted(sample, grid, side="right")] / len(sample)

    seen = steps(a, np.ones(len(a))) - steps(b, np.ones(len(b)))
    off = [np.abs(steps(a, _again(a, rng)) - steps(b, _again(b, rng)) - seen).max() for _ in range(draws)]
    half = float(np.quantile(off, 0.95))
    return Distance(value, max(value - half, 0.0), min(value + half, 1.0), float(found.pvalue))


def _again(sample: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often each value is drawn in a bootstrap sample."""
    return rng.multinomial(len(sample), np.full(len(sample), 1 / len(sample)))
