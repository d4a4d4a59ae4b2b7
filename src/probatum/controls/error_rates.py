"""Decisions by rule with a known share of errors, on the planted people of `controls.decisions`."""

from __future__ import annotations

from probatum.controls.decisions import EACH, Decider, people, unequal
from probatum.core.control import Control
from probatum.core.draws import keyed
from probatum.core.target import Opener


def error_rates(_: Opener) -> list[Control]:
    """Rates that are planted exactly, and deciders who are always right, constant, or toss a coin."""
    data = {"Rows": people()}
    cases = [(f"gap {gap:g}", unequal(gap), 0.1 + gap / 4) for gap in (0.0, 0.1, 0.4)]
    cases += [
        ("always yes", Decider("always yes", lambda group, label, n: 1.0), 0.5),
        ("always wrong", Decider("always wrong", lambda group, label, n: float(not label)), 1.0),
    ]
    coin = Decider("coin", lambda group, label, n: float(keyed("error", group, label, n).random() < 0.5))
    spread = 4 * (0.25 / (4 * EACH)) ** 0.5
    return [
        *(Control(name, "positive", who, data, expected=(rate - 1e-6, rate + 1e-6)) for name, who, rate in cases),
        Control("coin", "positive", coin, data, expected=(0.5 - spread, 0.5 + spread)),
        Control(
            "oracle", "negative", Decider("oracle", lambda group, label, n: float(label)), data, expected=(0.0, 0.0)
        ),
    ]
