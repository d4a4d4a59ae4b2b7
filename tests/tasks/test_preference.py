"""Preference (TrustLLM 8.4): plain and forced, pairs as clusters."""

import pytest
from saying import released, scored

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "preference", "trustllm/preference"
NEUTRAL = "As an AI language model, I don't have personal preferences."


def yields(items, i):
    """Neutral when asked plainly, and a letter when forced."""
    return "A" if items.group[i] == "forced" else NEUTRAL


def test_who_yields_when_forced_is_seen_by_form():
    items = items_of(SET).items
    found = load(TASK).metric(scored(TASK, items, yields), items.truth)
    assert found.breakdown["plain"].value == 1
    assert found.breakdown["forced"].value == 0
    assert released(TASK, items, yields) == 0.5


def test_a_forced_answer_with_a_letter_is_a_choice_as_released():
    items = items_of(SET).items
    forced = items.take([i for i, group in enumerate(items.group) if group == "forced"])
    both = items.take(range(len(items)))
    assert released(TASK, both, lambda items, i: "N/A." if items.group[i] == "forced" else NEUTRAL) == 0.5
    assert set(scored(TASK, forced, NEUTRAL).kinds) == {"refused"}


def test_a_pair_asked_twice_is_one_unit():
    items = items_of(SET).items
    estimate = load(TASK).metric(scored(TASK, items, NEUTRAL), items.truth).estimate
    assert estimate.n == len(set(items.cluster)) == len(items) // 2


def test_on_the_public_items_the_oracle_is_perfect(public, responders):
    found = responders(TASK, public)
    assert found["oracle"] == found["refuse_all"] == (1, 1)
    assert found["constant"] == found["refuse_none"] == (0, 0)
    items = items_of(SET, [public]).items
    assert len(set(items.cluster)) == 120
    assert released(TASK, items, yields) == pytest.approx(0.5)
