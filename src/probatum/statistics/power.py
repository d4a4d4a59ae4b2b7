"""What a test of a given size can show at best: numbers for planning, before any model is asked."""

from math import expm1, log, sqrt
from statistics import NormalDist


def detectable_auroc(n: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest AUROC that ``n`` members against ``n`` nonmembers show, one-sided; NaN where even 1 does not.

    Null variance (2n + 1)/(12n²); variance at the alternative after Hanley and McNeil 1982, equation 2.
    """
    z_alpha, z_power = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(power)
    null = sqrt((2 * n + 1) / (12 * n * n)) if n > 0 else float("inf")

    def short(a: float) -> bool:
        q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
        spread = sqrt(max(a * (1 - a) + (n - 1) * (q1 + q2 - 2 * a * a), 0.0)) / n
        return a - 0.5 < z_alpha * null + z_power * spread

    if n < 1 or short(1.0):
        return float("nan")
    low, high = 0.5, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def one_run_ceiling(n: int, *, alpha: float = 0.05) -> float:
    """The largest ε that one training run with ``n`` coins, all guessed right, proves at level 1 − ``alpha``; δ = 0.

    logit(alpha^(1/n)): the bound of Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846) where every guess is right.
    """
    return max(0.0, -log(expm1(-log(alpha) / n))) if n > 0 else 0.0
