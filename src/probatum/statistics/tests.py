"""Tests: how often chance alone would do as well. Every p-value says of what kind it is.

``exact`` is the law itself, ``permutation`` a sample of relabelings with the +1 of Phipson and Smyth 2010,
``decoy`` a rank among decoys, ``asymptotic`` a normal limit, ``bound`` an upper bound, ``none`` no test. All
but ``asymptotic`` satisfy P(p <= a) <= a at every sample size.
"""

import sys
from math import comb
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Floats, codes, finite, pair_codes, sample
from probatum.statistics._resampling import LIMIT, flip_sums, split_sums
from probatum.statistics.roc import midranks

Kind = Literal["exact", "permutation", "decoy", "asymptotic", "bound", "none"]
Alternative = Literal["two-sided", "greater", "less"]


class PValue(NamedTuple):
    """A p-value and how it was made."""

    value: float
    kind: Kind


def mann_whitney(
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    clusters: tuple[ArrayLike, ArrayLike] | None = None,
    rng: np.random.Generator | None = None,
    draws: int = 9_999,
) -> PValue:
    """Test whether positives, shape (m,), and negatives, shape (n,), rank alike (AUC = 1/2), two-sided.

    Parameters
    ----------
    clusters
        Unit labels of the positives and of the negatives. Labels are then permuted over whole units, so a
        unit must not hold both; ``rng`` (default: seed 0) draws the permutations where they are too many to
        list.

    Notes
    -----
    Small samples are exact: by recursion without ties, by listing every split with ties. Otherwise the normal
    limit with tie and continuity corrections (Hollander and Wolfe, ch. 4). By cluster the statistic is |AUC -
    1/2|.
    """
    pos, neg = sample(positive, "positive"), sample(negative, "negative")
    m, n = len(pos), len(neg)
    together = np.concatenate([pos, neg])
    ranks = midranks(together)
    ties = np.unique(together, return_counts=True)[1].astype(np.float64)
    if clusters is None and ties.max() == 1 and max(m, n) <= 40:
        from scipy.stats import mannwhitneyu

        return PValue(min(1.0, float(mannwhitneyu(pos, neg, method="exact").pvalue)), "exact")
    if clusters is None and comb(m + n, m) > LIMIT:
        from scipy.special import ndtr

        u = ranks[:m].sum() - m * (m + 1) / 2
        variance = m * n / 12 * (m + n + 1 - (ties**3 - ties).sum() / ((m + n) * (m + n - 1)))
        distance = max(abs(u - m * n / 2) - 0.5, 0.0)
        return PValue(min(1.0, 2 * float(ndtr(-distance / variance**0.5))) if variance > 0 else 1.0, "asymptotic")
    units = pair_codes(clusters, m, n)
    shared = np.intersect1d(*units)
    if len(shared):
        raise ValueError(f"labels must be constant within a cluster, but {len(shared)} clusters hold both kinds.")
    unit = np.concatenate(units)
    columns = np.column_stack([np.bincount(unit, weights=ranks), np.bincount(unit)]).astype(np.float64)
    sums, complete = split_sums(columns, len(np.unique(units[0])), rng=rng or np.random.default_rng(0), draws=draws)
    return _share(
        _auc_distance(sums, m + n), float(_auc_distance(np.array([[ranks[:m].sum(), m]]), m + n)[0]), complete
    )


def binomial_tail(hits: int, n: int, p: float) -> PValue:
    """Return P(X >= hits) for X ~ Binomial(n, p), as the incomplete beta function I_p(hits, n - hits + 1)."""
    from scipy.special import betainc

    if n < 0 or not 0 <= p <= 1:
        raise ValueError(f"a binomial needs n >= 0 and p in [0, 1], got n = {n} and p = {p}.")
    if hits <= 0 or hits > n:
        return PValue(float(hits <= 0), "exact")
    return PValue(float(betainc(hits, n - hits + 1, p)), "exact")


def poisson_binomial_tail(hits: int, probabilities: ArrayLike) -> PValue:
    """Return P(X >= hits) for X a sum of independent coins of the given probabilities, shape (n,).

    Notes
    -----
    Runs the recursion over the counts 0..hits-1 with the tail as absorbing state. Only products and sums of
    positive numbers occur, so a tail of 1e-45 keeps its digits where 1 - P(X < hits) would be 0. A tail below
    the smallest normal float is reported as that float: a bound, and never 0 for what is possible. Cost O(n
    hits).
    """
    p = finite(probabilities, "probabilities", least=0)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("every probability must lie in [0, 1].")
    k = hits - int((p == 1).sum())
    p = np.sort(p[(p > 0) & (p < 1)])
    if k <= 0 or k > len(p):
        return PValue(float(k <= 0), "exact")
    state, tail = np.zeros(k), 0.0
    state[0] = 1.0
    for coin in p:
        tail += state[-1] * coin
        state[1:] = state[1:] * (1 - coin) + state[:-1] * coin
        state[0] *= 1 - coin
    if tail < sys.float_info.min:
        return PValue(sys.float_info.min, "bound")
    return PValue(min(1.0, float(tail)), "exact")


def poisson_tail(hits: int, mean: float) -> PValue:
    """Return P(X >= hits) for X ~ Poisson(mean), as the incomplete gamma function P(hits, mean)."""
    from scipy.special import gammainc

    if not 0 <= mean < float("inf"):
        raise ValueError(f"mean must be finite and not negative, got {mean}.")
    tail = 1.0 if hits <= 0 else float(gammainc(hits, mean))
    if mean > 0 and tail < sys.float_info.min:
        return PValue(sys.float_info.min, "bound")
    return PValue(tail, "exact")


