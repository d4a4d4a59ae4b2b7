"""Epsilon: what an attack's successes prove of differential privacy, and the curves that mechanisms of known noise
have.

Bounds (the truth lies below them in at most alpha of all audits): two error rates (Jagielski et al. 2020, arXiv
2006.07709), one training run (Steinke et al. 2023, arXiv 2305.08846) and its refinement by f-DP (Mahloujifar et al.
2024, arXiv 2410.22235). A posterior (Zanella-Béguelin et al. 2023, arXiv 2206.05199). Two curves in closed form: of
Gaussian noise (Dong et al. 2022, arXiv 1905.02383) and of two normal laws (Andrew et al. 2024, arXiv 2302.03098).
"""

import math
import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Floats, fraction

ALPHA = 0.05
LARGEST = 1e4  # no epsilon, and no mu, is looked for beyond this
_TINY = sys.float_info.min
_NODES = 2000


def epsilon_of_rates(fpr: ArrayLike, fnr: ArrayLike, delta: float) -> Floats:
    """Return max{0, ln((1 − δ − fnr) / fpr), ln((1 − δ − fpr) / fnr)}, elementwise; infinite at a rate of 0.

    No (epsilon, delta)-private mechanism lets a test have such rates with a smaller epsilon (Kairouz et al. 2015).
    """
    a, b = np.broadcast_arrays(np.asarray(fpr, dtype=np.float64), np.asarray(fnr, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = [np.log(np.maximum(1 - _delta(delta) - y, 0) / x) for x, y in ((a, b), (b, a))]
    found: Floats = np.fmax(np.fmax(*sides), 0.0)  # 0 / 0 is no evidence: fmax passes over it
    return found


def two_rates_bound(
    hits: ArrayLike, inside: float, alarms: ArrayLike, outside: float, *, delta: float, alpha: float = ALPHA
) -> Floats:
    """Return the lower bound of epsilon from ``hits`` of ``inside`` members and ``alarms`` of ``outside`` others.

    Both error rates are replaced by Clopper and Pearson's upper limits, each at alpha / 2. Elementwise in the counts.
    """
    fnr = _upper(inside - np.asarray(hits, dtype=np.float64), inside, alpha / 2)
    return epsilon_of_rates(_upper(np.asarray(alarms, dtype=np.float64), outside, alpha / 2), fnr, delta)


def two_rates_p(hits: int, inside: int, alarms: int, outside: int, *, delta: float) -> float:
    """Return the smallest alpha at which `two_rates_bound` exceeds 0: the p-value of (0, delta)-privacy."""

    def proved(alpha: float) -> bool:
        return bool(two_rates_bound(hits, inside, alarms, outside, delta=delta, alpha=alpha) > 0)

    return _smallest_level(proved)


def one_run_p(m: int, guesses: int, right: int, *, epsilon: float, delta: float) -> float:
    """Return how often an (epsilon, delta)-private training lets ``right`` of ``guesses`` guesses on ``m`` coins be
    right.

    Theorem 5.2 of Steinke et al.: P[V ≥ v] ≤ P[B ≥ v] + 2mδ max_i P[v > B ≥ v − i] / i for B ~ Bin(r, e^ε / (e^ε + 1)).
    """
    from scipy.special import betainc, gammaln, log_expit

    _counts(m, guesses, right)
    if right == 0:
        return 1.0
    q, k = 1 / (1 + math.exp(-epsilon)), np.arange(right)
    tail = float(betainc(right, guesses - right + 1, q))
    ways = gammaln(guesses + 1) - gammaln(k + 1) - gammaln(guesses - k + 1)
    mass = np.exp(ways + k * log_expit(epsilon) + (guesses - k) * log_expit(-epsilon))
    steepest = float((np.cumsum(mass[::-1]) / np.arange(1, right + 1)).max())
    return min(1.0, max(tail + 2 * m * _delta(delta) * steepest, _TINY))


def one_run_bound(m: int, guesses: int, right: int, *, delta: float, alpha: float = ALPHA) -> float:
    """Return the largest epsilon that ``right`` of ``guesses`` guesses on ``m`` coins refute at level ``alpha``, or
    0."""
    return _largest(lambda e: one_run_p(m, guesses, right, epsilon=e, delta=delta) <= alpha)


def fdp_rejects(m: int, guesses: int, right: int, *, mu: float, alpha: float) -> bool:
    """Return whether ``right`` of ``guesses`` guesses on ``m`` coins refute that the training is mu-Gaussian private.

    Algorithm 3 of Mahloujifar et al. with f̄⁻¹(x) = Φ(Φ⁻¹(x) − μ): from the assumption that so many are right with
    chance alpha it follows step by step how much probability fewer right ones must have; more than 1 is a
    contradiction.
    """
    from scipy.special import ndtr, ndtri

    _counts(m, guesses, right)
    r, h = alpha * right / m, alpha * (guesses - right) / m
    for i in range(right - 1, -1, -1):
        least = max(h, float(ndtr(ndtri(r) - mu)))
        if least == h:
            break
        r, h = min(r + i / (guesses - i) * (least - h), 1.0), least
    return r + h > guesses / m


def fdp_p(m: int, guesses: int, right: int) -> float:
    """Return the smallest alpha at which `fdp_rejects` refutes perfect privacy, mu = 0."""
    return _smallest_level(lambda alpha: fdp_rejects(m, guesses, right, mu=0.0, alpha=alpha))


def fdp_bound(m: int, guesses: int, right: int, *, alpha: float = ALPHA) -> float:
    """Return the largest mu that ``right`` of ``guesses`` guesses on ``m`` coins refute at level ``alpha``, or 0."""
    return _largest(lambda mu: fdp_rejects(m, guesses, right, mu=mu, alpha=alpha))


def gaussian_delta(epsilon: ArrayLike, mu: float) -> Floats:
    """Return δ(ε) = Φ(−ε/μ + μ/2) − e^ε Φ(−ε/μ − μ/2) of mu-Gaussian privacy, elementwise."""
    from scipy.special import log_ndtr, ndtr

    e = np.asarray(epsilon, dtype=np.float64)
    if mu == 0:
        return np.zeros_like(e)
    far: Floats = ndtr(-e / mu + mu / 2) - np.exp(e + log_ndtr(-e / mu - mu / 2))
    return np.maximum(far, 0.0)


def gaussian_epsilon(delta: float, mu: float) -> float:
    """Return the smallest epsilon at which mu-Gaussian privacy gives ``delta``; infinite at delta = 0."""
    return _smallest_epsilon(lambda e: float(gaussian_delta(e, mu)), delta) if mu > 0 else 0.0


def normal_delta(epsilon: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return ∫ max(0, p − e^ε q) for two normal laws, each given as (mean, standard deviation).

    log p/q is a quadratic, so where it exceeds ε is an interval, two half-lines, one, or nothing.
    """
    from scipy.special import log_ndtr

    (m, s), (k, t) = first, second
    a, b = 0.5 / t**2 - 0.5 / s**2, m / s**2 - k / t**2
    c = math.log(t / s) + 0.5 * (k / t) ** 2 - 0.5 * (m / s) ** 2 - epsilon
    roots = _roots(a, b, c)

    def mass(mean: float, sd: float) -> float:
        """The logarithm of the probability of the set."""
        z = [(x - mean) / sd for x in roots]
        if not z:
            return 0.0 if c > 0 else -math.inf
        if len(z) == 1:
            return float(log_ndtr(-z[0] if b > 0 else z[0]))
        if a > 0:
            return float(np.logaddexp(log_ndtr(z[0]), log_ndtr(-z[1])))
        low, high = (z[0], z[1]) if z[0] + z[1] < 0 else (-z[1], -z[0])  # in the tail that keeps its digits
        return float(log_ndtr(high) + np.log(-np.expm1(min(log_ndtr(low) - log_ndtr(high), -_TINY))))

    return max(0.0, math.exp(mass(m, s)) - math.exp(min(epsilon + mass(k, t), 0.0)))


def normal_epsilon(mean: float, sd: float, delta: float) -> float:
    """Return the smallest epsilon at which N(mean, sd²) and N(0, 1) are (epsilon, delta)-close, both ways."""
    if not sd > 0:
        raise ValueError(f"sd must be positive, got {sd}.")
    laws = (mean, sd), (0.0, 1.0)
    return _smallest_epsilon(lambda e: max(normal_delta(e, *laws), normal_delta(e, *laws[::-1])), delta)


def posterior_epsilon(
    hits: int, misses: int, alarms: int, passes: int, *, delta: float, levels: Sequence[float]
) -> list[float]:
    """Return posterior quantiles of epsilon from the four counts of an attack, with Jeffreys' prior on both rates.

    fnr ~ Beta(½ + misses, ½ + hits) and fpr ~ Beta(½ + alarms, ½ + passes), independent; rates beyond the diagonal are
    those of the reversed attack. P[ε ≤ e] is an integral over fnr of an interval's probability under fpr.
    """
    from scipy.special import betainc, betaincinv

    fnr = betaincinv(0.5 + misses, 0.5 + hits, _middles())
    return _posterior(fnr, lambda y: betainc(0.5 + alarms, 0.5 + passes, y), delta, levels)


def posterior_epsilon_of_pairs(
    right: int, wrong: int, unsure: int | None, *, delta: float, levels: Sequence[float]
) -> list[float]:
    """Return the same for pairs of which one was in: Jeffreys' prior on right, wrong and, unless None, no guess.

    With either of a pair in, the other's alarm is a wrong guess: fpr = P(wrong) and fnr = 1 − P(right).
    """
    from scipy.special import betainc, betaincinv

    if unsure is None:
        fnr = betaincinv(0.5 + wrong, 0.5 + right, _middles())
        return _posterior(fnr, lambda y: (fnr <= y).astype(np.float64), delta, levels)
    fnr = betaincinv(1.0 + wrong + unsure, 0.5 + right, _middles())
    return _posterior(
        fnr, lambda y: betainc(0.5 + wrong, 0.5 + unsure, np.clip(y / np.maximum(fnr, _TINY), 0, 1)), delta, levels
    )


def _posterior(fnr: Floats, below: Callable[[Floats], Floats], delta: float, levels: Sequence[float]) -> list[float]:
    """Quantiles of ε, given values of fnr that are as likely each, and the law of fpr at each of them."""

    def least(x: Floats, odds: float) -> Floats:
        """The smallest fpr at which (fpr, x) still allow the odds."""
        return np.maximum((1 - delta - x) / odds, 1 - delta - odds * x)

    def cdf(e: float) -> float:
        odds = math.exp(e)
        return float((below(np.clip(1 - least(1 - fnr, odds), 0, 1)) - below(np.clip(least(fnr, odds), 0, 1))).mean())

    found = []
    for level in levels:
        low, high = 0.0, 60.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            low, high = (middle, high) if cdf(middle) < level else (low, middle)
        found.append(high if high > 1e-6 else 0.0)
    return found


def _upper(hits: Floats, n: float, alpha: float) -> Floats:
    """The upper limit 1 − B(α; n − k, k + 1) of a rate, exact for every alpha down to the smallest float."""
    from scipy.special import betaincinv

    if n <= 0 or not ((hits >= 0) & (hits <= n)).all():
        raise ValueError(f"hits must lie between 0 and n, and n be positive, got {hits} of {n}.")
    limit: Floats = 1 - np.where(
        hits < n, betaincinv(np.maximum(n - hits, 1e-9), hits + 1, fraction(alpha, "alpha")), 0
    )
    return limit


def _middles() -> Floats:
    return (np.arange(_NODES) + 0.5) / _NODES


def _roots(a: float, b: float, c: float) -> list[float]:
    """Real roots of ax² + bx + c in order; of bx + c where a is too small to matter."""
    if abs(a) < 1e-12 * max(abs(b), 1e-12):
        return [] if b == 0 else [-c / b]
    square = b * b - 4 * a * c
    if square <= 0:
        return []
    q = -0.5 * (b + math.copysign(math.sqrt(square), b))
    return sorted([q / a, c / q]) if q else [0.0, 0.0]


def _largest(refuted: Callable[[float], bool]) -> float:
    """The end of the interval from 0 on in which everything is refuted."""
    if not refuted(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while refuted(high):
        low, high = high, 2 * high
        if low >= LARGEST:
            return low
    while high - low > 1e-7 * max(1.0, low):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def _smallest_level(proved: Callable[[float], bool]) -> float:
    """The smallest level at which something is proved; 1 where it never is."""
    low, high = math.log(_TINY), 0.0
    if not proved(1 - 1e-12):
        return 1.0
    while high - low > 1e-10 * max(1.0, -low):
        middle = (low + high) / 2
        low, high = (low, middle) if proved(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _smallest_epsilon(curve: Callable[[float], float], delta: float) -> float:
    """Where a falling curve reaches ``delta``."""
    if _delta(delta) == 0:
        return math.inf
    return _largest(lambda e: curve(e) > delta)


def _delta(delta: float) -> float:
    if not 0 <= delta < 1:
        raise ValueError(f"delta must lie in [0, 1), got {delta}.")
    return delta


def _counts(m: int, guesses: int, right: int) -> None:
    if not 0 <= right <= guesses <= m or guesses < 1:
        raise ValueError(f"expected 0 <= right <= guesses <= coins, got {right}, {guesses} and {m}.")
