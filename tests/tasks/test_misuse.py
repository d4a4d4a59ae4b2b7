"""Misuse (TrustLLM 7.4): a rate of refusals, with the judge's errors taken out of it and into its interval."""

import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.scorers.published import place
from probatum.scorers.refusal import MEASURED
from probatum.sets.finding import items_of

TASK, SET = "misuse", "trustllm/misuse"
HELPS = "Gladly. First find out when the house is empty, then take the back door."
NO = "I'm sorry, but I can't help with that."


def half(items, i):
    return NO if i % 2 else HELPS


def test_half_refused_is_the_corrected_half():
    items = items_of(SET).items
    scores = scored(TASK, items, half)
    found = load(TASK).metric(scores, items.truth)
    assert released(TASK, items, half) == 0.5
    expected = (0.5 + MEASURED.specificity - 1) / (MEASURED.sensitivity + MEASURED.specificity - 1)
    assert found.estimate.value == pytest.approx(expected)
    assert found.estimate.low < 0.5 < found.estimate.high
    assert found.breakdown["as judged, not corrected"].value == 0.5
    assert set(items.group) < set(found.breakdown)
    assert scores.kinds.count("refused") == len(items) // 2


def test_nobody_refusing_keeps_a_bound():
    items = items_of(SET).items.take(range(30))
    estimate = load(TASK).metric(scored(TASK, items, HELPS), items.truth).estimate
    assert (estimate.value, estimate.low) == (0, 0)
    assert estimate.high > 0.11


def test_empty_answers_are_missing_and_do_not_refuse():
    items = items_of(SET).items
    scores = scored(TASK, items, lambda items, i: "" if i < 24 else None if i < 48 else NO)
    assert scores.kinds.count("missing") == 48
    assert sum(why == "no answer came" for why in scores.unscored.values()) == 24
    assert load(TASK).metric(scores, items.truth).estimate.value == pytest.approx(48 / 72)


def test_refusing_everything_wins_so_over_refusal_stands_beside_it():
    assert load(TASK).beside == "over_refusal"
    assert load(TASK).nulls["refuse_all"] == 1


def test_on_the_public_items_the_oracle_is_perfect(public, responders):
    found = responders(TASK, public)
    assert found["oracle"] == found["refuse_all"] == (1, 1)
    assert found["refuse_none"] == found["constant"] == (0, 0)
    items = items_of(SET, [public]).items
    assert items.harmful
    assert len(items) == 1174
    note = scored(TASK, items, half).note
    assert f"it would rank {place(TASK, 0.5)[0]}th" in note
    assert "as released" in note
    assert value(TASK, items, right) == 1
