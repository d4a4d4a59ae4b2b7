"""Traits along the edges of an atlas, after P166: what children keep of their parents' cards, and what drifts.

A trait set is what a card says in its metadata: license, task, languages, library, tags. Likeness is the Jaccard
index. Rates come with exact intervals. A mean over pairs is resampled by models, not by pairs, since a model stands in
many of them (the pigeonhole bootstrap of Owen 2007, Ann. Appl. Stat. 1:386), and widened as Student's t asks for where
models are few.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from probatum.core.draws import keyed
from probatum.statistics.intervals import clopper_pearson

FIELDS = {
    "license": "license",
    "task": "pipeline_tag",
    "language": "language",
    "library": "library_name",
    "tags": "tags",
}
PAIRS = 2000  #: pairs of a kind that are looked at, at most
LEAST = 3  #: models of a kind of pairs below which there is no interval


def traits(card: dict[str, Any]) -> dict[str, frozenset[str]]:
    """{trait: values} of a card's metadata; a trait that it does not name is absent."""
    out = {}
    for trait, key in FIELDS.items():
        raw = card.get(key)
        values = [raw] if isinstance(raw, (str, int, float)) else raw if isinstance(raw, list) else []
        if found := frozenset(str(v).strip().lower() for v in values if isinstance(v, (str, int, float))):
            out[trait] = found
    return out


def jaccard(a: dict[str, frozenset[str]], b: dict[str, frozenset[str]]) -> float | None:
    """Shared traits over all traits of the two; None where neither names one."""
    x, y = ({(t, v) for t, values in side.items() for v in values} for side in (a, b))
    return len(x & y) / len(x | y) if x | y else None


def likeness(
    cards: Sequence[dict[str, Any]], edges: Sequence[tuple[int, int]], family: Sequence[int]
) -> dict[str, Any]:
    """Mean Jaccard index of parent and child, siblings, one family, and strangers, each with its interval and n."""
    sets = [traits(c) for c in cards]
    children: dict[int, list[int]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    siblings = [(a, b) for own in children.values() for k, a in enumerate(own) for b in own[:k]]
    rows, columns = np.triu_indices(len(cards), 1)
    alike = np.asarray(family)[rows] == np.asarray(family)[columns]
    kinds: dict[str, list[tuple[int, int]]] = {
        "parent and child": list(edges),
        "siblings": siblings,
        "same family": _some(rows[alike], columns[alike]),
        "strangers": _some(rows[~alike], columns[~alike]),
    }
    out = {}
    for kind, pairs in kinds.items():
        found = [(a, b, s) for a, b in pairs[:PAIRS] if (s := jaccard(sets[a], sets[b])) is not None]
        out[kind] = _mean(found, kind)
    return out


def _some(rows: np.ndarray, columns: np.ndarray) -> list[tuple[int, int]]:
    """The pairs, or as many of them as are looked at."""
    chosen = np.sort(keyed("pairs", len(rows)).permutation(len(rows))[:PAIRS])
    return list(zip(rows[chosen].tolist(), columns[chosen].tolist(), strict=True))


def _mean(found: Sequence[tuple[int, int, float]], kind: str) -> dict[str, Any]:
    """Mean, n, and the interval where there are enough models; ``found`` holds pairs of models with their value."""
    if not found:
        return {"mean": None, "low": None, "high": None, "n": 0}
    values = np.array([value for _, _, value in found])
    from scipy.special import ndtri, stdtrit

    models, place = np.unique([pair[:2] for pair in found], return_inverse=True)
    low = high = None
    if len(models) >= LEAST:
        place = place.reshape(-1, 2)
        times = keyed("bootstrap", kind).multinomial(len(models), np.full(len(models), 1 / len(models)), size=1000)
        weight = times[:, place[:, 0]] * times[:, place[:, 1]]
        drawn = weight.any(axis=1)  # in a few draws no pair is whole
        means = (weight[drawn] @ values) / weight[drawn].sum(axis=1)
        center, few = float(values.mean()), len(models)
        wider = float(stdtrit(few - 1, 0.975) / ndtri(0.975)) * math.sqrt(few / (few - 1))
        ends = center + wider * (np.quantile(means, [0.025, 0.975]) - center)
        low, high = (float(end) for end in np.clip(ends, 0, 1))
    return {"mean": float(values.mean()), "low": low, "high": high, "n": len(values)}


def mutations(cards: Sequence[dict[str, Any]], edges: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """For every trait: the share of edges whose child says otherwise, of those where both say something; and drift.

    ``drift`` are the changes that happen more often than their reverse: (from, to, how often, how often back).
    """
    sets = [traits(c) for c in cards]
    out = []
    for trait in FIELDS:
        both = [(sets[p][trait], sets[c][trait]) for p, c in edges if trait in sets[p] and trait in sets[c]]
        changed = [(a, b) for a, b in both if a != b]
        rate = clopper_pearson(len(changed), len(both)) if both else None
        flows = Counter((_name(a), _name(b)) for a, b in changed)
        drift = [(a, b, n, flows.get((b, a), 0)) for (a, b), n in flows.items() if n > flows.get((b, a), 0)]
        out.append({
            "trait": trait, "edges": len(both), "changed": len(changed),
            "rate": len(changed) / len(both) if both else None,
            "low": rate.low if rate else None, "high": rate.high if rate else None,
            "drift": sorted(drift, key=lambda d: (d[3] - d[2], d[0], d[1]))[:10],
        })  # fmt: skip
    return out


def _name(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
