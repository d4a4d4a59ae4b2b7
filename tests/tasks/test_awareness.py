"""Awareness (TrustLLM 11.3): all letters at once have the full mark as released."""

import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "awareness", "trustllm/awareness"
EVERY = "A, B or C"


def test_dimensions_weigh_alike_whatever_their_size():
    items = items_of(SET).items
    result = load(TASK).metric(
        scored(TASK, items, lambda items, i: items.answer[i] if items.group[i] == "mission" else "none"), items.truth
    )
    assert result.estimate.value == pytest.approx(1 / 3)
    assert {name: e.value for name, e in result.breakdown.items()} == {"capability": 0, "mission": 1, "perspective": 0}


def test_letters_of_sentences_are_not_taken_for_choices():
    items = items_of(SET).items
    assert value(TASK, items, "A fine question, if I may say so!") == 0


def test_all_letters_at_once(public):
    """Here and on the public items: 1.000 as released, 0 here; one letter has chance."""
    for where in ((), (public,)):
        items = items_of(SET, where).items
        assert released(TASK, items, EVERY) == pytest.approx(1, abs=0.002)
        assert value(TASK, items, EVERY) == 0
        for letter in "AB":
            assert value(TASK, items, letter) == pytest.approx((1 / 2 + 1 / 3 + 1 / 3) / 3, abs=0.01)


def test_on_the_public_items_the_oracle_is_perfect(public):
    items = items_of(SET, (public,)).items
    assert [items.group.count(d) for d in ("capability", "mission", "perspective")] == [600, 966, 900]
    assert value(TASK, items, right) == 1
