"""Traits along the edges of an atlas, after P166: what children keep of their parents' cards, and what drifts.

A trait set is what a card says in its metadata: license, task, languages, library, tags. Likeness is the Jaccard
index. Rates come with exact intervals, means with a bootstrap over pairs.
"""

from __future__ import annotations

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
    rng = keyed("likeness", len(cards))
    drawn = [rng.choice(len(cards), 2, replace=False) for _ in range(PAIRS)] if len(cards) > 1 else []
    draws = [(int(a), int(b)) for a, b in drawn]
    kinds: dict[str, list[tuple[int, int]]] = {
        "parent and child": list(edges),
        "siblings": siblings,
        "same family": [(a, b) for a, b in draws if family[a] == family[b]],
        "strangers": [(a, b) for a, b in draws if family[a] != family[b]],
    }
    out = {}
    for kind, pairs in kinds.items():
        values = [s for a, b in pairs[:PAIRS] if (s := jaccard(sets[a], sets[b])) is not None]
        out[kind] = _mean(np.array(values), kind)
    return out


def _mean(values: np.ndarray, kind: str) -> dict[str, Any]:
    if not len(values):
        return {"mean": None, "low": None, "high": None, "n": 0}
    draws = keyed("bootstrap", kind).integers(len(values), size=(1000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high), "n": len(values)}


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
