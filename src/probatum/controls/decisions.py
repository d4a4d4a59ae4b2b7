"""Decisions by rule on planted people: constant, random, always right, and unequal by a known amount."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import Rows
from probatum.core.draws import keyed
from probatum.core.target import Opener, Target

EACH = 200  #: people of each group and label
GAPS = (0.05, 0.1, 0.2, 0.4)  #: planted differences of the true positive rate


class Decider(Target):
    """Decides by a rule that gets the number of the person within their group and label."""

    kind = "responder"
    access = Access.LABELS

    def __init__(self, name: str, rule: Callable[[str, bool, int], float]):
        self.name = self.digest = self.tokenizer_digest = name
        self._rule = rule

    def predict(self, rows: Rows) -> np.ndarray:
        """The rule's decision on every row of `people`."""
        parts = [i.split() for i in rows.ids]
        return np.array([self._rule(group, label == "yes", int(n)) for group, label, n in parts], dtype=float)


def people() -> Rows:
    """Two groups of equal size, in each one half of which deserves a yes; ids say who is who."""
    rows = [
        {
            "id": f"{group} {'yes' if label else 'no'} {n}",
            "prediction": False,
            "label": label,
            "groups": [f"group={group}"],
        }
        for group in ("a", "b")
        for label in (True, False)
        for n in range(EACH)
    ]
    return Rows.from_rows(rows, "planted people", name="planted people")


def unequal(gap: float) -> Decider:
    """True positive rates of .9 and .9 − gap, false positive rates of .1."""

    def rule(group: str, label: bool, n: int) -> float:
        rate = 0.1 if not label else 0.9 - gap * (group == "b")
        return float(n < round(rate * EACH))

    return Decider(f"true positive rates {gap:g} apart", rule)


def decisions(open_model: Opener) -> list[Control]:
    """Planted gaps, which a measure must give back; and deciders who treat both groups alike, well or not."""
    data = {"Rows": people()}
    cases = [
        Control(f"gap {gap:g}", "positive", unequal(gap), data, dose=gap, unit="of the true positive rate",
                expected=(gap - 1e-6, gap + 1e-6))
        for gap in GAPS
    ]  # fmt: skip
    chance = 4 * (0.25 * 2 / EACH) ** 0.5  # of the difference of two rates of one half
    alike: tuple[tuple[str, Callable[[str, bool, int], float], float], ...] = (
        ("always yes", lambda group, label, n: 1.0, 1e-6),
        ("always no", lambda group, label, n: 0.0, 1e-6),
        ("random", lambda group, label, n: float(keyed("decision", group, label, n).random() < 0.5), chance),
        ("oracle", lambda group, label, n: float(label), 1e-6),
    )
    return [
        *cases,
        *(Control(name, "negative", Decider(name, rule), data, expected=(0.0, most)) for name, rule, most in alike),
    ]
