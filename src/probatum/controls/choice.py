"""Which cases prove a probe: the planted set of its kind of data, a set that it names, or its own function."""

from __future__ import annotations

from collections.abc import Callable

from probatum.controls import cases, guarantees, memorization
from probatum.controls.sets import KIND_OF, UNITS, builtin
from probatum.core.catalogue import Method
from probatum.core.control import Control
from probatum.core.target import Opener

#: Sets that a probe may name with ``control=``.
NAMED: dict[str, Callable[[Opener], list[Control]]] = {
    "lineage": cases.lineage,
    "claims": cases.claims,
    "knowledge": memorization.knowledge,
    "forecast": memorization.forecast,
    "randomized_response": guarantees.randomized_response,
    "directions": guarantees.directions,
    "training_logs": guarantees.training_logs,
}


def controls_for(method: Method, open_model: Opener) -> list[Control]:
    """The cases of a probe: a named set, its own function, or by default the planted set of its first kind of data."""
    if callable(method.control):
        return list(method.control(open_model))
    if method.control is not None:
        return _named(method.control)(open_model)
    kinds = list(method.signature.data.values())
    name = next((n for n, kind in KIND_OF.items() if kinds and kind.__name__ == kinds[0]), None)
    if name is None:
        return []
    data = builtin("control")
    unit = UNITS.get(name, "exposures")
    # The positive and the negative case differ in one thing: the twin never saw what was planted.
    return [
        Control("planted", "positive", "specimen", data, {"reference": "base"}, unit=unit),
        Control("never planted", "negative", "twin", data, {"reference": "base"}, unit=unit),
    ]


def _named(name: str) -> Callable[[Opener], list[Control]]:
    if name not in NAMED:
        raise ValueError(f"no control set is called '{name}'; there are {', '.join(NAMED)}")
    return NAMED[name]
