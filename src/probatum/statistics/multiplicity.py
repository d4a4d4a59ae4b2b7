"""Many tests of the same records: the single-step and step-down max-T of Westfall and Young 1993, for AUROCs.

Twenty membership attacks on one set of texts are correlated, so Bonferroni and Holm throw power away. Permuting the
labels once for all attacks together keeps their correlation: an attack is adjusted by how often chance lets *any* of
them do as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.statistics._arrays import Floats
from probatum.statistics.roc import midranks

_CHUNK = 2**24  # labels that exist at the same time


def max_t(
    scores: Sequence[np.ndarray],
    label: np.ndarray,
    *,
    cluster: np.ndarray | None = None,
    rng: np.random.Generator,
    draws: int = 4_999,
) -> Floats:
    """Adjusted two-sided p-values of "AUC = 1/2", one per attack; family-wise error by step-down max-T.

    Parameters
    ----------
    scores
        Per attack one number per record, shape (n,); NaN where a record has none.
    label
        Members, boolean, shape (n,).
    cluster
        Units. Labels are permuted within units that hold both (a pair swaps its coin), and over whole units otherwise.
    draws
        Permutations; the smallest p-value is 1 / (draws + 1).

    Notes
    -----
    The statistic of an attack is the rank sum of its members over the spread that permutation gives it. Exact at
    every sample size (with the +1 of Phipson and Smyth 2010) for labels that are exchangeable.
    """
    ranks = np.column_stack([_centered_ranks(np.asarray(s, dtype=np.float64)) for s in scores])
    null, observed = _permuted(ranks, np.asarray(label, dtype=bool), cluster, rng, draws)
    scale = np.sqrt((null**2).mean(0))
    scale[scale < 1e-12] = np.inf  # an attack whose scores all agree says nothing
    null, t = np.abs(null) / scale, np.abs(observed) / scale
    order = np.argsort(-t, kind="stable")
    # Step down: an attack competes only with those that do no better than it.
    highest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    tail = (1 + (highest >= t[order] - 1e-9).sum(0)) / (len(null) + 1)
    adjusted: Floats = np.empty(len(t))
    adjusted[order] = np.maximum.accumulate(tail)
    adjusted[np.isinf(scale)] = 1.0
    return adjusted


def _centered_ranks(values: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.zeros(len(values))
    scored = ~np.isnan(values)
    if scored.any():
        out[scored] = midranks(values[scored])
        out[scored] -= out[scored].mean()
    return out


def _permuted(
    ranks: np.ndarray, label: np.ndarray, cluster: np.ndarray | None, rng: np.random.Generator, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """(rank sums under permuted labels, shape (draws, attacks), and as observed), less what no permutation changes."""
    observed = label @ ranks
    if cluster is None:
        return _relabeled(ranks, int(label.sum()), rng, draws), observed
    unit = np.unique(cluster.astype(str), return_inverse=True)[1]
    n, k = np.bincount(unit), np.bincount(unit, weights=label).astype(int)
    sums = np.column_stack([np.bincount(unit, weights=r) for r in ranks.T])
    mixed = (k > 0) & (k < n)
    null, center = np.zeros((draws, ranks.shape[1])), np.zeros(ranks.shape[1])
    for held, size in {(int(a), int(b)) for a, b in zip(k[mixed], n[mixed], strict=True)}:
        # Units of one make together: every one draws anew which of its records are members.
        mine = np.flatnonzero(mixed & (k == held) & (n == size))
        rows = np.argsort(np.where(np.isin(unit, mine), unit, len(n)), kind="stable")[: len(mine) * size]
        block = ranks[rows].reshape(len(mine), size, -1)
        center += held * block.mean(1).sum(0)
        for draw in range(draws):
            chosen = rng.permuted(np.broadcast_to(np.arange(size), (len(mine), size)), axis=1)[:, :held]
            null[draw] += np.take_along_axis(block, chosen[:, :, None], axis=1).sum((0, 1))
    pure, members = ~mixed, int((k[~mixed] > 0).sum())
    if pure.any():
        center += members * sums[pure].mean(0)
        null += _relabeled(sums[pure], members, rng, draws)
    return null - center, observed - center


def _relabeled(rows: np.ndarray, members: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Sums over ``members`` random rows, shape (draws, columns)."""
    out = np.empty((draws, rows.shape[1]))
    step = max(1, _CHUNK // max(len(rows), 1))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        labels = np.zeros((size, len(rows)), np.float32)
        labels[:, :members] = 1
        out[start : start + size] = rng.permuted(labels, axis=1) @ rows
    return out
