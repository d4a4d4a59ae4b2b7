"""Before anything is believed: clipped sums of two cut units against plain automatic differentiation, once per model.

It finds what rules cannot: a layer that also uses its weight behind the hook's back, a module that does more than its
class says, a decoder in which rows see each other. The loss given by the user is not its business: that is what the
sensitivity probe (`private_probe`) is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.clip_plan import Unit

if TYPE_CHECKING:
    from probatum.engine.clipping import Clipping

_PLACES = 48
_ROWS = 3
_AT_LEAST = 8
#: Share of the largest parameter's gradient below which differences are rounding.
_SMALL = 1e-3
_TOLERANCE = 1e-3
_IN_HALF_PRECISION = 0.1


def check_against_autograd(clipping: Clipping, units: Sequence[Unit]) -> None:
    """Compare sums and norms.

    Raises
    ------
    BadInput
        They differ by more than 0.1 % (10 % in half precision); the sentence names the worst parameter.
    """
    cut = _cut(units)
    if not cut:
        return
    got, norms = clipping.unchecked(cut, float("inf"), loss="mean")
    expected, own = dict.fromkeys(got, 0.0), []
    for unit in cut:
        found = gradient_of(clipping, unit)
        own.append(sum(float(g.double().square().sum()) for g in found.values()) ** 0.5)
        expected = {name: expected[name] + found[name] for name in got}
    exact = clipping.precision is None and all(p.dtype.itemsize >= 4 for p in clipping.model.parameters())
    slack = _TOLERANCE if exact else _IN_HALF_PRECISION
    sizes = {name: float(e.norm()) for name, e in expected.items()}  # type: ignore[attr-defined]
    floor = _SMALL * max(sizes.values())
    off = {name: float((got[name] - e).norm()) / (sizes[name] + floor) for name, e in expected.items()}
    worst = max(off, key=lambda name: off[name])
    by_norm = float(np.max(np.abs(norms - own) / np.maximum(own, 1e-30)))
    if not (off[worst] <= slack and by_norm <= slack):
        raise BadInput(
            f"{clipping.name}: the gradient of {worst}, made unit by unit, differs from automatic differentiation by "
            f"{max(off[worst], by_norm):.1%}, so it cannot be clipped; freeze it, or train an adapter (LoRA)"
        )


def gradient_of(clipping: Clipping, unit: Unit) -> dict[str, Any]:
    """{name: gradient} of one unit's loss (mean over a row's tokens, summed over rows), row by row, by autograd."""
    torch, trainable = clipping.torch, clipping.layers.trainable
    total = clipping.zeros()
    for row in unit:
        if len(row) < 2:
            continue
        ids = torch.from_numpy(np.asarray(row).astype(np.int64)).to(clipping.device)
        mixed = torch.autocast(clipping.device.type, clipping.precision) if clipping.precision else nullcontext()
        with torch.enable_grad(), mixed:
            logits = clipping.model(input_ids=ids[None, :-1], use_cache=False).logits[0]
            logits = logits.float() if logits.dtype.itemsize < 4 else logits
            loss = torch.nn.functional.cross_entropy(logits, ids[1:])
            found = torch.autograd.grad(loss, list(trainable.values()), allow_unused=True)
        for name, gradient in zip(trainable, found, strict=True):
            if gradient is not None:
                total[name] += gradient
    return total


def _cut(units: Sequence[Unit]) -> list[Unit]:
    """A short unit, and the longest cut to a length at which both go together, with some padding."""
    spoken = [[r for r in rows if len(r) > 1][:_ROWS] for rows in units]
    spoken = sorted((rows for rows in spoken if rows), key=lambda rows: max(map(len, rows)))
    if not spoken:
        return []
    short = next((rows for rows in spoken if max(map(len, rows)) > _AT_LEAST), spoken[-1])
    rows = min(len(short), len(spoken[-1]))
    first = [r[: _PLACES + 1] for r in short[:rows]]
    longest = max(map(len, first))
    return [first, [r[: max(2, (longest - 1) * 4 // 3 + 1)] for r in spoken[-1][:rows]]]
