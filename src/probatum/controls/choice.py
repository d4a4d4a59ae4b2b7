"""Which cases prove a probe: the planted set of its kind of data, a set that it names, or its own function."""

from __future__ import annotations

from collections.abc import Callable

from probatum.controls import (
    cases,
    contamination,
    decisions,
    documents,
    error_rates,
    forgetting,
    guarantees,
    memorization,
    planted_files,
)
from probatum.controls.sets import KIND_OF, UNITS, builtin
from probatum.core.catalogue import Expected, Method
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
    "certificates": guarantees.certificates,
    "decisions": decisions.decisions,
    "contamination": contamination.contamination,
    "card_sections": documents.card_sections,
    "openness": documents.openness,
    "reuse_attributes": documents.reuse_attributes,
    "release_checklist": documents.release_checklist,
    "error_rates": error_rates.error_rates,
    "planted_files": planted_files.planted_files,
}


def controls_for(method: Method, open_model: Opener) -> list[Control]:
    """The cases of a probe: a named set, its own function, or by default the planted set of its first kind of data."""
    if method.items:
        return _answering(method)
    if method.expected:
        return forgetting.cases(method)
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


def _answering(method: Method) -> list[Control]:
    """A task's null responders and its oracle on generated items, each with the score that theory gives it."""
    from probatum.controls.responders import ORACLE, RULES, answerers
    from probatum.sets import known
    from probatum.sets.finding import generated

    lacking = sorted(set(RULES) - set(method.nulls))
    if lacking:
        raise ValueError(f"{method.name} does not say what these responders score: {', '.join(lacking)}")
    items = generated(known()[method.items])
    return [
        Control(
            who.name,
            "positive" if who.name == ORACLE else "negative",
            who,
            {"Items": items},
            expected=allowed(method.nulls[who.name], who.name, len(items)),
        )
        for who in answerers(items)
    ]


def allowed(expected: Expected, name: str, n: int) -> tuple[float, float]:
    """From what a task declares of a responder to what it may score on ``n`` items; (NaN, NaN): it has no score."""
    if expected is None:
        return (float("nan"), float("nan"))
    if isinstance(expected, tuple):
        return expected
    spread = 4 * (expected * (1 - expected) / n) ** 0.5 if name == "random" and 0 <= expected <= 1 else 1e-6
    return (expected - spread, expected + spread)


def _named(name: str) -> Callable[[Opener], list[Control]]:
    if name not in NAMED:
        raise ValueError(f"no control set is called '{name}'; there are {', '.join(NAMED)}")
    return NAMED[name]
