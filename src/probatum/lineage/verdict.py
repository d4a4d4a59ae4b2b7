"""From the tests of descent and the facts of all tensors to one word and one sentence."""

from __future__ import annotations

import math
from collections import Counter

from probatum.lineage.descent import Descent
from probatum.lineage.facts import Facts
from probatum.lineage.geometry import ALIKE, token_geometry
from probatum.lineage.kinds import Kind, casted, copy, cut, lora, mixed, pruned, quantized, scaled, tuned
from probatum.lineage.merging import Mix
from probatum.lineage.model import Model, base_models
from probatum.lineage.names import Named
from probatum.lineage.schemes import by_scheme, tuned_and_rounded


def kind_of(
    a: Model,
    b: Model,
    named: Named,
    found: Descent,
    tensors: list[Facts],
    *,
    level: float,
    rotated: bool,
    blend: Mix | None,
) -> Kind:
    """Judge; ``tensors`` are the facts of what could be laid side by side."""
    related = found.p_value <= level
    changed = [t for t in tensors if t.equal < 1]
    # Equal numbers in bulk need no test of places: nothing but copying makes them. Constants do not count, and one
    # table among many may be a formula's (sines of positions).
    varied = [t for t in tensors if t.varied]
    copied = 2 * sum(t.equal == 1 for t in varied) >= len(varied) > 0 and sum(t.entries for t in varied) >= 64
    if not related and not copied and not cut(changed):
        return _stranger(a, b, named, found)
    if rotated:
        return Kind("rotated", _rotated(a, b), notes=("What else was changed cannot be told through a rotation.",))
    notes = _notes(a, b, named, found, tensors)
    kind = copy(a, b, named, found, changed, tensors) or mixed(a, b, blend)
    for way in (casted, pruned, by_scheme, quantized, scaled, lora):
        kind = kind or way(a, b, changed, tensors)
    if kind is None:
        kind = tuned(a, b, changed, tensors, blend)
        notes = (*tuned_and_rounded(a, b, changed), *notes)
    return _reordered(a, b, found, kind, notes)


def _stranger(a: Model, b: Model, named: Named, found: Descent) -> Kind:
    units = max((t.units for t in found.tests), default=0)
    if units < 16:
        return Kind(
            "not established",
            f"Whether {a.name} and {b.name} are related is not established: "
            f"{'only ' + str(units) + ' units' if units else 'no units'} could be compared.",
        )
    best = max(found.tests, key=lambda t: t.units)
    geometry = token_geometry(a, b, named)
    if geometry >= ALIKE:
        return Kind(
            "not established",
            f"Whether {a.name} and {b.name} are related is not established: no unit of one was found in the other, but "
            f"their tokens stand to each other alike (correlation {geometry:.3f}), as those of strangers do not.",
            notes=("A copy that was reordered and rotated looks like this; so does one that took only embeddings.",),
            numbers={"token geometry": geometry},
        )
    return Kind(
        "independent",
        f"No sign that {a.name} and {b.name} share an ancestor: of {best.units} units {best.matched} stand alike, "
        f"where chance gives {best.expected:g}.",
        numbers={} if math.isnan(geometry) else {"token geometry": geometry},
        notes=(
            "A copy evades these tests if its hidden units were reordered and its residual stream rotated as well, or "
            "if it was distilled: no weight is then where it was.",
        ),
    )


def _rotated(a: Model, b: Model) -> str:
    return (
        f"{a.name} and {b.name} share an ancestor: their hidden units stand in one place, but what they take in was "
        "rotated in one of them."
    )


def _reordered(a: Model, b: Model, found: Descent, kind: Kind, notes: tuple[str, ...]) -> Kind:
    notes = (*kind.notes, *notes)
    order = found.reordering
    if order is None or not order.elsewhere:
        return Kind(kind.name, kind.sentence, kind.child, notes, kind.numbers)
    words = ["hidden units"] if order.moved else []
    words += ["residual dimensions"] if order.dimensions is not None else []
    what = " and ".join(words)
    sentence = (
        f"{a.name} is {b.name} with its {what} in another order ({order.agree} of {order.sampled} units were found "
        "again)."
    )
    if kind.name != "exact copy":
        sentence += f" Laid in order: {kind.sentence}"
    numbers = kind.numbers | {"units found again": order.agree, "units looked for": order.sampled, "also": kind.name}
    return Kind("permuted", sentence, kind.child, notes, numbers)


def _notes(a: Model, b: Model, named: Named, found: Descent, tensors: list[Facts]) -> tuple[str, ...]:
    out = []
    if found.moved_layers:
        for stack, layers in found.layers.items():
            repeated = [j for j, n in Counter(layers.values()).items() if n > 1]
            numbers = {int(n[len(stack) :].split(".")[0]) for n in named.b if n.startswith(stack)}
            missing = sorted(numbers - set(layers.values()))
            text = (
                f"Layers of {a.name} ({stack}0 to {max(layers)}) are layers {spans(list(layers.values()))} of {b.name}"
            )
            text += f"; {spans(sorted(repeated))} repeated" if repeated else ""
            out.append(text + (f"; {spans(missing)} dropped." if missing else "."))
    for name in named.shared:
        x, y = a.shapes[named.a[name]], b.shapes[named.b[name]]
        if x[1:] == y[1:] and x[:1] != y[:1] and any(t.name == name for t in tensors):
            out.append(f"{name} has {x[0]:,} rows in {a.name} and {y[0]:,} in {b.name}; the shared ones are compared.")
    if spoiled := sum(t.spoiled > 0 for t in tensors):
        out.append(f"{spoiled} tensors have numbers that are not finite; those were left out.")
    for model, parent in ((a, b), (b, a)):
        if parent.name in base_models(model.card):
            out.append(f"The card of {model.name} names {parent.name} as its base.")
    for model in (a, b):
        if model.unread:
            types = sorted(set(model.unread.values()))
            how = f"; its configuration says {model.method}" if model.method else ""
            out.append(
                f"{len(model.unread)} tensors of {model.name} ({', '.join(types)}{how}) cannot be read as numbers, "
                f"such as {min(model.unread)}."
            )
    return tuple(out)


def spans(numbers: list[int]) -> str:
    """``0–3, 5`` of 0, 1, 2, 3, 5; the order is kept."""
    parts: list[list[int]] = []
    for n in numbers:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(lo) if lo == hi else f"{lo}–{hi}" for lo, hi in parts)
