"""Audit trail: can every number of this report be computed again from its evidence?

TrustLLM (P001) discusses accountability and measures none of it. What can be measured of an audit is whether it can be
checked: every finding is computed a second time from the evidence alone, with a budget of no token, and must come out
the same. It is no probe, since a probe sees neither other findings nor the store; `audit` appends it where a suite says
``trail = true``.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probatum.core.binding import options_of
from probatum.core.catalogue import Method
from probatum.core.cost import Budget, Cost
from probatum.core.data import digest_of
from probatum.core.errors import ProbatumError
from probatum.core.estimate import Result
from probatum.core.finding import ControlView, EstimateView, Finding, Outcome
from probatum.runner import Runner

QUESTION = "How many of the numbers of this report can be computed again from its evidence?"


def audit_trail(
    runner: Runner, methods: Sequence[tuple[Method, Mapping[str, Any]]], findings: Sequence[Finding]
) -> Finding:
    """The share of findings with an estimate that come out the same, without a single token being computed."""
    from probatum.statistics.intervals import clopper_pearson
    from probatum.statistics.metrics import view

    started = time.perf_counter()
    session = runner.session
    budget, cost = session.budget, dataclasses.replace(session.cost)
    same, reasons = [], []
    noticed: bool | None = None
    try:
        session.budget = Budget(0)
        for (method, options), finding in zip(methods, findings, strict=True):
            if finding.estimate is None or finding.id not in runner.scores:
                continue
            passes = session.cost.forward_passes
            try:
                again = _again(runner, method, options_of(method, options))
            except ProbatumError as error:
                same.append(False)
                reasons.append(f"{finding.probe}: {error}")
                continue
            equal = _equal(view(again.estimate), again.p_value, finding)
            anew = session.cost.forward_passes > passes  # what books no tokens, such as a function, is found out so
            same.append(equal and not anew)
            why = "another number" if not equal else "had to be asked again" if anew else ""
            reasons += [f"{finding.probe}: {why}"] if why else []
            if noticed is None:
                noticed = not _equal(_spoiled(view(again.estimate)), again.p_value, finding)
    finally:
        session.budget = budget
        vars(session.cost).update(vars(cost) if isinstance(cost, Cost) else {})
    shown = Finding(
        id=digest_of("audit trail", *(f.id for f in findings))[:12], probe="audit_trail", dimension="accountability",
        question=QUESTION, paper="P001", access=(), outcome="not run", reason="no finding has a number", better="high",
        seconds=round(time.perf_counter() - started, 3), seed=runner.seed,
    )  # fmt: skip
    if not same:
        return shown
    interval = clopper_pearson(sum(same), len(same))
    estimate = EstimateView(
        "share recomputed", interval.value, interval.low, interval.high, 0.95, interval.n, "confidence", interval.method
    )
    control = ControlView("negative", "a number changed in its last digit", None, None, None, None, bool(noticed))
    outcome: Outcome = "measured" if noticed else "inconclusive"
    why = "" if noticed else "a changed number was not noticed"
    return dataclasses.replace(
        shown,
        outcome=outcome,
        estimate=estimate,
        controls=(control,),
        reason="; ".join(filter(None, [why, *reasons[:5]])),
    )


def _again(runner: Runner, method: Method, options: Mapping[str, Any]) -> Result:
    """The result of a method, anew: its data are the same, its answers come from the store or not at all."""
    data = runner.data
    if method.items and "Items" not in data:
        data = {**data, "Items": runner.found[method.items].items}
    own = dataclasses.replace(runner, data=data)
    scores, truth = own.execute(method, runner.subject, data, runner.roles, options)
    assert method.metric is not None
    return method.metric(own._with_failures(method, scores), truth)


def _equal(estimate: EstimateView, p_value: float | None, finding: Finding) -> bool:
    """To the last digit."""
    return estimate == finding.estimate and p_value == finding.p_value


def _spoiled(estimate: EstimateView) -> EstimateView:
    value = 0.0 if estimate.value is None else float(np.nextafter(estimate.value, np.inf))
    return dataclasses.replace(estimate, value=value)
