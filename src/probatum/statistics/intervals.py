"""Intervals: how far a rate, a mean or any statistic may lie from what the sample shows.

Clopper and Pearson 1934 for a rate; Newcombe 1998 (Statistics in Medicine 17:873, method 10) for a difference
of rates; Student for a mean; Efron's percentile bootstrap, by cluster and within strata, for everything else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Floats, codes, finite, fraction

_CELLS = 2_000_000  # numbers drawn at a time: 16 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its two-sided confidence limits.

    ``n`` counts the *independent* units behind the value: clusters where clusters were given, else records.
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str


def clopper_pearson_limits(hits: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact limits B(a/2; k, n-k+1) and B(1-a/2; k+1, n-k) of k ``hits`` in ``n``, elementwise."""
    from scipy.special import betaincinv

    alpha = 1 - fraction(level, "level")
    k, total = np.broadcast_arrays(np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if (total < 1).any():
        raise ValueError("a rate needs at least one trial: no data is 'not run', never 0.")
    if not ((k >= 0) & (k <= total)).all():
        raise ValueError("hits must lie between 0 and n.")
    # the beta quantile does not exist at k = 0 (low) and k = n (high): the limits there are 0 and 1
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), total - k + 1, alpha / 2), 0.0)
    high = np.where(k < total, betaincinv(k + 1, np.maximum(total - k, 1), 1 - alpha / 2), 1.0)
    return low, high


def clopper_pearson(hits: int, n: int, *, level: float = 0.95) -> Interval:
    """Return the rate ``hits / n`` with its exact interval: coverage is never below ``level``."""
    low, high = clopper_pearson_limits(hits, n, level=level)
    return Interval(hits / n, float(low), float(high), level, int(n), "Clopper-Pearson")


def newcombe(hits_a: int, n_a: int, hits_b: int, n_b: int, *, level: float = 0.95) -> Interval:
    """Return the difference of two independent rates, a - b, with Newcombe's hybrid score interval."""
    low_a, high_a = _wilson(hits_a, n_a, level)
    low_b, high_b = _wilson(hits_b, n_b, level)
    a, b = hits_a / n_a, hits_b / n_b
    low = a - b - float(np.hypot(a - low_a, high_b - b))
    high = a - b + float(np.hypot(high_a - a, b - low_b))
    return Interval(a - b, max(low, -1.0), min(high, 1.0), level, int(n_a + n_b), "Newcombe hybrid score")


def mean_t(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the mean of independent ``values`` with Student's interval; equal values give it no width."""
    from scipy.special import stdtrit

    x = finite(values, "values", least=2)
    half = float(stdtrit(len(x) - 1, (1 + fraction(level, "level")) / 2)) * float(x.std(ddof=1)) / len(x) ** 0.5
    return Interval(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half, level, len(x), "Student t")


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[Any], float],
    *,
    rng: np.random.Generator,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = 2000,
    strata: ArrayLike | None = None,
) -> Interval:
    """Return ``statistic(values)`` with a percentile interval over resampled units.

    Parameters
    ----------
    values
        Shape (n,) or (n, columns): one row per record; the statistic gets rows in the same shape.
    statistic
        Any function of the rows that ignores their order. ``np.mean`` of one column takes a vectorized path.
    clusters
        Unit of each record, shape (n,); whole units are drawn. Default: every record is a unit.
    strata
        Stratum of each record, shape (n,); units are drawn within it, as many as it has, so that a two-sample
        statistic never loses a class. A unit must not straddle strata, and a stratum needs two units.

    Notes
    -----
    Rows are put in a canonical order before drawing: the interval does not depend on the order of the
    records. A rate of 0 or 1 resamples to itself: use ``clopper_pearson`` for rates.
    """
    alpha = 1 - fraction(level, "level")
    x = np.asarray(values, dtype=np.float64)
    if x.ndim not in (1, 2) or len(x) < 2:
        raise ValueError(f"values must have shape (n,) or (n, columns) with n >= 2, got {x.shape}.")
    if np.isnan(x).any():
        raise ValueError("values must not hold NaN; drop unscored records first.")
    if draws < 2:
        raise ValueError(f"draws must be at least 2, got {draws}.")
    unit, stratum = codes(clusters, len(x)), np.zeros(len(x), dtype=np.intp)
    if strata is not None:
        stratum = codes(strata, len(x), "strata")
    columns = x.reshape(len(x), -1).T[::-1]
    order = np.lexsort((*columns, unit, stratum) if clusters is not None else (*columns, stratum))
    x, stratum = x[order], stratum[order]
    unit = unit[order] if clusters is not None else np.arange(len(x))
    starts = np.flatnonzero(np.r_[True, (unit[1:] != unit[:-1]) | (stratum[1:] != stratum[:-1])])
    if len(starts) != len(np.unique(unit)):
        raise ValueError("a cluster must lie in one stratum only.")
    sizes = np.diff(np.r_[starts, len(x)])
    groups = [np.flatnonzero(stratum[starts] == s) for s in np.unique(stratum)]
    if min(map(len, groups)) < 2:
        raise ValueError("the bootstrap needs at least two units in every stratum.")

    def draw(times: int) -> Any:
        return np.hstack([g[rng.integers(len(g), size=(times, len(g)))] for g in groups])

    if statistic is np.mean and x.ndim == 1:
        sums = np.add.reduceat(x, starts)
        value, parts = float(x.mean()), []
        step = max(1, _CELLS // len(starts))
        for done in range(0, draws, step):
            chosen = draw(min(step, draws - done))
            parts.append(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
        replicates = np.concatenate(parts)
    else:
        value = float(statistic(x))
        rows = [np.arange(a, a + k) for a, k in zip(starts, sizes, strict=True)]
        replicates = np.array([statistic(x[np.concatenate([rows[u] for u in draw(1)[0]])]) for _ in range(draws)])
    if not np.isfinite(replicates).all():
        lost = int((~np.isfinite(replicates)).sum())
        raise ValueError(f"the statistic was undefined on {lost} of {draws} resamples; give strata or more units.")
    low, high = np.quantile(replicates, [alpha / 2, 1 - alpha / 2])
    method = "percentile bootstrap" if clusters is None else "percentile bootstrap by cluster"
    return Interval(value, float(low), float(high), level, len(starts), method)


def _wilson(hits: int, n: int, level: float) -> tuple[float, float]:
    """Return Wilson's score limits, the roots of (p - k/n)^2 = z^2 p(1-p)/n."""
    from scipy.special import ndtri

    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"hits must lie between 0 and n, and n be at least 1, got {hits} of {n}.")
    z2 = float(ndtri((1 + fraction(level, "level")) / 2)) ** 2
    center = (hits + z2 / 2) / (n + z2)
    half = (z2 * (hits * (n - hits) / n + z2 / 4)) ** 0.5 / (n + z2)
    # at k = 0 and k = n one root is exactly 0 or 1; rounding must not push the limit past the rate
    return (0.0 if hits == 0 else center - half), (1.0 if hits == n else center + half)
