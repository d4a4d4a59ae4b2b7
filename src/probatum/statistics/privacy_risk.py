"""What an epsilon means: how well the best attack on one unit can do, if it knows everything else of the training.

Cherubin et al. 2024 (P049, arXiv 2402.14397): Bayes security is 1 − the total variation distance of the two outputs,
and no attack has a larger advantage than that distance. The trade-off of error rates follows from δ(ε) as in Dong et
al. 2022 (arXiv 1905.02383). All are bounds of the accountant; the paper's closed form stands beside them, and is none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from probatum.statistics._arrays import Floats
from probatum.statistics.accounting import Curve, Phase, Relation, exact_curves, whole_batches
from probatum.statistics.epsilon import gaussian_delta

FPRS = (0.01, 0.1)
#: Of a closed form no more is claimed than that it leaves out a term which grows as the noise falls.
CLOSED_FORM = "without its remainder, so too optimistic where the noise is small: no guarantee"


class Risk(NamedTuple):
    """Upper bounds for every attack that tells the two training sets apart, but for two that say otherwise."""

    total_variation: float  #: at most so much is TPR − FPR
    bayes_security: float  #: 1 − total variation, a lower bound
    accuracy: float  #: share of right guesses when a fair coin decided
    tpr_at_fpr: dict[float, float]  #: FPR → the largest TPR
    closed_form: float  #: P049's Bayes security, without its remainder: an estimate, no bound


def risk(phases: Sequence[Phase], relation: Relation = "add-or-remove-one", *, fprs: Sequence[float] = FPRS) -> Risk:
    """Return what the training leaves to the best attack on one unit. ``fprs``: false-positive rates in [0, 1]."""
    if bad := [x for x in fprs if not 0 <= x <= 1]:
        raise ValueError(f"a false-positive rate lies in [0, 1], got {bad[0]}.")
    mu = whole_batches(phases)
    apart = 2.0 if relation == "replace-one" else 1.0
    if mu is not None:
        return _gaussian(apart * mu, fprs)
    present, absent = exact_curves(tuple(phases), relation)
    tv = max(present.delta(0.0), absent.delta(0.0))
    # The sum over all batches in units of its noise: P049's equation for sampled training.
    signal = apart * math.sqrt(sum(p.steps * (p.sample_rate / p.noise_multiplier) ** 2 for p in phases))
    tprs = {x: largest_tpr(present, absent, x) for x in fprs}
    return Risk(tv, 1 - tv, (1 + tv) / 2, tprs, math.erfc(signal / (2 * math.sqrt(2))))


def largest_tpr(present: Curve, absent: Curve, fpr: float) -> float:
    """Return the largest share of units in the training that a test finds, if it accuses ``fpr`` of those outside.

    For every ε ≥ 0: TPR ≤ δ(ε) + e^ε FPR by the one direction, and 1 − FPR ≤ δ'(ε) + e^ε (1 − TPR) by the other.
    """
    best = 1.0
    for e in np.concatenate([[0.0], np.geomspace(1e-3, 60, 600)]):
        one = present.delta(float(e)) + math.exp(e) * fpr
        other = 1 - (1 - fpr - absent.delta(float(e))) * math.exp(-e)
        best = min(best, one, other)
    return max(best, fpr)


def _gaussian(mu: float, fprs: Sequence[float]) -> Risk:
    """Without sampling everything is known exactly: TPR = Φ(Φ⁻¹(FPR) + μ)."""
    from scipy.special import ndtr, ndtri

    tv = float(gaussian_delta(0.0, mu))
    x: Floats = np.asarray(fprs, dtype=np.float64)
    tprs = dict(zip(fprs, ndtr(ndtri(x) + mu).tolist(), strict=True))
    return Risk(tv, 1 - tv, (1 + tv) / 2, tprs, 1 - tv)
