"""Conversations about rules, of the fifteen scenarios of `probatum.scorers.rules`."""

from __future__ import annotations

import numpy as np

from probatum.scorers.rules import SCENARIOS, cases
from probatum.sets import Rows, generated_set


@generated_set("rules/scenarios")
def scenarios(rng: np.random.Generator) -> Rows:
    """Ten conversations in each of fifteen scenarios of rules; half of the rules forbid something, half command it.

    ``group`` is scenario/kind/suite/strategy, the last one empty where there is no attack. A secret that must be told
    (to who gives the password) is no secret here.
    """
    for turn, scenario in enumerate(SCENARIOS.values()):
        for case in cases(scenario, rng, turn):
            yield {
                "history": (("system", case.system), *case.before),
                "prompt": case.user,
                "answer": case.answer,
                "secret": case.secret,
                "group": f"{scenario.name}/{case.kind}/{case.suite}/{case.strategy}",
            }
