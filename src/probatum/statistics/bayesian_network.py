"""Which of several discrete variables depend on which? A Bayesian network, learned by greedy hill climbing on BIC.

Schwarz 1978 (Ann. Stat. 6:461) for the score, BIC = log-likelihood - 1/2 k log n in natural logarithms, so that more is
better; Heckerman, Geiger and Chickering 1995 (Mach. Learn. 20:197) for the search: of all single edges that may be
added, removed or turned round, the one that gains most is taken until none gains. It climbs from the empty network and
from some random ones, since a climb can end on a lower hill; the best end counts. BIC gives networks with the same
skeleton and colliders the same score: the direction of an edge is not evidence of a cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

PARENTS, STARTS = 3, 8  #: at most so many parents of a variable; random networks to climb from
_ENOUGH = 1e-9  #: a gain below is rounding


@dataclass(frozen=True)
class Network:
    """``edges`` are (parent, child, gain): by how much BIC falls without the edge, the largest first."""

    edges: tuple[tuple[str, str, float], ...]
    bic: float
    empty: float  #: BIC of the network without edges
    n: int


def family_bic(child: np.ndarray, parents: Sequence[np.ndarray], sizes: tuple[int, ...]) -> float:
    """The part of the BIC that one variable with its parents gives.

    ``child`` and each of ``parents`` hold whole numbers from 0, shape (n,). ``sizes``: how many values the child has,
    then each of the parents; their product times (child - 1) is k.
    """
    n, own = len(child), sizes[0]
    state = np.zeros(n, dtype=np.int64)
    for values, size in zip(parents, sizes[1:], strict=True):
        state = state * size + values
    states = int(np.prod(sizes[1:], dtype=np.int64))
    counts = np.unique(state * own + child, return_counts=True)
    above = np.unique(state, return_counts=True)
    totals = above[1][np.searchsorted(above[0], counts[0] // own)]
    likelihood = float((counts[1] * np.log(counts[1] / totals)).sum())
    return likelihood - 0.5 * (own - 1) * states * float(np.log(n))


def bayesian_network(
    data: Mapping[str, ArrayLike], *, tiers: Mapping[str, int] | None = None, most: int = PARENTS
) -> Network:
    """Learn a network of ``data`` {name: values, shape (n,)}, texts or numbers; a ValueError where n < 2.

    Parameters
    ----------
    tiers
        {name: tier}; an edge never points to a lower tier, as from later to earlier. Default: all directions.
    most
        Most parents of a variable.
    """
    names = list(data)
    coded = [np.unique(np.asarray(data[name]), return_inverse=True) for name in names]
    values, sizes = [c[1].ravel().astype(np.int64) for c in coded], [len(c[0]) for c in coded]
    n = len(values[0]) if values else 0
    if n < 2 or any(len(v) != n for v in values):
        raise ValueError("a network needs columns of one length, with at least two records.")
    tier = [(tiers or {}).get(name, 0) for name in names]
    known: dict[tuple[int, frozenset[int]], float] = {}

    def score(child: int, parents: frozenset[int]) -> float:
        if (child, parents) not in known:
            own = sorted(parents)
            shape = (sizes[child], *(sizes[p] for p in own))
            known[child, parents] = family_bic(values[child], [values[p] for p in own], shape)
        return known[child, parents]

    def moves(above: list[frozenset[int]]) -> list[tuple[float, int, int, str]]:
        out = []
        for a, b in permutations(range(len(names)), 2):
            if a in above[b]:
                without = [p - {a} if i == b else p for i, p in enumerate(above)]
                gain = score(b, without[b]) - score(b, above[b])
                out.append((gain, a, b, "remove"))
                if tier[a] >= tier[b] and len(above[a]) < most and not _reaches(without, a, b):
                    out.append((gain + score(a, above[a] | {b}) - score(a, above[a]), a, b, "turn"))
            elif tier[a] <= tier[b] and len(above[b]) < most and not _reaches(above, b, a):
                out.append((score(b, above[b] | {a}) - score(b, above[b]), a, b, "add"))
        return out

    def climb(above: list[frozenset[int]]) -> tuple[float, list[frozenset[int]]]:
        while options := moves(above):
            gain, a, b, move = max(options, key=lambda m: (m[0], -m[1], -m[2]))
            if gain <= _ENOUGH:
                break
            above[b] = above[b] | {a} if move == "add" else above[b] - {a}
            if move == "turn":
                above[a] = above[a] | {b}
        return sum(score(i, p) for i, p in enumerate(above)), above

    nothing = [frozenset[int]() for _ in names]
    total, above = climb(nothing.copy())
    rng = np.random.default_rng(0)
    for _ in range(STARTS):
        order = sorted(rng.permutation(len(names)).tolist(), key=tier.__getitem__)
        start = {b: rng.permutation(order[:k])[: int(rng.integers(most + 1))].tolist() for k, b in enumerate(order)}
        found = climb([frozenset(start[b]) for b in range(len(names))])
        total, above = found if found[0] > total + _ENOUGH else (total, above)
    edges = [(names[a], names[b], score(b, p) - score(b, p - {a})) for b, p in enumerate(above) for a in p]
    empty = sum(score(i, p) for i, p in enumerate(nothing))
    return Network(tuple(sorted(edges, key=lambda e: -e[2])), total, empty, n)


def _reaches(above: Sequence[frozenset[int]], start: int, goal: int) -> bool:
    """Does a way lead from ``start`` down to ``goal``?"""
    left, seen = [goal], {goal}
    while left:
        for p in above[left.pop()] - seen:
            seen.add(p)
            left.append(p)
    return start in seen
