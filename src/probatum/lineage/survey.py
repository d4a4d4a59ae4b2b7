"""A directory of models as one atlas: edges, families, licenses along them, traits, and the baseline beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.lineage.atlas import Edge, Rules, chart
from probatum.lineage.collection import Entry, distances, read_collection
from probatum.lineage.data_sets import beside
from probatum.lineage.licenses import judge, license_of
from probatum.lineage.mother import heritage
from probatum.lineage.popularity import popularity as correlated
from probatum.lineage.practice import filled, practice
from probatum.lineage.traits import likeness, mutations

#: How sure a rule is, in words for a reader.
MEANING = {
    "card": "its card names the parent",
    "copy": "equal in every byte to an older model",
    "quantized": "rounded; the nearest older model",
    "nearest": "the nearest older model, clearly nearer than others",
    "snake": "a row of checkpoints: the nearest older model",
    "fan": "one of many from one parent: the oldest of the nearest older models",
}


@dataclass(frozen=True)
class Survey:
    """What `probatum atlas` found. Edges and baseline name models by their place in ``models``."""

    folder: str
    models: tuple[dict[str, Any], ...]
    edges: tuple[dict[str, Any], ...]
    licenses: dict[str, int]  #: edges by verdict: kept, conflict, unknown
    likeness: dict[str, Any]
    mutations: tuple[dict[str, Any], ...]
    documentation: tuple[dict[str, Any], ...]
    baseline: dict[str, Any]
    notes: tuple[str, ...]
    data_sets: dict[str, Any]  #: found: names; documentation: as above; named: what cards say of them; inconsistent
    popularity: tuple[dict[str, Any], ...]  #: rank correlations, as `lineage.popularity` gives them
    overstated: dict[str, Any] | None  #: models whose card claims what an audit refuted

    @property
    def conflicts(self) -> list[dict[str, Any]]:
        """Edges whose child drops what its parent's license asks."""
        return [e for e in self.edges if e["license"]["verdict"] == "conflict"]


def survey(
    folder: str | Path,
    *,
    times: Mapping[str, float] | None = None,
    rules: Rules | None = None,
    level: float = 1e-4,
    popularity: Path | None = None,
    audits: Path | None = None,
    step: Callable[[int, int, str], None] | None = None,
) -> Survey:
    """Read and chart all models below a directory.

    Parameters
    ----------
    times
        {model: seconds since 1970}, better evidence than a card's date or the file's, which are used otherwise.
    level
        p-value of independence below which two models are of one family.
    popularity
        A CSV file with the columns model,downloads (or likes); without it, what the cards carry is used.
    audits
        A directory of audit reports; their estimates are set against popularity.
    """
    unread: list[str] = []
    entries = read_collection(Path(folder), times=times, step=step, unread=unread)
    table = distances(entries)
    edges, family = chart(entries, table, rules=rules, level=level)
    pairs = [(e.parent, e.child) for e in edges]
    cards = [e.model.card for e in entries]
    named = {e.name: e.model.card for e in entries}
    written = [filled(e.model.path) for e in entries]
    rows = [_edge(e, entries) for e in edges]
    verdicts = Counter(r["license"]["verdict"] for r in rows)
    return Survey(
        str(folder),
        tuple(
            _model(e, family[i], i in {c for _, c in pairs}) | {"sections": sorted(written[i][1])}
            for i, e in enumerate(entries)
        ),
        tuple(rows),
        {v: verdicts.get(v, 0) for v in ("kept", "conflict", "unknown")},
        likeness(cards, pairs, family),
        tuple(mutations(cards, pairs)),
        tuple(practice(written)),
        _baseline(entries, table, family, pairs),
        (*unread, *_notes(entries, family, edges)),
        beside(Path(folder), [e.model.path for e in entries], named),
        *correlated(named, {n: len(w[1]) for n, w in zip(named, written, strict=True)}, popularity, audits),
    )


def _model(entry: Entry, family: int, has_parent: bool) -> dict[str, Any]:
    return {
        "name": entry.name,
        "family": family,
        "root": not has_parent,
        "time": entry.time,
        "dated_by": entry.dated_by,
        "quantized": entry.quantized,
        "parameters": entry.model.weights.parameter_count,
        "license": list(license_of(entry.model.card)),
        "shape": entry.shape,
        "kurtosis": entry.kurtosis,
    }


def _edge(edge: Edge, entries: list[Entry]) -> dict[str, Any]:
    above, own = (license_of(entries[i].model.card) for i in (edge.parent, edge.child))
    verdict = judge(above, own)
    return {
        "parent": edge.parent, "child": edge.child, "rule": edge.rule, "distance": edge.distance,
        "p_value": edge.p_value, "license": verdict._asdict(),
    }  # fmt: skip


def _baseline(entries: list[Entry], table: Any, family: list[int], pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """MoTHer's edges both ways round, and how many of them the rules found too."""
    out = {}
    for grows in (True, False):
        found = heritage(entries, table, family, grows=grows)
        name = "kurtosis grows" if grows else "kurtosis falls"
        out[name] = {"edges": found, "also found by the rules": len(set(found) & set(pairs))}
    return out


def _notes(entries: list[Entry], family: list[int], edges: list[Edge]) -> list[str]:
    out = []
    if by_file := sum(e.dated_by == "file" for e in entries):
        out.append(
            f"{by_file} of {len(entries)} models are dated by their files only, which a copy or a download renews; the "
            "direction of their edges rests on that. Give --times to do better."
        )
    if alone := sum(not e.units for e in entries):
        out.append(f"{alone} models have no hidden units that could be compared, and no edges but those of cards.")
    if len(shapes := {e.shape for e in entries}) > 1:
        out.append(f"Models are compared within {len(shapes)} groups of one shape; between them only cards speak.")
    weak = [e for e in edges if e.rule == "card" and family[e.parent] != family[e.child]]
    if weak:
        out.append(
            f"{len(weak)} edges stand on a card alone: by their weights the two models are not told from strangers."
        )
    return out
