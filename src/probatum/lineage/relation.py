"""The relation of two model directories in one word, one sentence, and the numbers behind both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from probatum.lineage.blocks import blocks
from probatum.lineage.descent import TESTS, Descent, Test, descent
from probatum.lineage.facts import Facts, facts
from probatum.lineage.kinds import Kind
from probatum.lineage.merging import Mix, mix
from probatum.lineage.model import Model, open_model
from probatum.lineage.names import Named, common_names, partners
from probatum.lineage.verdict import kind_of

#: Below this p-value of independence two models are said to be related.
LEVEL = 0.001


@dataclass(frozen=True)
class Relation:
    """What ``a`` has to do with ``b``.

    ``kind`` is one of: exact copy, edited, cast, scaled, pruned, quantized, LoRA-merged, merged, fine-tuned,
    permuted, rotated, independent, not established. ``child`` is "a" or "b" where the numbers tell which was made
    of which, else "".
    ``p_value`` is that of independence; None where no test could be made.
    """

    kind: str
    sentence: str
    child: str
    p_value: float | None
    level: float
    tests: tuple[Test, ...]
    numbers: dict[str, Any]
    tensors: tuple[Facts, ...] = ()
    layers: dict[str, dict[int, int]] = field(default_factory=dict)
    moved_layers: bool = False
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def related(self) -> bool:
        """Is there evidence of a common ancestor?"""
        return self.kind not in ("independent", "not established")


def relate(
    a: str | Path | Model,
    b: str | Path | Model,
    *,
    other: str | Path | Model | None = None,
    level: float = LEVEL,
    step: Callable[[int, int, str], None] | None = None,
) -> Relation:
    """Say what two models have to do with each other, from samples of their weights.

    Parameters
    ----------
    other
        A second possible parent of ``a``: is ``a`` a merge of ``b`` and this one?
    level
        Error that is allowed when two models are called related, in (0, 1).
    step
        Called with (done, total, tensor) while tensors are read.
    """
    a, b = (m if isinstance(m, Model) else open_model(m) for m in (a, b))
    third = open_model(other) if other is not None and not isinstance(other, Model) else other
    named = common_names(a.shapes, b.shapes)
    found = descent(a, b, level=level, named=named)
    lone = _lone(a, b, named, found)
    if not found.tests and not _equal_names(a, b, named):
        return _unknown(a, b, level, lone)
    related = found.p_value <= level
    rotated = related and all(t.p_value * TESTS > level for t in found.tests if t.name != "units, up to rotation")
    tensors: list[Facts] = []
    if not rotated and (related or found.reordering is None):
        shared = partners(a.shapes, b.shapes, named, found.layers)
        for block in blocks(a, b, named, found):
            if step:
                step(len(tensors), len(shared), block.name)
            tensors.append(facts(block))
    blend: Mix | None = None
    if isinstance(third, Model) and related and not rotated:
        blend = mix(a, b, third, named, level=level)
    kind = kind_of(a, b, named, found, tensors, level=level, rotated=rotated, blend=blend)
    return Relation(
        kind.name,
        kind.sentence,
        kind.child,
        found.p_value if found.tests else None,
        level,
        found.tests,
        _numbers(found, tensors, kind),
        tuple(tensors),
        found.layers if found.moved_layers else {},
        found.moved_layers,
        *lone,
        notes=kind.notes,
    )


def _equal_names(a: Model, b: Model, named: Named) -> bool:
    """No unit can be tested, but tensors of one name and shape can be compared."""
    return any(a.shapes[named.a[n]] == b.shapes[named.b[n]] and len(a.shapes[named.a[n]]) for n in named.shared)


def _lone(a: Model, b: Model, named: Named, found: Descent) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Tensors of only one of the models, and those of one name whose shapes differ."""
    shared = partners(a.shapes, b.shapes, named, found.layers)
    used = {other for _, other in shared.values()}
    reshaped = {n for n in named.shared if len(a.shapes[named.a[n]]) and n not in shared and not found.moved_layers}
    only_a = tuple(own for n, own in named.a.items() if n not in shared and n not in reshaped)
    only_b = tuple(own for n, own in named.b.items() if own not in used and n not in reshaped)
    return only_a, only_b, tuple(sorted(reshaped))


def _unknown(a: Model, b: Model, level: float, lone: tuple[tuple[str, ...], ...]) -> Relation:
    sentence = (
        f"Whether {a.name} and {b.name} are related is not established: they share no tensor of one name and shape."
    )
    return Relation("not established", sentence, "", None, level, (), {}, (), {}, False, *lone)


def _numbers(found: Descent, tensors: list[Facts], kind: Kind) -> dict[str, Any]:
    matrices = [t for t in tensors if not t.vector]
    changed = [t for t in matrices if t.equal < 1]
    out: dict[str, Any] = {
        "tensors compared": len(tensors),
        "numbers compared": int(sum(t.entries for t in tensors)),
        "tensors equal": sum(t.equal == 1 for t in tensors),
        "matrices changed": len(changed),
    }
    if changed:
        out["median relative change of a matrix"] = float(np.median([t.change for t in changed]))
        out["median cosine of a matrix"] = float(np.nanmedian([t.cosine for t in changed]))
    return out | kind.numbers