def sign_flip(
    values: ArrayLike,
    *,
    floor: float = 0.0,
    clusters: ArrayLike | None = None,
    alternative: Literal["two-sided", "greater"] = "two-sided",
    rng: np.random.Generator | None = None,
    draws: int = 20_000,
) -> PValue:
    """Test paired differences ``values``, shape (n,): is their mean effect larger than ``floor``?

    Parameters
    ----------
    floor
        Smallest effect worth naming, >= 0. The null is mean <= floor ("greater") or |mean| <= floor
        ("two-sided").
    clusters
        Unit of each value; values are averaged per unit, and units count alike.
    rng
        Draws the flips beyond 16 units (default: seed 0).

    Notes
    -----
    Under the null the shifted unit means x - floor are symmetric about a center <= 0, so every pattern of
    signs is at least as likely to reach the observed sum. The other side tests -x - floor; two-sided p =
    min(1, 2 min).
    """
    x = finite(values, "values")
    if not 0 <= floor < float("inf"):
        raise ValueError(f"floor must be finite and not negative, got {floor}.")
    if alternative not in ("two-sided", "greater"):
        raise ValueError(f"alternative must be 'two-sided' or 'greater', got {alternative!r}.")
    unit = codes(clusters, len(x))
    means = np.bincount(unit, weights=x) / np.bincount(unit)
    sides = np.column_stack([means - floor, -means - floor])[:, : 2 if alternative == "two-sided" else 1]
    sums, complete = flip_sums(sides, rng=rng or np.random.default_rng(0), draws=draws)
    tails = [
        _share(sums[:, i], float(sides[:, i].sum()), complete, float(np.abs(sides).sum()))
        for i in range(sides.shape[1])
    ]
    return PValue(min(1.0, len(tails) * min(tails).value), tails[0].kind)


def permutation_two_sample(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    draws: int = 9_999,
) -> PValue:
    """Test whether the means of ``a``, shape (m,), and ``b``, shape (n,), differ, by relabeling."""
    first, second = finite(a, "a"), finite(b, "b")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"alternative must be 'two-sided', 'greater' or 'less', got {alternative!r}.")
    m = len(first)
    together = np.concatenate([first, second])
    together = together - together.mean()  # then mean(a) - mean(b) is proportional to the sum over a
    sums, complete = split_sums(together[:, None], m, rng=rng, draws=draws)
    null, observed = sums[:, 0], float(together[:m].sum())
    if alternative == "two-sided":
        null, observed = np.abs(null), abs(observed)
    elif alternative == "less":
        null, observed = -null, -observed
    return _share(null, observed, complete, float(np.abs(together).sum()))


def decoy_p(value: ArrayLike, decoys: ArrayLike) -> Floats:
    """Return (1 + #{decoys >= value}) / (1 + K) for each value, shape (n,), and its decoys, shape (n, K).

    A scalar value takes decoys of shape (K,) and gives an array of shape (). Ties count against the value.
    """
    v, d = np.asarray(value, dtype=np.float64), np.asarray(decoys, dtype=np.float64)
    if d.ndim == 0 or d.shape[:-1] != v.shape:
        raise ValueError(f"decoys must have the shape of value and one more axis, got {v.shape} and {d.shape}.")
    if np.isnan(v).any() or np.isnan(d).any():
        raise ValueError("value and decoys must not hold NaN; drop unscored records first.")
    p: Floats = np.asarray((1 + (d >= v[..., None]).sum(axis=-1)) / (1 + d.shape[-1]), dtype=np.float64)
    return p


def fisher_combination(p: ArrayLike) -> PValue:
    """Combine independent p-values, shape (k,): P(chi2_2k >= -2 sum log p), Fisher 1932.

    Discrete (super-uniform) p-values make it conservative, hence a bound. A p-value of 0 can only have
    underflowed, and counts as the smallest normal float.
    """
    from scipy.special import gammaincc

    values = _p_values(p)
    if len(values) == 0:
        raise ValueError("there is nothing to combine: p is empty.")
    total = -np.log(np.maximum(values, sys.float_info.min)).sum()
    return PValue(max(float(gammaincc(len(values), total)), sys.float_info.min), "bound")


def holm(p: ArrayLike) -> Floats:
    """Return adjusted p-values, shape (k,): max over i' <= i of (k - i' + 1) p_(i') (Holm 1979)."""
    values = _p_values(p)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _p_values(p: ArrayLike) -> Floats:
    values = sample(p, "p", least=0)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("every p-value must lie in [0, 1].")
    return values


def _auc_distance(sums: Floats, n: int) -> Floats:
    """Return |AUC - 1/2| of splits given as (rank sum, number) of their positives, shape (b, 2)."""
    rank_sum, m = sums[:, 0], sums[:, 1]
    distance: Floats = np.abs((rank_sum - m * (m + 1) / 2) / (m * (n - m)) - 0.5)
    return distance


def _share(null: Floats, observed: float, complete: bool, scale: float = 1.0) -> PValue:
    """Return the share of ``null`` at or above ``observed``; its +1 version if the null was only sampled."""
    reached = int((null >= observed - 1e-12 * scale).sum())  # sums in another order differ by rounding: ties count
    return PValue(reached / len(null), "exact") if complete else PValue((1 + reached) / (1 + len(null)), "permutation")
