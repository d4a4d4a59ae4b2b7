"""MoTHer (Horwitz et al. 2024), the baseline of the atlas: distances and kurtosis alone, no times.

In each family the cheapest arborescence, where an edge costs its distance, and more where the kurtosis of the weights
goes the wrong way. Which way is right the authors set by hand for each collection: it grows from parent to child when
models specialize, and falls when they are pre-trained further.
"""

from __future__ import annotations

import numpy as np

from probatum.lineage.collection import Entry
from probatum.lineage.edmonds import arborescence

WEIGHT = 0.3  #: λ of the paper


def heritage(
    entries: list[Entry], table: np.ndarray, family: list[int], *, grows: bool = True, weight: float = WEIGHT
) -> list[tuple[int, int]]:
    """(parent, child) for all but the root of every family.

    Parameters
    ----------
    grows
        Kurtosis grows from parent to child.
    weight
        Cost of a wrong order of kurtosis, in mean distances of the family.
    """
    edges = []
    kurtosis = np.array([e.kurtosis for e in entries])
    for f in sorted(set(family)):
        own = np.array([i for i, g in enumerate(family) if g == f])
        if len(own) < 2:
            continue
        part = table[np.ix_(own, own)].copy()
        # Members of one family that were linked through others may be of another shape.
        part[~np.isfinite(part)] = 10 * part[np.isfinite(part)].max() + 1
        rises = kurtosis[own][None, :] > kurtosis[own][:, None]
        cost = part + weight * part[~np.eye(len(own), dtype=bool)].mean() * (rises != grows)
        # A node above all, dear to leave, so that exactly one member has no other parent.
        whole = np.full((len(own) + 1, len(own) + 1), np.inf)
        whole[1:, 1:] = cost
        whole[0, 1:] = cost.sum() + 1
        parents = arborescence(whole, 0)[1:] - 1
        edges += [(int(own[p]), int(own[c])) for c, p in enumerate(parents) if p >= 0]
    return edges
