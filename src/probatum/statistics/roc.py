"""The ROC curve: its area, a point of it at a low false-positive rate, and how sure one may be of both.

Area: AUC = P(s+ > s-) + P(s+ = s-)/2, with the variance of DeLong, DeLong and Clarke-Pearson 1988 from
midranks (Sun and Xu 2014, O(N log N)), and of Obuchowski 1997 where records come in clusters. With psi(x, y)
= 1 if x > y, 1/2 if x = y, 0 otherwise, the components are V10_i = mean_j psi(x_i, y_j) and V01_j = mean_i
psi(x_i, y_j). Low false-positive rates: a threshold that some nonmember scored, Clopper-Pearson limits, and
never a point interpolated between two observed ones.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Codes, Floats, fraction, pair_codes, sample
from probatum.statistics.intervals import Interval, clopper_pearson, clopper_pearson_limits

Clusters = tuple[ArrayLike, ArrayLike]
_ROUNDING = 1e-24  # a variance this small is components that differ in their last digits


class Paired(NamedTuple):
    """Difference of two areas over the same records, a - b, with its limits and two-sided p-value."""

    difference: float
    low: float
    high: float
    p_value: float


class Band(NamedTuple):
    """Pointwise Clopper-Pearson band of the true-positive rate; NaN in [0, 1] where n cannot resolve it."""

    fpr: Floats
    tpr: Floats
    low: Floats
    high: Floats
    threshold: Floats


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """True-positive rate at a false-positive budget; a record is detected if it scores *above* the threshold.

    ``fpr`` is the realized rate among the negatives, with its own limits. Where ``resolvable`` is false there
    are too few negatives for the budget: value, threshold and fpr are NaN and their limits [0, 1], so that
    nobody prints them.
    """

    value: float
    low: float
    high: float
    threshold: float
    fpr: float
    fpr_low: float
    fpr_high: float
    resolvable: bool
    level: float
    n_positive: int
    n_negative: int


def midranks(x: ArrayLike) -> Floats:
    """Return the ranks 1..n of ``x``, shape (n,); tied values share the mean of their ranks."""
    _, inverse, counts = np.unique(sample(x, "x"), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def delong(positive: ArrayLike, negative: ArrayLike, *, clusters: Clusters | None = None) -> tuple[float, float]:
    """Return the area under the ROC curve and the variance of that estimate.

    Parameters
    ----------
    positive, negative
        Scores, shapes (m,) and (n,), at least two each.
    clusters
        Unit labels of the positives and of the negatives; one unit may hold both. Default: records are
        independent.
    """
    v10, v01 = _components(positive, negative)
    return float(v10.mean()), _variance(v10, v01, pair_codes(clusters, len(v10), len(v01)))


def delong_interval(
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    level: float = 0.95,
    clusters: Clusters | None = None,
    variance_factor: float = 1.0,
) -> Interval:
    """Return the area with DeLong's interval on the logit scale, which stays within (0, 1).

    Parameters
    ----------
    clusters
        Unit labels of the positives and of the negatives.
    variance_factor
        What the variance is multiplied by: above 1 for scores that learned from each other's labels, as the
        out-of-fold scores of a cross-validation did (see ``blind``).

    Notes
    -----
    At AUC 0 or 1 (and when all scores are tied) the variance estimate is 0, which is not certainty. Then all
    of the k = min(m, n) disjoint pairs (x_i, y_i) agree, an event of probability p^k, so p >= (a/2)^(1/k):
    Clopper-Pearson for k hits in k, the rule of three. The limits are [p, 1], [0, 1 - p], or (1 -+ (1 - p))/2
    for ties.
    """
    from scipy.special import expit, logit, ndtri

    v10, v01 = _components(positive, negative)
    units = pair_codes(clusters, len(v10), len(v01))
    auc, variance = float(v10.mean()), variance_factor * _variance(v10, v01, units)
    n = len(np.unique(np.concatenate(units)))
    if variance <= _ROUNDING or not 0 < auc < 1:
        k = _disjoint_pairs(units)
        slack = 1 - clopper_pearson(k, k, level=level).low
        down, up = slack * auc, slack * (1 - auc)
        return Interval(auc, auc - down, auc + up, level, n, "rule of three on disjoint pairs")
    half = ndtri((1 + fraction(level, "level")) / 2) * variance**0.5 / (auc * (1 - auc))
    low, high = expit(logit(auc) - half), expit(logit(auc) + half)
    return Interval(auc, float(low), float(high), level, n, "DeLong logit" + " by cluster" * (clusters is not None))


def paired_delong(
    positive_a: ArrayLike,
    negative_a: ArrayLike,
    positive_b: ArrayLike,
    negative_b: ArrayLike,
    *,
    level: float = 0.95,
    clusters: Clusters | None = None,
) -> Paired:
    """Compare two scores of the same records, in the same order: AUC(a) - AUC(b), normal limits and z-test.

    Notes
    -----
    If the components never vary (two perfect scores, say) the estimated variance is 0. The difference d of
    one pair lies in [-1, 1], all k disjoint pairs showed the same d, and limits and p-value follow from q =
    P(d) alone: q >= (a/2)^(1/k) gives d q -+ (1 - q), and a mean of 0 forces q <= 1/(1 + |d|), so p <= 2 (1 +
    |d|)^-k.
    """
    from scipy.special import ndtr, ndtri

    a10, a01 = _components(positive_a, negative_a)
    b10, b01 = _components(positive_b, negative_b)
    if len(a10) != len(b10) or len(a01) != len(b01):
        raise ValueError(
            f"both scores must cover the same records, got {len(a10)} and {len(b10)} positives, "
            f"{len(a01)} and {len(b01)} negatives."
        )
    units = pair_codes(clusters, len(a10), len(a01))
    difference = float(a10.mean() - b10.mean())
    variance = _variance(a10 - b10, a01 - b01, units)
    if variance <= _ROUNDING:
        k = _disjoint_pairs(units)
        q = clopper_pearson(k, k, level=level).low
        p = 1.0 if abs(difference) < 1e-12 else min(1.0, 2 * (1 + abs(difference)) ** -float(k))
        return Paired(difference, max(difference * q - (1 - q), -1.0), min(difference * q + (1 - q), 1.0), p)
    half = float(ndtri((1 + fraction(level, "level")) / 2)) * variance**0.5
    p = 2 * float(ndtr(-abs(difference) / variance**0.5))
    return Paired(difference, max(difference - half, -1.0), min(difference + half, 1.0), p)


def tpr_at_fpr(positive: ArrayLike, negative: ArrayLike, fpr: float, *, level: float = 0.95) -> OperatingPoint:
    """Return the true-positive rate at false-positive budget ``fpr``, with Clopper-Pearson limits.

    Notes
    -----
    The threshold is the k-th largest negative, k = floor(fpr (n + 1)): a further negative then exceeds it
    with probability k/(n + 1) <= fpr. Fewer than ceil(1/fpr) negatives cannot show such a rate: not
    resolvable. The limits of the realized rate hold although the same negatives chose the threshold: without
    ties k - 1 of them lie above it, and the upper limit is the quantile of Beta(k, n + 1 - k), the law of the
    true rate.
    """
    fraction(fpr, "fpr")
    pos, neg = sample(positive, "positive"), sample(negative, "negative")
    band = roc_band(pos, neg, [fpr], level=level)
    resolvable = not np.isnan(band.threshold[0])
    found = clopper_pearson(int((neg > band.threshold[0]).sum()), len(neg), level=level) if resolvable else None
    return OperatingPoint(
        value=float(band.tpr[0]),
        low=float(band.low[0]),
        high=float(band.high[0]),
        threshold=float(band.threshold[0]),
        fpr=found.value if found else float("nan"),
        fpr_low=found.low if found else 0.0,
        fpr_high=found.high if found else 1.0,
        resolvable=resolvable,
        level=level,
        n_positive=len(pos),
        n_negative=len(neg),
    )


def roc_curve(positive: ArrayLike, negative: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return fpr, tpr and thresholds, one point per distinct score, from (0, 0) at +inf to (1, 1).

    Here a record is detected when it scores *at or above* the threshold, as scikit-learn has it.
    """
    pos, neg = np.sort(sample(positive, "positive")), np.sort(sample(negative, "negative"))
    distinct = np.unique(np.concatenate([pos, neg]))[::-1]
    tpr = 1 - np.searchsorted(pos, distinct) / len(pos)
    fpr = 1 - np.searchsorted(neg, distinct) / len(neg)
    return np.r_[0.0, fpr], np.r_[0.0, tpr], np.r_[np.inf, distinct]


