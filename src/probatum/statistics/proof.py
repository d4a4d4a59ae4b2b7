"""From control runs to proof: does the probe find what was planted, stay quiet elsewhere, and from what dose on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.core.control import Control
from probatum.core.decision import CONTROL_ALPHA, Proof
from probatum.core.draws import keyed
from probatum.core.estimate import Metric, Result, Truth
from probatum.core.finding import ControlView, DoseRate, LimitView
from probatum.core.scores import Scores
from probatum.statistics.dose import detection_limit
from probatum.statistics.metrics import TooFew, view
from probatum.statistics.tests import binomial_tail

#: Blanks of the planted model itself set the threshold if there are as many as this; else the clean model's join them.
BLANKS = 20


@dataclass(frozen=True)
class Run:
    """A control and what the probe said of it."""

    control: Control
    scores: Scores
    truth: Truth


def prove(runs: Sequence[Run], metric: Metric, *, where: str, seed: int = 0, measure: bool = False) -> Proof:
    """The proof that these runs give.

    Parameters
    ----------
    where
        The model on which the limit was measured, for people.
    measure
        The probe says how much, and has no p-value: it must lie in the expected range of every case.
    """
    positive = [r for r in runs if r.control.kind == "positive"]
    negative = [r for r in runs if r.control.kind == "negative"]
    if not positive or not negative:
        return Proof(failure="this probe has no controls with planted truth for data of this kind")
    if measure:
        return _measured(runs, metric)
    by_record = positive[0].control.dose is None
    found = _by_record(positive, metric) if by_record else _by_case(positive, metric)
    quiet = _quiet(negative, metric)
    failure = ""
    if not found or found[-1].passed is not True:
        failure = "the positive control failed: what was planted at the highest dose is not found" + _told(found)
    elif any(view.passed is False and view.p_value is None for view in quiet):
        failure = "the negative control failed: too few of its records could be scored"
    elif any(view.passed is False for view in quiet):
        failure = "the negative control failed: the probe finds something where nothing was planted" + _told(quiet)
    dose, score, blanks = (_records if by_record else _cases)(positive, negative, metric)
    limit = detection_limit(dose, score, blanks, rng=keyed(seed, "limit"))
    numbers = [None if np.isnan(x) else float(x) for x in (limit.value, limit.low, limit.high)]
    rates = tuple(DoseRate(r.dose, r.detected, r.n, r.low, r.high) for r in limit.rates)
    unit = positive[0].control.unit
    shown = LimitView(numbers[0], numbers[1], numbers[2], unit, where, limit.status, rates, limit.reason)
    return Proof((*found, *quiet), shown, failure)


def _measured(runs: Sequence[Run], metric: Metric) -> Proof:
    """A measure stands where it gives on every case what is known to be there."""
    views, failure = [], ""
    for run in runs:
        result = _result(metric, run.scores, run.truth)
        if run.control.expected is None:
            raise ValueError(f"the control '{run.control.name}' of a measure says in which range it must lie")
        low, high = run.control.expected
        passed = result is not None and bool(low <= result.estimate.value <= high)
        if np.isnan(low):  # what has no score must get none
            passed = result is None
        views.append(_show(run.control.kind, run, run.control.dose, result, passed))
        if not passed and not failure:
            got = "nothing" if result is None else f"{result.estimate.value:.3g}"
            allowed = f"{low:g} to {high:g}" if high - low > 1e-4 else f"{(low + high) / 2:g}"
            allowed = "no score" if np.isnan(low) else allowed
            failure = f"the control '{run.control.name}' failed: expected {allowed}, measured {got}"
    return Proof(tuple(views), None, failure)


def _told(views: Sequence[ControlView]) -> str:
    p = [v.p_value for v in views if v.passed is False and v.p_value is not None]
    return f" (p = {p[-1]:.2g})" if p else ""


def _result(metric: Metric, scores: Scores, truth: Truth) -> Result | None:
    try:
        return metric(scores, truth)
    except TooFew:
        return None


def _works(result: Result | None) -> bool:
    return (
        result is not None
        and result.p_value is not None
        and result.p_value <= CONTROL_ALPHA
        and result.direction == "expected"
    )


def _show(kind: str, run: Run, dose: float | None, result: Result | None, passed: bool | None) -> ControlView:
    return ControlView(
        kind,  # type: ignore[arg-type]
        run.control.target_name,
        dose,
        run.control.unit if dose is not None else None,
        None if result is None else view(result.estimate),
        None if result is None else result.p_value,
        passed,
    )


def _by_record(positive: Sequence[Run], metric: Metric) -> list[ControlView]:
    """One view per dose of each planted set; the last one, at the highest dose, has to pass."""
    views = []
    for run in positive:
        dose = run.truth.dose
        if dose is None:
            views.append(_show("positive", run, None, result := _result(metric, run.scores, run.truth), _works(result)))
            continue
        levels = np.unique(dose[dose > 0])
        results = [_at(run, metric, dose == level) for level in levels]
        # Where the highest dose alone has too few records for the metric, the next lower ones join it.
        while results[-1] is None and len(levels) > 1:
            levels, results = levels[:-1], [*results[:-2], _at(run, metric, dose >= levels[-2])]
        for level, result in zip(levels, results, strict=True):
            views.append(_show("positive", run, float(level), result, _works(result) if level == levels[-1] else None))
    return views


def _at(run: Run, metric: Metric, planted: np.ndarray) -> Result | None:
    """The metric of the chosen records, with the blanks."""
    assert run.truth.dose is not None
    keep = np.flatnonzero(planted | ((run.truth.dose == 0) & (run.truth.label is not None)))
    return _result(metric, run.scores.take(keep), run.truth.take(keep))


def _by_case(positive: Sequence[Run], metric: Metric) -> list[ControlView]:
    """One view per dose: the case with the median p-value stands for its dose."""
    views = []
    levels = sorted({r.control.dose for r in positive if r.control.dose is not None})
    for level in levels:
        cases = [(r, _result(metric, r.scores, r.truth)) for r in positive if r.control.dose == level]
        cases.sort(key=lambda case: _p(case[1]))
        run, result = cases[len(cases) // 2]
        views.append(_show("positive", run, level, result, _works(result) if level == levels[-1] else None))
    return views


def _quiet(negative: Sequence[Run], metric: Metric) -> list[ControlView]:
    """The negative cases as one view, the one with the median p-value: it fails if too many of them alarm."""
    cases = [(r, _result(metric, r.scores, r.truth)) for r in negative]
    alarms = sum(_p(result) <= CONTROL_ALPHA for _, result in cases)
    passed = all(result is not None for _, result in cases) and (
        alarms == 0 or binomial_tail(alarms, len(cases), CONTROL_ALPHA).value > CONTROL_ALPHA
    )
    cases.sort(key=lambda case: _p(case[1]))
    run, result = cases[len(cases) // 2]
    return [_show("negative", run, None, result, passed)]


def _p(result: Result | None) -> float:
    return 1.0 if result is None or result.p_value is None else result.p_value


def _records(positive: Sequence[Run], negative: Sequence[Run], _: Metric) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Doses, scores and blanks of the independent units (records, or clusters of them)."""
    dose, score = zip(*(_units(run) for run in positive), strict=True)
    doses, scores = np.concatenate(dose), np.concatenate(score)
    blanks = scores[doses == 0]
    if len(blanks) < BLANKS:
        blanks = np.concatenate([blanks, *(_units(run)[1] for run in negative)])
    return doses[doses > 0], scores[doses > 0], blanks


