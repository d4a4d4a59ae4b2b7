"""A model that is stored in a scheme of few bits: is it the other one, rounded, or was something else done to it?"""

from __future__ import annotations

from collections import Counter

import numpy as np

from probatum.lineage.facts import Facts
from probatum.lineage.kinds import MOST, Kind
from probatum.lineage.model import Model
from probatum.lineage.rounding import Fit

#: Share of originals outside of their cell, from which on more than rounding was done; double quantization and scales
#: that are fitted to data leave some there.
OUTSIDE = 0.05
#: Error against the one that rounding leaves: of two models that are both rounded, and of tools that compensate errors.
TWICE, COMPENSATED = 1.25, 2.0


def by_scheme(a: Model, b: Model, changed: list[Facts], _: list[Facts]) -> Kind | None:
    """``quantized`` where the scheme explains the difference; None where it does not, or none is known."""
    hit = _hits(changed)
    if not hit:
        return None
    side = Counter(f.side for _, f in hit).most_common(1)[0][0]
    hit = [(t, f) for t, f in hit if f.side == side]
    error, allowed = (float(np.median(v)) for v in ([t.change for t, _ in hit], [f.allowed for _, f in hit]))
    numbers = {"scheme": _schemes(hit), "error": error, "error of rounding": allowed}
    if side == "xy":
        if error > TWICE * allowed:
            return None
        return Kind(
            "quantized",
            f"{a.name} ({_of(a)}) and {b.name} ({_of(b)}) are one model, quantized twice: they differ by {error:.2%} "
            f"where rounding makes {allowed:.2%}.",
            notes=("Numbers do not tell whether one was made of the other, or both of a third.",),
            numbers=numbers,
        )
    child, parent = (a, b) if side == "x" else (b, a)
    outside = float(np.median([f.outside for _, f in hit if f.outside is not None]))
    numbers |= {"share outside": outside}
    said = (
        f"{child.name} is {parent.name} quantized ({_schemes(hit)}): an error of {error:.2%} where this scheme allows "
        f"{allowed:.2%}"
    )
    who = "a" if child is a else "b"
    if outside <= OUTSIDE:
        return Kind("quantized", f"{said}; {1 - outside:.1%} of the numbers lie where rounding puts them.", who,
                    numbers=numbers)  # fmt: skip
    if any(f.exact for _, f in hit):
        return None
    if error <= COMPENSATED * allowed:
        note = "The error is larger than rounding leaves: it was compensated, as GPTQ does, or the model was tuned a "
        note += "little before; numbers do not tell which."
        return Kind("quantized", said + ".", who, (note,), numbers)
    left = float(np.median([f.left for _, f in hit if f.left is not None] or [np.inf]))
    if left <= COMPENSATED * allowed:
        return Kind(
            "quantized", f"{said}; {left:.2%} once rows and columns are scaled, as AWQ and SmoothQuant do.", who,
            numbers=numbers | {"error once scaled": left},
        )  # fmt: skip
    return None


def tuned_and_rounded(a: Model, b: Model, changed: list[Facts]) -> tuple[str, ...]:
    """What to say of a model that was tuned and is stored in a scheme: its own rounding does not explain the rest."""
    hit = _hits(changed)
    if not hit:
        return ()
    allowed = float(np.median([f.allowed for _, f in hit]))
    sides = {side for _, f in hit for side in f.side}
    who = " and ".join(f"{m.name} ({_of(m)})" for m, side in ((a, "x"), (b, "y")) if side in sides)
    return (f"{who} is quantized, but rounding alone would make an error of {allowed:.2%}: more was done.",)


def _hits(changed: list[Facts]) -> list[tuple[Facts, Fit]]:
    """The matrices that are stored in a scheme, if they are nearly all that changed."""
    matrices = [t for t in changed if not t.vector and not t.tokens] or [t for t in changed if not t.vector]
    hit = [(t, t.fit) for t in matrices if t.fit is not None]
    return hit if len(hit) >= MOST * len(matrices) else []


def _schemes(hit: list[tuple[Facts, Fit]]) -> str:
    counts = Counter(" from ".join(f.schemes) if f.side != "xy" else " and ".join(f.schemes) for _, f in hit)
    return ", ".join(name for name, _ in counts.most_common(4))


def _of(model: Model) -> str:
    return model.scheme or "not quantized"
