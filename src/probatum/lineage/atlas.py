"""The atlas of a collection: which model was made of which, by the rules of Horwitz et al. 2025 (P054, 2503.10633).

Parents are older than their children; copies and quantized models are leaves; parents that a card names are kept. Of
the others, a model whose neighbors lie at clearly different distances comes from the nearest older one; so does one in
a snake, a row of checkpoints, where distance grows with time; in a fan, where many came from one, it comes from the
oldest of its older neighbors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.lineage.collection import Entry, families, independence
from probatum.lineage.copies import equal_bytes
from probatum.lineage.names import common_names, partners

#: The paper's values: neighbors, the spread that tells, and the share of correlations below which a node is in a fan.
K, SPREAD, CORRELATION = 5, 0.05, 0.6


@dataclass(frozen=True)
class Edge:
    """``child`` was made of ``parent``, by this rule; distance in lengths of a model, p-value of independence."""

    parent: int
    child: int
    rule: str  #: "card", "copy", "quantized", "nearest", "snake" or "fan"
    distance: float
    p_value: float


@dataclass(frozen=True)
class Rules:
    """What may be switched off, to see what it is worth."""

    time: bool = True
    copies: bool = True
    quantized: bool = True
    known: bool = True
    fans: bool = True
    k: int = K
    spread: float = SPREAD
    correlation: float = CORRELATION


def chart(
    entries: list[Entry], table: np.ndarray, *, rules: Rules | None = None, level: float = 1e-4
) -> tuple[list[Edge], list[int]]:
    """All edges, and the family of every model; a model without an edge to a parent is a root, as far as one can see.

    Parameters
    ----------
    table
        Distances [models, models], as `collection.distances` gives them.
    level
        p-value of independence below which two models are of one family.
    """
    rules = rules or Rules()
    family = families(entries, table, level=level)
    when = [(e.time, e.name) for e in entries]
    twin = _twins(entries, table) if rules.copies else {}
    leaves = {i for i, e in enumerate(entries) if e.quantized and rules.quantized} | set(twin)
    names = _names(entries)
    near = {i: _near(i, table, family, leaves, when, rules) for i in range(len(entries))}
    limit = _limit(near, table, when, rules)
    edges = []
    for i, entry in enumerate(entries):
        known = [names[n] for n in entry.known if names.get(n, i) != i] if rules.known else []
        if known:
            edges += [_edge(entries, table, p, i, "card") for p in dict.fromkeys(known)]
        elif i in twin:
            edges.append(_edge(entries, table, twin[i], i, "copy"))
        elif near[i][1]:
            parent, rule = _choose(i, near[i], table, when, limit, rules)
            if i in leaves:  # what was rounded lies next to what it was rounded from
                parent, rule = near[i][1][0], "quantized"
            edges.append(_edge(entries, table, parent, i, rule))
    return edges, family


def _names(entries: list[Entry]) -> dict[str, int]:
    """{name as a card gives it: entry}; a last part that two models share names neither."""
    out: dict[str, int] = {}
    short = [e.name.rpartition("/")[2] for e in entries]
    for i, name in enumerate(short):
        if short.count(name) == 1:
            out[name] = i
    return out


def _twins(entries: list[Entry], table: np.ndarray) -> dict[int, int]:
    """{copy: its oldest twin}: samples equal, and then all bytes."""
    oldest: dict[str, list[int]] = {}
    out = {}
    for i in sorted(range(len(entries)), key=lambda i: (entries[i].time, entries[i].name)):
        for j in oldest.setdefault(entries[i].shape + entries[i].digest, []):
            a, b = entries[i].model, entries[j].model
            pairs = partners(a.shapes, b.shapes, common_names(a.shapes, b.shapes))
            if len(pairs) == len(a.shapes) == len(b.shapes) and equal_bytes(a, b, pairs)[0] != "no":
                out[i] = j
                break
        else:
            oldest[entries[i].shape + entries[i].digest].append(i)
    return out


def _near(
    i: int, table: np.ndarray, family: list[int], leaves: set[int], when: list[tuple[float, str]], rules: Rules
) -> tuple[list[int], list[int]]:
    """The K nearest of its family, and the K nearest older ones; leaves are nobody's parents."""
    others = [
        j for j in np.argsort(table[i], kind="stable").tolist() if j != i and family[j] == family[i] and j not in leaves
    ]
    older = [j for j in others if when[j] < when[i]] if rules.time else others
    return others[: rules.k], older[: rules.k]


def _correlation(i: int, neighbors: list[int], table: np.ndarray, when: list[tuple[float, str]]) -> float:
    """Does the distance of neighbors grow with the time between?"""
    d = np.array([table[i, j] for j in neighbors])
    t = np.array([abs(when[j][0] - when[i][0]) for j in neighbors])
    return float(np.corrcoef(d, t)[0, 1]) if len(d) >= 3 and d.std() > 0 and t.std() > 0 else np.nan


def _limit(near: dict[int, tuple[list[int], list[int]]], table: np.ndarray, when: list, rules: Rules) -> float:
    """The correlation that parts snakes from fans: a quantile over all nodes."""
    found = [_correlation(i, n[0], table, when) for i, n in near.items()]
    found = [c for c in found if np.isfinite(c)]
    return float(np.quantile(found, rules.correlation)) if found else 1.0


def _choose(
    i: int, near: tuple[list[int], list[int]], table: np.ndarray, when: list, limit: float, rules: Rules
) -> tuple[int, str]:
    neighbors, older = near
    d = table[i, neighbors]
    if not rules.fans or float(d[-1] - d[0]) > rules.spread:
        return older[0], "nearest"
    rho = _correlation(i, neighbors, table, when)
    if np.isfinite(rho) and rho > limit:
        return older[0], "snake"
    return min(older, key=lambda j: when[j]), "fan"


def _edge(entries: list[Entry], table: np.ndarray, parent: int, child: int, rule: str) -> Edge:
    p = independence(entries[parent], entries[child])
    return Edge(parent, child, rule, float(table[parent, child]), p)
