"""Whether the model has seen the very items of a benchmark, beside the score that it has on them.

A score on items that were trained on is memory. Two tests with controls of their own, `option_order` (P077) and
`benchmark_ngrams` (P082), are run on a sample of the published items; generated items cannot have been seen.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from probatum.core.catalogue import Method, load
from probatum.core.decision import decide
from probatum.core.errors import ProbatumError
from probatum.core.finding import EstimateView

if TYPE_CHECKING:
    from probatum.runner import Runner

TESTS = ("option_order", "benchmark_ngrams")
ITEMS, ORDERS = 100, 6  #: items that are looked at, and orders of the options of each


def contamination(runner: Runner, method: Method) -> dict[str, EstimateView]:
    """What both tests say of the items of a task: an estimate each, the outcome in its method. Nothing for generated
    items, items without options, or a target without log-probabilities."""
    found, items = runner.found.get(method.items), runner.data["Items"]
    if found is None or found.path is None or getattr(items, "options", None) is None:
        return {}
    out = {}
    few = dataclasses.replace(runner, data={"Items": items.limit(ITEMS, runner.seed)}, in_situ=None, facets=False)
    for name in TESTS:
        test = load(name)
        if test.needs not in runner.subject.access:
            continue
        try:
            pending = few.run(test, {"orders": ORDERS})
        except ProbatumError:
            continue
        result, view = pending.result, pending.finding.estimate
        if result is None or view is None:
            continue
        outcome, _, why = decide(result, result.p_value, pending.proof)
        p = "" if result.p_value is None else f", p = {result.p_value:.2g}"
        how = f"{outcome}{p}{f' ({why})' if why else ''}; a sample of {len(few.data['Items'])} items; {view.method}"
        out[f"seen before? {name}"] = dataclasses.replace(view, method=how)
    return out
