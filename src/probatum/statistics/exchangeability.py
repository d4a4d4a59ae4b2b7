"""Is the published form of an item special among forms that are as good as it? Exact tests, item by item combined.

Had a coin chosen which of an item's m forms was published, its rank among them would be uniform, whatever the model.
The sum of any score of these ranks has a distribution that is computed and not simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import clopper_pearson
from probatum.statistics.metrics import TooFew, _estimate
from probatum.statistics.task_metrics import _scaled, share
from probatum.statistics.tests import PValue

STEPS = 50  #: of the score −log p, per nat; it is rounded to whole numbers, and so is its distribution
FLOOR = 1e-12  #: below it a transformed distribution has no digits
LEAST = 10  #: items


def published_order(scores: Scores, truth: Truth) -> Result:
    """Share of items of which the published form is the likeliest of all; p-value over the ranks of all items.

    A value is the statistic of the published form, a row of ``scores.null`` that of the others (NaN: no such form).
    Per item p = r / m, r the rank of the published form among its m forms. The scores −log p are summed (Fisher's
    combination), and their sum compared with its exact distribution if one of each item's forms had been drawn. Forms
    that are equally likely share their ranks. Of items that form a cluster one counts, that with the smallest id.
    """
    index, values, null = _forms(scores, truth)
    ranks = [_ranks(row[~np.isnan(row)]) for row in np.column_stack([values, null])]
    rank, m = np.array([row[0] for row in ranks]), np.array([len(row) for row in ranks])
    p = rank_test(values, null)
    first = clopper_pearson(int((rank == 1).sum()), len(index))
    chance = float((1 / m).mean())
    parts = {
        "by chance": Estimate("share", chance, None, None, len(m), "one over the number of forms", kind="point"),
        "mean rank": share((rank - 1) / (m - 1), None, truth.seed, "rank from 0, the likeliest, to 1; by chance 0.5"),
    }
    spread = np.full(len(scores), np.nan)
    spread[index] = rank == 1
    return Result(_estimate("share likeliest", first), p.value, p.kind, breakdown=parts, contributions=spread)


def beyond_references(scores: Scores, truth: Truth) -> Result:
    """Mean accuracy of published forms less that of their references; permutation test within items, exact.

    A value is how many of ``scores.parameters["starts"]`` continuations of the published form were foretold, a row of
    ``scores.null`` the same for its references. Which form is the published one is exchanged within each item. Of items
    that form a cluster one counts, that with the smallest id.
    """
    index, values, null = _forms(scores, truth)
    starts = scores.parameters["starts"]
    p = exchange_test(values, null)
    own, other = values / starts, np.nanmean(null, axis=1) / starts
    halved = Result(share((1 + own - other) / 2, None, truth.seed, "n-gram accuracy beyond references"))
    beyond = _scaled(halved, lambda x: 2 * x - 1)
    whole = clopper_pearson(int((values == starts).sum()), len(values))
    parts = {
        "published": share(own, None, truth.seed, "n-gram accuracy"),
        "references": share(other, None, truth.seed, "n-gram accuracy"),
        "foretold in full": _estimate("share of items", whole),
    }
    spread = np.full(len(scores), np.nan)
    spread[index] = own - other
    return Result(beyond.estimate, p.value, p.kind, breakdown=parts, contributions=spread)


def rank_test(values: np.ndarray, null: np.ndarray) -> PValue:
    """Are the ranks of ``values``, shape (n,), among their forms ``null``, (n, K), higher than drawn ones?"""
    ranks = [_ranks(row[~np.isnan(row)]) for row in np.column_stack([values, null])]
    forms = [np.rint(-np.log(rank / len(rank)) * STEPS) for rank in ranks]
    return stratified_tail([row[0] for row in forms], forms)


def exchange_test(values: np.ndarray, null: np.ndarray) -> PValue:
    """Is the sum of ``values`` higher than if one of each item's forms were drawn? All are whole numbers from 0."""
    return stratified_tail(values, [row[~np.isnan(row)] for row in np.column_stack([values, null])])


def stratified_tail(values: np.ndarray | Sequence[float], forms: Sequence[np.ndarray]) -> PValue:
    """P(Σ X_i ≥ Σ ``values``), X_i drawn uniformly from ``forms[i]``, independently; all are whole numbers from 0.

    The distribution of the sum is the product of transforms. A tail below `FLOOR` is reported as that bound.
    """
    observed = round(float(np.sum(values)))
    laws = Counter(tuple(np.bincount(np.asarray(row).astype(int)).tolist()) for row in forms)
    size = sum((len(law) - 1) * n for law, n in laws.items()) + 1
    if observed <= 0:
        return PValue(1.0, "exact")
    if observed >= size:
        raise ValueError(f"a sum of {observed} cannot be drawn: the largest is {size - 1}")
    product = np.ones(size // 2 + 1, dtype=complex)
    for law, n in laws.items():
        product *= np.fft.rfft(np.array(law) / sum(law), size) ** n
    tail = float(np.fft.irfft(product, size)[observed:].clip(0).sum())
    return PValue(FLOOR, "bound") if tail < FLOOR else PValue(min(tail, 1.0), "exact")


def _ranks(forms: np.ndarray) -> np.ndarray:
    """Rank of every form from 1, the highest; what differs by rounding alone shares its ranks."""
    x = np.round(forms, 6)
    ranks: np.ndarray = (x[None, :] > x[:, None]).sum(1) + ((x[None, :] == x[:, None]).sum(1) + 1) / 2
    return ranks


def _forms(scores: Scores, truth: Truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the items that count, their values, and those of their other forms."""
    if scores.null is None:
        raise TooFew("no item has other forms")
    index = np.flatnonzero(scores.scored & (~np.isnan(scores.null)).any(1))
    if truth.cluster is not None:
        first: dict[str, int] = {}
        for i in index[np.argsort(np.array(scores.ids)[index], kind="stable")]:
            first.setdefault(str(truth.cluster[i]), int(i))
        index = np.array(sorted(first.values()), dtype=int)
    if len(index) < LEAST:
        raise TooFew(f"too few items: {len(index)} have other forms, at least {LEAST}")
    return index, scores.values[index], scores.null[index]
