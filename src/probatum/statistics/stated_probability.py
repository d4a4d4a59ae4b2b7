"""Stated probabilities against what came true: the Brier score, and beside it the calibration error and the accuracy.

The Brier score is proper: the best that anyone can state is what he believes. A calibration error alone is not: who
says 1/2 to everything is perfectly calibrated on balanced questions, and knows nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.calibration import expected_calibration_error
from probatum.statistics.metrics import TooFew, _scored
from probatum.statistics.task_metrics import rate, share


def brier_score(scores: Scores, truth: Truth) -> Result:
    """Mean of (p − y)², by group too; ``scores.null`` holds p in [0, 1] and y, 0 or 1, in its two columns."""
    if scores.null is None or scores.null.shape[1] != 2:
        raise TooFew("needs the stated probabilities and what came true")
    result = rate("Brier score")(scores, truth)
    _, seen = _scored(scores, truth)
    stated, came = scores.null[scores.scored].T
    parts = dict(result.breakdown) | _beside("", stated, came, seen)
    if seen.group is not None and len(groups := np.unique(seen.group.astype(str))) > 1:
        for group in groups:
            at = np.flatnonzero(seen.group.astype(str) == group)
            parts |= _beside(f"{group}: ", stated[at], came[at], seen.take(at))
    return dataclasses.replace(result, breakdown=parts)


def _beside(name: str, stated: np.ndarray, came: np.ndarray, truth: Truth) -> dict[str, Estimate]:
    side = np.where(stated == 0.5, 0.5, (stated > 0.5) == (came > 0.5))  # who is undecided is right half the time
    parts = {f"{name}accuracy": share(side, truth.cluster, truth.seed, "accuracy")}
    if len(stated) > 1:
        parts[f"{name}ECE"] = expected_calibration_error(stated, came, seed=truth.seed)
    return parts
