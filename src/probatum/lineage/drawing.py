"""Which rows are read: runs of neighbors, since a disk gives pages and not rows; drawn by name, not by chance."""

from __future__ import annotations

import numpy as np

from probatum.core.draws import keyed

RUN = 32  #: rows that are read together


def rows_of(total: int, count: int, *key: object) -> np.ndarray:
    """``count`` of ``total`` places, in order; all where there are no more than that."""
    if total <= count:
        return np.arange(total)
    return np.sort(_in_runs(total, *key)[:count])


def two_draws(total: int, most: int, *key: object) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint draws of at most ``most`` places, each half of them where there are fewer."""
    half = min(most, total // 2)
    order = _in_runs(total, *key)
    return np.sort(order[:half]), np.sort(order[half : half + min(most, total - half)])


def _in_runs(total: int, *key: object) -> np.ndarray:
    rng = keyed(*key)
    if total < 32 * RUN:  # small: single rows, so that every part of a tensor is seen
        return rng.permutation(total)
    starts = RUN * rng.permutation(-(-total // RUN))
    places = (starts[:, None] + np.arange(RUN)).ravel()
    return np.asarray(places[places < total])