def roc_band(positive: ArrayLike, negative: ArrayLike, fpr_grid: ArrayLike, *, level: float = 0.95) -> Band:
    """Return the true-positive rate at each budget of ``fpr_grid``, shape (g,), with an exact pointwise band."""
    pos, neg = np.sort(sample(positive, "positive")), np.sort(sample(negative, "negative"))
    grid = sample(fpr_grid, "fpr_grid")
    if not ((grid > 0) & (grid < 1)).all():
        raise ValueError("every rate of fpr_grid must lie strictly between 0 and 1.")
    n = len(neg)
    # 1e-9: 0.29 * 100 is 28.999999999999996 in binary, and must give k = 29
    k = np.floor(grid * (n + 1) + 1e-9).astype(np.intp)
    resolvable = np.array([n >= ceil(1 / rate - 1e-9) for rate in grid])
    threshold = np.where(resolvable, neg[n - np.clip(k, 1, n)], np.nan)
    hits = len(pos) - np.searchsorted(pos, threshold, side="right")
    low, high = clopper_pearson_limits(hits, len(pos), level=level)
    unknown = ~resolvable
    tpr = hits / len(pos)
    tpr[unknown], low[unknown], high[unknown] = np.nan, 0.0, 1.0
    return Band(grid, tpr, low, high, threshold)


