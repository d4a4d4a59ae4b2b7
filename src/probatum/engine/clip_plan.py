"""Which units go through the model together, and how each parameter's gradients are kept meanwhile.

Costs are in floating-point operations beyond a plain backward pass. To make a unit's gradient of a matrix costs no
product more (all units together are one plain product), but its numbers are written, read for the norm and read for the
sum: about 40 operations' time each on one core (measured: 20 / T of the weight gradient). Gram matrices cost
2 T² (rows + columns), and the product for the sum comes on top. One unit alone is one of the candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

_TRAFFIC = 40.0
_ROUND = 16
_CLEARLY = 0.02

#: A privacy unit: the token ids of its rows.
Unit = Sequence[np.ndarray]


@dataclass
class Pace:
    """How many padded tokens go together at most: each candidate is tried so often, then the quickest stays.

    What is quickest is the cache's secret: more rows save calls, fewer stay in it. Nothing but speed depends on it.
    """

    candidates: Sequence[int]
    trials: int = 3
    _seen: dict[int, list[float]] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """The next to try, or the quickest."""
        if len(self.candidates) == 1:
            return self.candidates[0]
        untried = [c for c in self.candidates if len(self._seen.get(c, ())) < self.trials]
        if untried:
            return min(untried, key=lambda c: len(self._seen.get(c, ())))
        # The first is the usual best, and a little quicker is a quiet moment rather than a better size.
        slack = {self.candidates[0]: 1 - _CLEARLY}
        return min(self.candidates, key=lambda c: min(self._seen[c]) * slack.get(c, 1.0))

    def took(self, tokens: int, seconds: float, of: int) -> None:
        """So long for so many real tokens with the candidate ``of``; too few tokens tell nothing."""
        if of in self.candidates and tokens >= max(self.candidates) and len(self._seen.get(of, ())) < self.trials:
            self._seen.setdefault(of, []).append(seconds / tokens)

    def at_most(self, tokens: int) -> None:
        """More do not fit."""
        self.candidates = [min(c, tokens) for c in self.candidates if c <= tokens] or [max(1, tokens)]


@dataclass(frozen=True)
class Costs:
    """Of a model: shapes of trainable parameters, which of them are only looked up, bytes kept a token and a number.

    half
        Products are in half precision. There the padding of a companion moves a unit's gradient by up to 0.5 %, and no
        margin bounds what a thousand such moves add up to. So a unit's padding and ways depend on itself alone, and
        only units of one shape go together, which was found to leave every bit as it is.
    context
        Places that a row may have.
    """

    shapes: Mapping[str, tuple[int, ...]]
    looked_up: frozenset[str]
    token_bytes: int
    number_bytes: int
    half: bool = False
    context: int | None = None


@dataclass(frozen=True)
class Plan:
    """Units that go together (their numbers), padded to ``rows`` rows of ``places`` places; ``chunk`` rows at a time.

    way: per parameter "dense", "factors" or "lookup". More than one chunk only where a single unit is too large.
    """

    units: tuple[int, ...]
    rows: int
    places: int
    chunk: int
    way: Mapping[str, str]


def way_of(costs: Costs, units: int, places: int, chunked: bool = False) -> dict[str, str]:
    """Per parameter the cheaper way, for ``units`` units of ``places`` places each."""
    found = {}
    for name, shape in costs.shapes.items():
        if len(shape) != 2 or chunked:
            found[name] = "dense"
        elif name in costs.looked_up:
            found[name] = "lookup"
        else:
            rows, columns = shape
            grams = 2.0 * places**2 * (rows + columns)
            # One unit alone needs no second product either way.
            worth = (units > 1 or costs.half) and grams < _TRAFFIC * rows * columns
            found[name] = "factors" if worth else "dense"
    return found


def bytes_of(costs: Costs, units: int, places: int) -> int:
    """Memory that so many units of so many places take beside the model."""
    way = way_of(costs, units, places)
    made = sum(int(np.prod(costs.shapes[name])) for name, kind in way.items() if kind == "dense")
    kept = sum(places * sum(costs.shapes[name]) for name, kind in way.items() if kind == "factors")
    return units * (costs.number_bytes * (made + kept) + places * costs.token_bytes)


def plans(units: Sequence[Unit], costs: Costs, budget: int, tokens: int, together: int = 0) -> list[Plan]:
    """All units once, largest first, at most about ``tokens`` padded tokens together (one unit may have more).

    Units with another number of rows, or of less than two thirds of the length, do not go together: what is padded is
    computed for nothing. With ``together`` all do that fit the budget, padded to so many places.
    """
    shape = [(len(rows), together or _places(max(len(r) - 1 for r in rows), costs)) for rows in units]
    order = sorted(range(len(units)), key=lambda i: shape[i], reverse=True)
    found, at = [], 0
    while at < len(order):
        rows, places = shape[order[at]]
        end = at + 1
        while end < len(order):
            more, (other, length) = end + 1 - at, shape[order[end]]
            unlike = length < places if costs.half else 3 * length < 2 * places
            large = more * rows * places > tokens and not together
            if other != rows or unlike or large or bytes_of(costs, more, rows * places) > budget:
                break
            end += 1
        chunk = rows
        if end == at + 1 and rows > 1:
            chunk = min(rows, max(1, budget // max(1, places * costs.token_bytes), tokens // places))
        way = way_of(costs, end - at, rows * places, chunk < rows)
        found.append(Plan(tuple(order[at:end]), rows, places, chunk, way))
        at = end
    return found


def _places(length: int, costs: Costs) -> int:
    """What a row of this length is padded to."""
    if not costs.half:
        return length
    rounded = -(-length // _ROUND) * _ROUND
    return max(length, min(rounded, costs.context or rounded))
