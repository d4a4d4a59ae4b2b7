"""Two model directories side by side, without data and without loading either: descent, differences, version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from probatum.core.errors import BadInput
from probatum.lineage.documents import Change, document_changes
from probatum.lineage.facts import Facts
from probatum.lineage.licenses import Verdict, judge, license_of
from probatum.lineage.model import front_matter
from probatum.lineage.names import layer_of
from probatum.lineage.naming import Naming, naming
from probatum.lineage.relation import LEVEL, Relation, relate
from probatum.lineage.versions import Version, silent, version
from probatum.lineage.weight_files import has_weights


@dataclass(frozen=True)
class LayerChange:
    """How far the matrices of one layer (or one tensor outside of the layers) moved: ‖ΔW‖ / ‖W‖ over all of them."""

    name: str
    change: float
    tensors: int
    equal: int


@dataclass(frozen=True)
class Differences:
    """All that `probatum compare` says of two directories. ``relation`` is None where ``unread`` says why."""

    a: str
    b: str
    relation: Relation | None
    unread: str
    changes: tuple[Change, ...]
    layers: tuple[LayerChange, ...]
    weights: str  #: equal, changed, unrelated, structure or unread
    version: Version
    silent: tuple[str, ...]
    categories: tuple[str, ...]
    licenses: Verdict | None  #: of b as parent and a as child, where they are related
    naming: Naming  #: a as the older, unless the numbers say that a was made of b


def compare_directories(
    a: str | Path,
    b: str | Path,
    *,
    other: str | Path | None = None,
    level: float = LEVEL,
    step: Callable[[int, int, str], None] | None = None,
) -> Differences:
    """Compare two model directories; parameters as of `probatum.lineage.relation.relate`.

    Of a GGUF file the documents are those of its directory.

    Raises
    ------
    BadInput
        One is neither a directory nor a GGUF file, or a file in it is not what its name says.
    """
    a, b = Path(a), Path(b)
    for folder in (a, b):
        if not (folder.is_dir() or has_weights(folder)):
            raise BadInput(f"{folder}: expected a model directory or a GGUF file, but there is none here")
    home = {place: place if place.is_dir() else place.parent for place in (a, b)}
    found, unread = None, ""
    if all(has_weights(f) for f in (a, b)):
        found = relate(a, b, other=other, level=level, step=step)
    else:
        bare = " and ".join(f.name for f in (a, b) if not has_weights(f))
        unread = f"the weights were not compared: {bare} has no safetensors and no GGUF"
    changes = document_changes(home[a], home[b])
    weights = _weights(found)
    kinds = {c.category for c in changes} | ({"parameters"} if weights not in ("equal", "unread") else set())
    parent, child = (a, b) if found and found.child == "b" else (b, a)
    names = [license_of(front_matter(home[f] / "README.md")) for f in (parent, child)]
    found_version = version(changes, weights, home[a], home[b])
    older, newer = (b, a) if found and found.child == "a" else (a, b)
    return Differences(
        str(a),
        str(b),
        found,
        unread,
        tuple(changes),
        layer_changes(found.tensors) if found else (),
        weights,
        found_version,
        silent(changes, weights, a, b),
        tuple(sorted(kinds)),
        judge(*names) if found and found.related and any(names) else None,
        naming(older, newer, weights, found_version),
    )


def layer_changes(tensors: tuple[Facts, ...]) -> tuple[LayerChange, ...]:
    """Relative change by layer, the largest first."""
    groups: dict[str, list[Facts]] = {}
    for t in tensors:
        place = layer_of(t.name)
        groups.setdefault(f"{place[0]}{place[1]}" if place else t.name.removesuffix(".weight"), []).append(t)
    rows = []
    for name, members in groups.items():
        finite = [t for t in members if np.isfinite(t.change)]
        size = sum(t.entries for t in finite)
        change = float(np.sqrt(sum(t.entries * t.change**2 for t in finite) / size)) if size else float("nan")
        rows.append(LayerChange(name, change, len(members), sum(t.equal == 1 for t in members)))
    return tuple(sorted(rows, key=lambda r: (-r.change, r.name)))


def _weights(found: Relation | None) -> str:
    if found is None:
        return "unread"
    if found.only_a or found.only_b or found.reshaped or found.moved_layers:
        return "structure"
    if found.kind == "independent":
        return "unrelated"
    return "equal" if found.kind == "exact copy" and found.numbers.get("equal") == "yes" else "changed"
