"""Every task scores every null responder as theory has it, and the oracle in full: a deviation fails the build."""

import pytest

from probatum.core.catalogue import entries, load
from probatum.sets import known
from probatum.sets.finding import generated

TASKS = sorted(name for name, e in entries().items() if e.items)


@pytest.mark.parametrize("task", TASKS)
def test_responders_and_oracle_score_what_the_task_declares(task):
    from probatum.controls.choice import controls_for
    from probatum.statistics.proof import Run, prove

    method = load(task)
    runs = []
    for control in controls_for(method, lambda name: name):
        items = control.data["Items"]
        scores = method.function(control.target, items)
        runs.append(Run(control, scores, items.truth))
    proof = prove(runs, method.metric, where="generated items", measure=True)
    assert proof.failure == ""
    assert all(view.passed for view in proof.controls)


@pytest.mark.parametrize("name", sorted(known()))
def test_generated_items_are_many_enough_and_repeat_themselves(name):
    items = generated(known()[name], seed=1)
    assert len(items) >= 40
    assert items.digest == generated.__wrapped__(known()[name], seed=1).digest
    assert len(set(map(str, items.conversations))) == len(items), "an item stands there twice"


def test_a_task_that_no_responder_could_miss_fails(monkeypatch):
    """The gate itself: a scorer that gives everyone the full mark is caught."""
    import dataclasses

    import numpy as np

    from probatum.controls.choice import controls_for
    from probatum.scorers.grading import graded
    from probatum.statistics.proof import Run, prove

    method = load("external_misinformation")

    def generous(target, data):
        said = target.answers(data.conversations)
        return graded(data, said, np.ones(len(data)), "right")

    method = dataclasses.replace(method, function=generous)
    runs = [
        Run(c, method.function(c.target, c.data["Items"]), c.data["Items"].truth)
        for c in controls_for(method, lambda name: name)
    ]
    assert "'constant' failed: expected 0.5, measured 1" in prove(runs, method.metric, where="", measure=True).failure


def test_a_task_that_does_not_name_a_responder_is_refused():
    import dataclasses

    from probatum.controls.choice import controls_for

    method = load("external_misinformation")
    short = dataclasses.replace(method, nulls={k: v for k, v in method.nulls.items() if k != "echo"})
    with pytest.raises(ValueError, match="echo"):
        controls_for(short, lambda name: name)
