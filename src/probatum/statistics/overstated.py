"""Is a claimed metric higher than what was measured again? Accuracy by Wilson's bound, F1 by the bootstrap.

P123 found most cards of 500 models to claim more than could be measured. Before a card is accused the order of the
labels is put in doubt: where labels are classes, the best relabeling of the predictions counts for the card.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.statistics.error_rates import wilson
from probatum.statistics.tests import binomial_tail

#: A card rounds to two digits.
ROUNDING = 0.005
#: Classes up to which another order of labels is tried: with more, some order fits anything.
CLASSES = 20
DRAWS = 2000


@dataclass(frozen=True)
class Measured:
    """A metric measured again: its value and 95 % limits, n, the p-value of the claim, and the order that was used."""

    value: float
    low: float
    high: float
    n: int
    p_value: float
    order: tuple[int, ...] | None = None

    def overstated(self, claimed: float) -> bool:
        """The claim lies above the upper limit."""
        return claimed > self.high


def accuracy(claimed: float, hits: int, n: int) -> Measured:
    """Of ``hits`` in ``n``; p is the exact chance of so few if the claimed rate, rounded down, were true."""
    i = wilson(hits, n)
    stated = min(max(claimed - ROUNDING, 0.0), 1.0)
    return Measured(i.value, i.low, i.high, n, binomial_tail(n - hits, n, 1 - stated).value)


def best_order(predicted: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """The relabeling of predictions, shape (classes,), with the most hits; the given order where it has as many.

    The assignment that maximizes the trace of the confusion matrix (Kuhn 1955).
    """
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (predicted, answer), 1)
    _, order = linear_sum_assignment(counts, maximize=True)
    same = np.arange(classes)
    return same if counts[same, order].sum() == np.trace(counts) else order


def f1(claimed: float, predicted: np.ndarray, answer: np.ndarray, classes: int, rng: np.random.Generator) -> Measured:
    """The F1 that is kindest to the claim: of one class, macro or weighted; percentile bootstrap over records."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (predicted, answer), 1)
    options = _f1s(counts[None])[0]
    kind = int(np.argmax(options))
    flat = predicted * classes + answer
    drawn = []
    for _ in range(0, DRAWS, 100):
        chosen = flat[rng.integers(len(flat), size=(100, len(flat)))]
        tables = np.stack([np.bincount(row, minlength=classes * classes) for row in chosen])
        drawn.append(_f1s(tables.reshape(-1, classes, classes).astype(float))[:, kind])
    values = np.concatenate(drawn)
    low, high = np.quantile(values, [0.025, 0.975])
    p = (1 + int((values >= claimed - ROUNDING).sum())) / (1 + len(values))
    return Measured(float(options[kind]), float(low), float(high), len(flat), p)


def _f1s(counts: np.ndarray) -> np.ndarray:
    """Shape (tables, classes + 2): F1 of every class, macro, weighted by the classes' sizes."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    both = counts.sum(1) + counts.sum(2)
    each = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)
    size = counts.sum(1)
    weighted = (each * size).sum(1) / np.maximum(size.sum(1), 1)
    return np.column_stack([each, each.mean(1), weighted])
