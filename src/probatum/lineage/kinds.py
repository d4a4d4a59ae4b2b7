"""What may have been done to a model, each told from the facts of all tensors; None where it was not that."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from probatum.lineage.copies import equal_bytes
from probatum.lineage.descent import Descent
from probatum.lineage.facts import Facts
from probatum.lineage.merging import Mix
from probatum.lineage.model import Model
from probatum.lineage.names import Named, partners

MOST = 0.8  #: share of the changed matrices that has to look alike


@dataclass(frozen=True)
class Kind:
    """One word for a relation, its sentence, who was made of whom, and what else is to be said."""

    name: str
    sentence: str
    child: str = ""
    notes: tuple[str, ...] = ()
    numbers: dict[str, Any] = field(default_factory=dict)


def copy(a: Model, b: Model, named: Named, found: Descent, changed: list[Facts], tensors: list[Facts]) -> Kind | None:
    if changed or not tensors:
        return None
    pairs = partners(a.shapes, b.shapes, named, found.layers)
    same, where = equal_bytes(a, b, pairs) if found.reordering is None else ("sample", "")
    extra = len(a.shapes) != len(pairs) or len(b.shapes) != len(pairs)
    n = sum(t.entries for t in tensors)
    if same == "no":
        return Kind(
            "edited",
            f"{a.name} is {b.name} with a few numbers changed: the {n:,} numbers that were sampled are equal, "
            f"others of {where} are not.",
        )
    if same == "yes":
        what = "The tensors that both have are equal, bit by bit" if extra else "All weights are equal, bit by bit"
        return Kind("exact copy", f"{a.name} is a copy of {b.name}. {what}.", numbers={"equal": "yes"})
    how = "all numbers, stored otherwise," if same == "values" else f"the {n:,} numbers that were compared"
    return Kind("exact copy", f"{a.name} is a copy of {b.name}: {how} are equal.", numbers={"equal": same})


def mixed(a: Model, b: Model, blend: Mix | None) -> Kind | None:
    if blend is None or not blend.merged:
        return None
    low, high = blend.spread
    spread = f" ({low:.2f} to {high:.2f} by tensor)" if high - low > 0.02 else ""
    return Kind(
        "merged",
        f"{a.name} is a merge: {blend.first:.3f} · {b.name} + {blend.second:.3f} · {blend.other}{spread}, which leaves "
        f"{blend.left:.2%} of its distance from {b.name}.",
        "a",
        numbers={"p of the second parent": blend.p_value, "share of distance left": blend.left},
    )


def casted(a: Model, b: Model, changed: list[Facts], _: list[Facts]) -> Kind | None:
    casts = Counter(t.cast for t in changed)
    (cast, count), *_rest = casts.most_common(1)
    if not cast or count < len(changed):
        return None
    side, dtype = cast.split()
    child, parent = (a, b) if side == "x" else (b, a)
    return Kind(
        "cast", f"{child.name} is {parent.name} rounded to {dtype}, number by number.", "a" if child is a else "b"
    )


def cut(changed: list[Facts]) -> str:
    """Which one was pruned: zeros where the other has none, and the rest equal."""
    matrices = [t for t in changed if not t.vector]
    for side in ("x", "y"):
        cut = [t for t in matrices if (t.cut_x if side == "x" else t.cut_y) >= 0.01 and t.rest_equal >= 0.999]
        if matrices and len(cut) >= MOST * len(matrices):
            return side
    return ""


def pruned(a: Model, b: Model, changed: list[Facts], _: list[Facts]) -> Kind | None:
    side = cut(changed)
    if not side:
        return None
    child, parent = (a, b) if side == "x" else (b, a)
    matrices = [t for t in changed if not t.vector]
    share = float(np.median([t.cut_x if side == "x" else t.cut_y for t in matrices]))
    return Kind(
        "pruned",
        f"{child.name} is {parent.name} pruned: {share:.0%} of the numbers of {len(matrices)} matrices are 0, the "
        "others are equal.",
        "a" if child is a else "b",
        numbers={"share pruned": share},
    )


def quantized(a: Model, b: Model, changed: list[Facts], _: list[Facts]) -> Kind | None:
    matrices = [t for t in changed if not t.vector]
    for side in ("x", "y"):
        hit = [t for t in matrices if t.rounded[:1] == side]
        if not matrices or len(hit) < MOST * len(matrices):
            continue
        child, parent = (a, b) if side == "x" else (b, a)
        levels = max(t.levels for t in hit)
        groups = Counter(t.group for t in hit).most_common(1)[0][0]
        plain = sum(t.rounded == side for t in hit) >= len(hit) / 2
        how = "every number is a rounding of the other's" if plain else "few values, but not by plain rounding"
        return Kind(
            "quantized",
            f"{child.name} is {parent.name} quantized: at most {levels} values a "
            f"{'group of ' + str(groups) if groups else 'row'} in {len(hit)} of {len(matrices)} matrices; {how}.",
            "a" if child is a else "b",
            numbers={"levels": levels, "bits": math.ceil(math.log2(max(levels, 2))), "group": groups},
        )
    return None


def scaled(a: Model, b: Model, changed: list[Facts], _: list[Facts]) -> Kind | None:
    hit = [t for t in changed if t.scaled]
    if not hit or len(hit) < MOST * len([t for t in changed if not t.vector or t.scaled]):
        return None
    how = Counter(t.scaled for t in hit).most_common(1)[0][0]
    scales = [t.scale for t in hit]
    return Kind(
        "scaled",
        f"{a.name} is {b.name} scaled ({how}): in {len(hit)} tensors the ratio of the numbers is constant, by tensor "
        f"{min(scales):.3g} to {max(scales):.3g}.",
        numbers={"scaled tensors": len(hit), "ratios": [min(scales), max(scales)]},
    )


def lora(a: Model, b: Model, changed: list[Facts], rest: list[Facts]) -> Kind | None:
    matrices = [t for t in changed if not t.vector and not t.tokens]
    low = [t for t in matrices if t.rank is not None]
    if not matrices or len(low) < MOST * len(matrices):
        return None
    ranks = [t.rank for t in low if t.rank is not None]
    where = Counter(t.name.removesuffix(".weight").rpartition(".")[2] for t in low)
    total = sum(not t.vector and not t.tokens for t in rest)
    span = f"{min(ranks)}" if min(ranks) == max(ranks) else f"{min(ranks)} to {max(ranks)}"
    return Kind(
        "LoRA-merged",
        f"{a.name} and {b.name} differ by a matrix of rank {span} in {len(low)} of {total} matrices "
        f"({', '.join(sorted(where)[:6])}), as a merged LoRA leaves it.",
        numbers={"rank": max(ranks), "matrices of low rank": len(low)},
    )


def tuned(a: Model, b: Model, changed: list[Facts], tensors: list[Facts], blend: Mix | None) -> Kind:
    matrices = [t for t in changed if not t.vector]
    sizes = [t.change for t in (matrices or changed)]
    frozen = len(tensors) - len(changed)
    unclear = [t for t in matrices if t.noise > 0.25]
    notes = ["Numbers do not tell which of the two came first, or whether both come from a third."]
    if len(unclear) > len(matrices) / 2:
        notes.append("The differences are near the rounding of the numbers: a low rank could not be told.")
    if blend is not None:
        notes.append(f"It is no merge of {b.name} and {blend.other}: {blend.left:.0%} of the distance are left.")
    return Kind(
        "fine-tuned",
        f"{a.name} and {b.name} share an ancestor and were trained apart since: {len(changed)} of {len(tensors)} "
        f"tensors differ, by {np.median(sizes):.2g} of their length (median)"
        + (f"; {frozen} are equal." if frozen else "."),
        notes=tuple(notes),
    )
