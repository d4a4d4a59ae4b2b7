"""Epsilon by Rényi divergences: an upper bound, too, looser than the accountant's and made in another way.

The divergence of one step is an integral over a line (Mironov et al. 2019, arXiv 1908.10530; the direction with the
record is the larger one, their theorem 5). Steps add up. The conversion to epsilon is proposition 12 of Canonne et al.
2020, arXiv 2004.00010.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np

from probatum.statistics._arrays import Floats
from probatum.statistics.accounting import Phase, Relation, loss_at, whole_batches

#: Orders of which the best counts; those of dp-accounting, so that the two agree to all digits.
ORDERS = (*(1 + x / 10 for x in range(1, 100)), *range(11, 64), 128, 256, 512, 1024)
_MOST = 1 << 20  # points of one integral


def renyi(phase: Phase, order: float, relation: Relation = "add-or-remove-one") -> float:
    """Return D_order(P ‖ Q) of one step: log E_Q[(P/Q)^order] / (order − 1); infinite where it needs too many points.

    The trapezoid rule is exact here but for 1e-12: the integrand is analytic in a strip of half width πσ², and its step
    is a small share of that and of σ.
    """
    from scipy.special import logsumexp

    sigma, q, _ = phase
    pair = 2.0 if relation == "replace-one" else 1.0
    if q == 1:
        return order * (pair / sigma) ** 2 / 2
    h = min(sigma / 3, sigma**2 / 3)
    # (P/Q)^order Q is a mixture of normal laws around the numbers from −order to order.
    low, high = -(order if pair == 2 else 0.0) - 10 * sigma, order + 10 * sigma
    if (high - low) / h > _MOST:
        return math.inf
    x: Floats = np.arange(low, high, h)
    if pair == 1:
        weight, power = -(x**2) / (2 * sigma**2), order * loss_at(phase, x, "remove")
    else:
        with_other = np.logaddexp(np.log1p(-q) - x**2 / (2 * sigma**2), math.log(q) - (x + 1) ** 2 / (2 * sigma**2))
        weight, power = with_other, order * loss_at(phase, x, "replace")
    total = float(logsumexp(weight + power)) + math.log(h / (sigma * math.sqrt(2 * math.pi)))
    return max(0.0, total) / (order - 1)


@functools.lru_cache(maxsize=64)
def _curve(phase: Phase, relation: Relation) -> Floats:
    return np.array([renyi(phase, order, relation) for order in ORDERS])


def rdp_epsilon(phases: Sequence[Phase], delta: float, relation: Relation = "add-or-remove-one") -> tuple[float, float]:
    """Return the smallest epsilon at ``delta`` over all `ORDERS`, and the order that gave it."""
    whole_batches(phases)  # refuses what no training can be
    if not 0 < delta < 1:
        raise ValueError(f"delta must lie strictly between 0 and 1, got {delta}.")
    a = np.array(ORDERS)
    spent = np.array([p.steps for p in phases], dtype=np.float64) @ np.array(
        [_curve(Phase(p.noise_multiplier, p.sample_rate, 1), relation) for p in phases]
    )
    found = np.maximum(0.0, spent + np.log1p(-1 / a) - (math.log(delta) + np.log(a)) / (a - 1))
    best = int(np.argmin(found))
    return float(found[best]), float(a[best])
