"""The cheapest arborescence (Chu and Liu 1965, Edmonds 1967): every node but the root has one parent, and no cycle."""

from __future__ import annotations

import numpy as np


def arborescence(cost: np.ndarray, root: int) -> np.ndarray:
    """Parents of the cheapest arborescence out of ``root``.

    Parameters
    ----------
    cost
        [parents, children]; ``inf`` where there is no edge; the diagonal is not looked at.

    Returns
    -------
    The parent of every node; −1 for the root.

    Raises
    ------
    ValueError
        Not every node can be reached.
    """
    cost = np.array(cost, float)
    np.fill_diagonal(cost, np.inf)
    cost[:, root] = np.inf
    parent = np.full(len(cost), -1)
    if len(cost) == 1:
        return parent
    others = np.array([i for i in range(len(cost)) if i != root])
    parent[others] = cost[:, others].argmin(axis=0)
    if not np.isfinite(cost[parent[others], others]).all():
        raise ValueError("not every node can be reached from the root")
    cycle = _cycle(parent, root)
    return parent if cycle is None else _contract(cost, root, parent, cycle)


def _cycle(parent: np.ndarray, root: int) -> list[int] | None:
    """Some cycle of the cheapest parents."""
    state = np.zeros(len(parent), int)  # 0 unseen, otherwise the walk that saw it
    for start in range(len(parent)):
        node = start
        while node != root and not state[node]:
            state[node] = start + 1
            node = parent[node]
        if node != root and state[node] == start + 1:
            cycle, at = [node], parent[node]
            while at != node:
                cycle.append(int(at))
                at = parent[at]
            return cycle
    return None


def _contract(cost: np.ndarray, root: int, parent: np.ndarray, cycle: list[int]) -> np.ndarray:
    """Solve with the cycle as one node, then break the cycle where the solution enters it."""
    inside = np.zeros(len(cost), bool)
    inside[cycle] = True
    outer = np.flatnonzero(~inside)
    ring = np.array(cycle)
    small = np.full((len(outer) + 1, len(outer) + 1), np.inf)
    small[:-1, :-1] = cost[np.ix_(outer, outer)]
    # To enter the ring at a node is to drop that node's edge within the ring.
    entering = cost[np.ix_(outer, ring)] - cost[parent[ring], ring]
    door = entering.argmin(axis=1)
    small[:-1, -1] = entering.min(axis=1)
    leaving = cost[np.ix_(ring, outer)]
    gate = leaving.argmin(axis=0)
    small[-1, :-1] = leaving.min(axis=0)
    solved = arborescence(small, int(np.flatnonzero(outer == root)[0]))
    out = parent.copy()
    for k, node in enumerate(outer):
        if node != root:
            out[node] = ring[gate[k]] if solved[k] == len(outer) else outer[solved[k]]
    entry = int(solved[-1])
    out[ring[door[entry]]] = outer[entry]
    return out
