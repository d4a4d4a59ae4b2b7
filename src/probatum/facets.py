"""HELM's seven metrics of every task (P232): beside its accuracy calibration, robustness, fairness, bias, toxicity and
efficiency, as parts of the same finding.

Robustness and fairness are worst cases: an item counts by its worst score over the prompt as it stands and its changed
forms. They ask every item again in each form, so they are computed only where they are asked for (``--facets``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.core.access import Access
from probatum.core.catalogue import Method
from probatum.core.data import Items
from probatum.core.estimate import Estimate, Truth
from probatum.core.scores import Scores
from probatum.core.target import Target, written_out
from probatum.scorers.invariances import INVARIANCES, SWAPS, gendered
from probatum.statistics.calibration import brier, expected_calibration_error
from probatum.statistics.metrics import TooFew

if TYPE_CHECKING:
    from probatum.runner import Runner


def facets(
    runner: Runner, method: Method, options: Mapping[str, Any], scores: Scores, truth: Truth
) -> dict[str, Estimate]:
    """The six metrics beside a task's own that its items and the subject's access allow."""
    items = runner.data["Items"]
    if not isinstance(items, Items):
        return {}
    found: dict[str, Estimate] = {}
    for name, forms in (("robustness", INVARIANCES), ("fairness", SWAPS)):
        found |= _worst(runner, method, options, scores, truth, items, name, forms)
    return found | _calibration(runner.subject, items, truth) | _words(scores, truth) | _efficiency(runner, items)


def _worst(
    runner: Runner,
    method: Method,
    options: Mapping[str, Any],
    scores: Scores,
    truth: Truth,
    items: Items,
    name: str,
    forms: Mapping[str, Callable[[str], str]],
) -> dict[str, Estimate]:
    """Of the items that a form changes: the metric of their worst scores."""
    worst, changed = scores.values.copy(), np.zeros(len(scores), bool)
    pick = np.fmin if method.better != "low" else np.fmax
    place = {record: i for i, record in enumerate(scores.ids)}
    for form in forms.values():
        prompts = tuple(form(prompt) for prompt in items.prompt)
        other = [i for i, (a, b) in enumerate(zip(prompts, items.prompt, strict=True)) if a != b]
        if not other:
            continue
        part = dataclasses.replace(items, prompt=prompts).take(np.array(other))
        again, _ = runner.execute(method, runner.subject, {**runner.data, "Items": part}, runner.roles, options)
        at = np.array([place[record] for record in again.ids if record in place], dtype=int)
        worst[at] = pick(worst[at], again.values)
        changed[at] = True
    if method.metric is None or not changed.any():
        return {}
    keep = np.flatnonzero(changed)
    try:
        result = method.metric(dataclasses.replace(scores.take(keep), values=worst[keep]), truth.take(keep))
    except TooFew:
        return {}
    how = f"{result.estimate.method}; worst of {', '.join(forms)}, and as it stands; {len(keep)} of {len(scores)} items"
    return {f"{name}: worst case": dataclasses.replace(result.estimate, method=how)}


def _calibration(subject: Target, items: Items, truth: Truth) -> dict[str, Estimate]:
    """ECE and Brier score of the probabilities of the options, normalized over them."""
    if Access.LOGPROBS not in subject.access or items.options is None or items.answer is None:
        return {}
    answered = [
        i for i, (o, a) in enumerate(zip(items.options, items.answer, strict=True)) if o and a in o and len(o) > 1
    ]
    if len(answered) < 10:
        return {}
    prompts = [written_out(items.conversations[i]) for i in answered]
    said = subject.choices(prompts, [[f" {o}" for o in items.options[i] or ()] for i in answered])
    confidence, right = [], []
    for row, i in zip(said.logprob, answered, strict=True):
        p = np.exp(row - np.logaddexp.reduce(row))
        best = int(np.argmax(p))
        confidence.append(float(p[best]))
        right.append(float((items.options[i] or ())[best] == items.answer[i]))
    c, r = np.array(confidence), np.array(right)
    return {
        "calibration: ECE": expected_calibration_error(c, r, seed=truth.seed),
        "calibration: Brier": brier(c, r, seed=truth.seed),
    }


def _words(scores: Scores, truth: Truth) -> dict[str, Estimate]:
    """Bias: how far the answers' gendered words lean, 0 none and 1 one gender only. Toxicity: share of answers with a
    word of the list."""
    said = [answer for answer in scores.said or () if answer]
    if not said:
        return {}
    found: dict[str, Estimate] = {}
    counts = np.array([gendered(answer) for answer in said], dtype=float)
    women, men = counts.sum(0)
    if women + men >= 10:
        lean = float(abs(women - men) / (women + men))
        how = f"{women:.0f} words for women, {men:.0f} for men"
        found["bias: lean of gendered words"] = Estimate("lean", lean, None, None, int(women + men), how, kind="point")
    return found


def _efficiency(runner: Runner, items: Items) -> dict[str, Estimate]:
    """Seconds for one answer, asked again of a few items past the store; nothing where answers were recorded."""
    timed = getattr(runner.subject, "timed_answer", None)
    if timed is None:
        return {}
    taken = [timed(talk) for talk in items.conversations[:5]]
    how = f"median of {len(taken)} answers asked one by one; their range"
    return {
        "efficiency: one answer": Estimate("seconds", float(np.median(taken)), min(taken), max(taken), len(taken), how)
    }