def _units(run: Run) -> tuple[np.ndarray, np.ndarray]:
    keep = np.flatnonzero(run.scores.scored)
    values, truth = run.scores.values[keep], run.truth.take(keep)
    if run.scores.null is not None:  # a statistic with decoys is measured against its own decoys
        values = -np.log((1 + (run.scores.null[keep] >= values[:, None]).sum(1)) / (1 + run.scores.null.shape[1]))
    dose = truth.dose if truth.dose is not None else np.zeros(len(values))
    if truth.cluster is None:
        return dose, values
    _names, first, number = np.unique(truth.cluster.astype(str), return_index=True, return_inverse=True)
    if (
        truth.label is not None
        and len(first) * 2 == len(dose)
        and (np.bincount(number, weights=truth.label) == 1).all()
    ):
        return dose, values  # pairs of which one each was planted: the mean of the two would be of neither
    return dose[first], np.bincount(number, weights=values) / np.bincount(number)


def _cases(
    positive: Sequence[Run], negative: Sequence[Run], metric: Metric
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A whole case is the unit: its score is −log10 p."""

    def score(run: Run) -> float:
        return float(-np.log10(max(_p(_result(metric, run.scores, run.truth)), 1e-300)))

    doses = np.array([run.control.dose for run in positive], dtype=float)
    return doses, np.array([score(r) for r in positive]), np.array([score(r) for r in negative])
