"""All relabelings of a small sample, or many random ones of a large one: the null of a permutation test.

Units are put in a canonical order before drawing, so a p-value does not depend on the order of the records.
"""

from itertools import combinations
from math import comb

import numpy as np

from probatum.statistics._arrays import Floats

LIMIT = 20_000  # relabelings that are enumerated rather than drawn
_CELLS = 2_000_000  # random numbers held at a time: 16 MB


def split_sums(columns: Floats, k: int, *, rng: np.random.Generator, draws: int) -> tuple[Floats, bool]:
    """Return sums over ``k`` chosen rows of ``columns``, (c, q): shape (splits, q), and whether all are there."""
    c = len(columns)
    columns = columns[np.lexsort(columns.T[::-1])]
    if k > c // 2:  # choosing k is leaving out c - k, and the smaller set is cheaper to add up
        sums, complete = split_sums(columns, c - k, rng=rng, draws=draws)
        return columns.sum(axis=0) - sums, complete
    if comb(c, k) <= LIMIT:
        chosen = np.array(list(combinations(range(c), k)), dtype=np.intp).reshape(-1, k)
        return columns[chosen].sum(axis=1), True
    step, parts = max(1, _CELLS // c), []
    for done in range(0, draws, step):
        keys = rng.random((min(step, draws - done), c), dtype=np.float32)
        chosen = np.argpartition(keys, k, axis=1)[:, :k]
        parts.append(columns[chosen].sum(axis=1))
    return np.concatenate(parts), False


def flip_sums(columns: Floats, *, rng: np.random.Generator, draws: int) -> tuple[Floats, bool]:
    """Return sums of ``columns``, (c, q), under sign flips of rows: shape (flips, q), and whether all are there."""
    c = len(columns)
    columns = columns[np.lexsort(columns.T[::-1])]
    if c <= 16:
        sums = np.zeros((1, columns.shape[1]))
        for row in columns:
            sums = np.concatenate([sums + row, sums - row])
        return sums, True
    step, parts = max(8, _CELLS // c // 8 * 8), []
    for done in range(0, draws, step):
        times = min(step, draws - done)
        bits = np.unpackbits(np.frombuffer(rng.bytes(times * -(-c // 8)), dtype=np.uint8)).reshape(times, -1)
        parts.append(2.0 * (bits[:, :c].astype(np.float64) @ columns) - columns.sum(axis=0))
    return np.concatenate(parts), False
