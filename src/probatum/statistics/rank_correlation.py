"""Do two rankings agree? Kendall's tau-b, with ties, a p-value and an interval.

Kendall 1938, 1945 (tau-b); the p-value is exact without ties up to n = 33 and asymptotic with Kendall's correction for
ties otherwise, as SciPy computes both. The interval is taken on Fisher's z scale, with the larger of two standard
errors: the one of Brown and Benedetti 1977 (J. Am. Stat. Assoc. 72:309), which asks nothing of the distribution and is
too small in small samples, and that of Fieller, Hartley and Pearson 1957 (Biometrika 44:470), which assumes a normal
copula; and with Student's quantile at n - 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import finite, fraction

LEAST = 10  #: pairs below which no interval can be trusted


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """tau-b in [-1, 1] with its limits, and the p-value of "the two have nothing to do with each other"."""

    value: float
    low: float
    high: float
    p_value: float
    p_value_kind: str  #: "exact" or "asymptotic"
    level: float
    n: int


def kendall(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> RankCorrelation:
    """Kendall's tau-b of pairs ``x``, ``y``, each of shape (n,), n >= 10, with an interval.

    Raises
    ------
    ValueError
        Fewer pairs than `LEAST`, or one side is the same throughout: then there is no ranking to compare.
    """
    from scipy.special import stdtrit
    from scipy.stats import kendalltau

    a, b = finite(x, "x", least=LEAST), finite(y, "y", least=LEAST)
    if len(a) != len(b):
        raise ValueError(f"x and y must be pairs, got {len(a)} and {len(b)} values.")
    if (a == a[0]).all() or (b == b[0]).all():
        raise ValueError("one side is the same throughout: there is no ranking to compare.")
    n = len(a)
    ties = len(np.unique(a)) < n or len(np.unique(b)) < n
    exact = not ties and n <= 33
    found = kendalltau(a, b, variant="b", method="exact" if exact else "asymptotic")
    tau = round(float(found.statistic), 12)  # a perfect order is 1, not 1 - 2e-16
    edge = 1 - 6 / (n * (n - 1))  # Fisher's z of 1 is infinite: as if one and a half pairs stood the other way round
    inside = max(-edge, min(edge, tau))
    error = max(_brown_benedetti(a, b, tau) / (1 - inside**2), math.sqrt(0.437 / (n - 4)))
    reach = float(stdtrit(n - 2, (1 + fraction(level, "level")) / 2)) * error
    low, high = math.tanh(math.atanh(inside) - reach), math.tanh(math.atanh(inside) + reach)
    return RankCorrelation(
        tau, min(low, tau), max(high, tau), float(found.pvalue), "exact" if exact else "asymptotic", level, n
    )


def _brown_benedetti(a: np.ndarray, b: np.ndarray, tau: float) -> float:
    """The asymptotic standard error of tau-b, not assuming independence; every pair is its own cell of the table."""
    n = len(a)
    difference, rows, columns = np.empty(n), np.empty(n), np.empty(n)
    for k in range(n):
        difference[k] = (np.sign(a - a[k]) * np.sign(b - b[k])).sum()  # concordant less discordant
        rows[k], columns[k] = (a == a[k]).sum(), (b == b[k]).sum()
    of_rows, of_columns = n**2 - rows.sum(), n**2 - columns.sum()
    both = math.sqrt(of_rows * of_columns)
    terms = (2 * both * difference + tau * (rows * of_columns + columns * of_rows)) ** 2
    variance = (terms.sum() - n**3 * tau**2 * (of_rows + of_columns) ** 2) / both**4
    return math.sqrt(max(variance, 0.0))
