"""Is a probability of .8 right in 8 of 10 cases? ECE (Guo et al. 2017, equation 3) and the Brier score.

An expected calibration error is biased upwards in small samples: even a perfectly calibrated model has one above 0.
What chance alone gives at this n is found by drawing outcomes from the stated probabilities, and stands in the method.
"""

from __future__ import annotations

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate
from probatum.statistics.intervals import bootstrap

BINS = 10


def ece(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Σ_b (n_b / n) |mean right − mean confidence| over ``bins`` bins of equal width; both of shape (n,)."""
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, *, seed: int = 0) -> Estimate:
    """ECE with its bootstrap interval; ``confidence`` in [0, 1] and ``right`` 0 or 1, shape (n,)."""
    rng = keyed(seed, "ece")
    rows = np.column_stack([confidence, right])
    interval = bootstrap(rows, lambda r: ece(r[:, 0], r[:, 1]), rng=rng, draws=500)
    chance = np.mean([ece(confidence, rng.random(len(confidence)) < confidence) for _ in range(200)])
    how = f"{interval.method}, {BINS} bins; a calibrated model would show {chance:.2g} at this n"
    return Estimate("ECE", interval.value, interval.low, interval.high, len(confidence), how)


def brier(confidence: np.ndarray, right: np.ndarray, *, seed: int = 0) -> Estimate:
    """Mean (confidence − right)², the Brier score of the answer that was given, with its bootstrap interval."""
    interval = bootstrap((confidence - right) ** 2, np.mean, rng=keyed(seed, "brier"))
    return Estimate("Brier score", interval.value, interval.low, interval.high, len(confidence), interval.method)
