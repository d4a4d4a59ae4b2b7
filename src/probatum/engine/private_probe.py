"""Does one unit move the clipped sum by at most C? Asked of the very run, on pairs of its own data.

The bound ‖S(D) − S(D′)‖ ≤ C for sets that differ by one unit is all that differential privacy needs of the gradient,
and bugs break it without a trace: a loss that is averaged over the batch scales every gradient by the other records'
lengths (5.5 C was measured), a weight that is used twice is clipped as if it were two, a batch statistic ties records
together. Pairs hold length outliers on purpose, and the empty batch. Each pair is looked at twice: at the run's C, and
at the largest norm in the pair, where nothing is clipped yet and a change of scale cannot hide behind the clipping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.clip_plan import Unit
from probatum.engine.clipping import Clipping

SLACK = 1e-5
PAIRS = 20
_LARGEST = 16
_SHORT = 7


@dataclass(frozen=True)
class Sensitivity:
    """What was found.

    Attributes
    ----------
    ratio
        Largest ‖S(D) − S(D′)‖ / C.
    pairs
        Pairs that were compared.
    worst_kind, worst_tokens, worst_limit
        Of the pair with that ratio: how it was made, the longest row of the unit by which it differs, in tokens, and
        the C that it was taken at.
    """

    ratio: float
    pairs: int
    worst_kind: str
    worst_tokens: int
    worst_limit: float

    @property
    def holds(self) -> bool:
        """Whether the bound holds but for rounding; false for a ratio that is no number."""
        return self.ratio <= 1 + SLACK

    def require(self) -> None:
        """Raise `BadInput` where it does not."""
        if not self.holds:
            raise BadInput(
                f"one unit moves the clipped sum by {self.ratio:.4g} times max_grad_norm ({self.worst_kind}, "
                f"{self.worst_tokens} tokens), so no epsilon can be certified: the loss of a unit must not depend on "
                "other units (no mean over the batch), and every use of a weight must be clipped"
            )


def sensitivity(
    clipping: Clipping, units: Sequence[Unit], max_grad_norm: float, rng: np.random.Generator, *, pairs: int = PAIRS
) -> Sensitivity:
    """Compare ``pairs`` pairs (D, D plus one unit) of at most 16 units and one.

    Raises
    ------
    BadInput
        No unit has a gradient.
    """
    spoken = [i for i, rows in enumerate(units) if any(len(r) > 1 for r in rows)]
    if not spoken:
        raise BadInput("the sensitivity of the clipped sum cannot be probed: no unit has two tokens")
    seen = []
    for number in range(pairs):
        kind = _KINDS[number % len(_KINDS)]
        batch, one = _pair(kind, [units[i] for i in spoken], rng)
        # Padded alike with and without the one: only what it does to the others' losses is to be seen.
        together = max(len(r) - 1 for rows in [*batch, one] for r in rows) if "among" in kind else 0
        largest = 0.0
        for at_largest in (False, True):
            limit = largest if at_largest else max_grad_norm
            if not limit > 0:
                continue
            without, norms = clipping(batch, limit, together=together)
            whole, more = clipping([*batch, one], limit, together=together)
            largest = float(np.max([0.0, *norms, *more]))
            moved = sum(float((whole[name] - s).double().square().sum()) for name, s in without.items()) ** 0.5
            seen.append((moved / limit, kind, max(map(len, one)), limit))
    ratio, kind, tokens, limit = max(seen, key=lambda s: (np.isnan(s[0]), s[0]))
    return Sensitivity(ratio, pairs, kind, tokens, limit)


_KINDS = (
    "the empty batch",
    "a long unit among equal short ones",
    "drawn from the data",
    "a short unit among long ones",
    "drawn from the data",
)


def _pair(kind: str, units: Sequence[Unit], rng: np.random.Generator) -> tuple[list[Unit], Unit]:
    """D and the unit that D′ has beyond it; short ones are cut from the data, since data may be of one length."""
    longest = max(units, key=lambda rows: max(map(len, rows)))
    drawn = [units[i] for i in rng.choice(len(units), int(rng.integers(1, _LARGEST + 1)))]
    one = units[int(rng.integers(len(units)))]
    if kind == "the empty batch":
        return [], one
    if kind == "a long unit among equal short ones":
        return [_cut(drawn[0], _SHORT)] * _LARGEST, longest  # what moves them moves them all one way
    if kind == "a short unit among long ones":
        size = max(map(len, longest))
        long = [unit for unit in units if 2 * max(map(len, unit)) >= size]
        return [long[i % len(long)] for i in range(len(drawn))], _cut(one, int(rng.integers(2, _SHORT)))
    return drawn, one


def _cut(unit: Unit, tokens: int) -> Unit:
    return [row[:tokens] for row in unit]