def _components(positive: ArrayLike, negative: ArrayLike) -> tuple[Floats, Floats]:
    """Return V10, shape (m,), and V01, shape (n,): rank among all minus rank in the own sample."""
    pos, neg = sample(positive, "positive", least=2), sample(negative, "negative", least=2)
    m, n = len(pos), len(neg)
    ranks = midranks(np.concatenate([pos, neg]))
    return (ranks[:m] - midranks(pos)) / n, 1 - (ranks[m:] - midranks(neg)) / m


def _variance(v10: Floats, v01: Floats, units: tuple[Codes, Codes]) -> float:
    """Return S10/m + S01/n + 2 S11/(mn), the S over sums within units (Obuchowski 1997, eqs. 4 to 7).

    With one record per unit S10 and S01 are the plain variances and S11 is 0: DeLong's formula.
    """
    m, n = len(v10), len(v01)
    count = int(max(units[0].max(), units[1].max())) + 1
    t10 = np.bincount(units[0], weights=v10 - v10.mean(), minlength=count)
    t01 = np.bincount(units[1], weights=v01 - v01.mean(), minlength=count)
    i10, i01 = len(np.unique(units[0])), len(np.unique(units[1]))
    if min(i10, i01) < 2:
        raise ValueError("a variance needs at least two independent units with positives and two with negatives.")
    s10, s01 = i10 / (i10 - 1) * (t10 @ t10), i01 / (i01 - 1) * (t01 @ t01)
    s11 = count / (count - 1) * (t10 @ t01)
    return max(float(s10 / m**2 + s01 / n**2 + 2 * s11 / (m * n)), 0.0)


def _disjoint_pairs(units: tuple[Codes, Codes]) -> int:
    """Return how many positive-negative pairs can be formed that share no unit."""
    first, second = np.unique(units[0]), np.unique(units[1])
    return max(1, min(len(first), len(second), len(np.union1d(first, second)) // 2))
