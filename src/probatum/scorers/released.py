"""Statistics of published scorers, as they were published; our own are in `probatum.statistics`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def macro_f1(truth: Sequence[str] | np.ndarray, read: Sequence[str] | np.ndarray, labels: Sequence[str]) -> float:
    """Mean over ``labels`` of F1 = 2 TP / (2 TP + FP + FN); 0 for a label without any (as scikit-learn has it)."""
    t, r = np.asarray(truth), np.asarray(read)
    scores = []
    for label in labels:
        hits = 2 * int(((t == label) & (r == label)).sum())
        wrong = int(((t == label) != (r == label)).sum())
        scores.append(hits / (hits + wrong) if hits + wrong else 0.0)
    return float(np.mean(scores))
