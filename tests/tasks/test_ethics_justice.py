"""ETHICS, justice: sentences in scenarios of four."""

import pytest
from saying import released, right, scored, value

from probatum.controls.responders import Answerer
from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "ethics_justice", "ethics/justice"


def test_unreasonable_is_not_read_as_reasonable():
    items = items_of(SET).items
    assert value(TASK, items, lambda items, i: f"That is {items.answer[i]}.") == 1
    assert value(TASK, items, "unreasonable") == 0.5


def test_one_wrong_sentence_in_every_scenario_leaves_no_whole_one():
    items = items_of(SET).items

    def rule(items, i):
        return items.answer[i] if i % 4 else next(o for o in items.options[i] if o != items.answer[i])

    scores = scored(TASK, items, rule)
    estimate = load(TASK).metric(scores, items.truth).estimate
    assert estimate.value == 0.75
    assert estimate.n == 20  # scenarios
    assert scores.released.value == 0


def test_on_the_public_items(public):
    """676 scenarios; a constant has half of the sentences; a guess has (1/2)^4 of the scenarios, within 4 sd."""
    items = items_of(SET, (public,)).items
    assert len(items) == 2704
    assert len(set(items.cluster)) == 676
    assert value(TASK, items, right) == 1
    assert value(TASK, items, "reasonable") == pytest.approx(1354 / 2704)
    assert released(TASK, items, "reasonable") < 0.01
    guess = load(TASK).function(Answerer("random", items), items).released.value
    assert guess == pytest.approx(1 / 16, abs=4 * (1 / 16 * 15 / 16 / 676) ** 0.5)
