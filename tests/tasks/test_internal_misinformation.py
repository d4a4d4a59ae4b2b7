"""Internal misinformation (TrustLLM 6.1.1): choices by number, short answers without a judge."""

import pytest
from saying import Saying, released, right, scored, value

from probatum.core.catalogue import load
from probatum.scorers.short_answers import BETWEEN
from probatum.sets.finding import items_of

TASK, SET = "internal_misinformation", "trustllm/internal"


def test_who_knows_half_of_it_has_half():
    items = items_of(SET).items
    assert value(TASK, items, lambda items, i: items.answer[i] if i % 8 < 4 else "no idea") == pytest.approx(0.5)


def test_wording_around_an_answer_does_not_hide_it_and_other_words_do():
    items = items_of(SET).items
    assert value(TASK, items, lambda items, i: f"Answer: [{items.answer[i]}].") == 1
    assert value(TASK, items, lambda items, i: f"The {items.answer[i]}.") == pytest.approx(3 / 4)  # "The 2." is none
    assert value(TASK, items, lambda items, i: f"{items.answer[i]}, or not") == pytest.approx(1 / 4)  # only the choices


def test_f1_gives_part_of_the_mark():
    items = items_of(SET).items
    method = load(TASK)
    said = Saying(items, lambda items, i: f"{items.answer[i]}, perhaps")
    found = [method.metric(method.function(said, items, match=m), items.truth).estimate.value for m in ("exact", "f1")]
    assert found[0] == pytest.approx(1 / 4)  # choices
    assert found[1] == pytest.approx((1 + 3 * 2 / 3) / 4)  # one word of two: F1 = 2/3


def test_as_released_the_first_number_of_a_sentence_is_the_choice():
    items = items_of(SET).items
    assert released(TASK, items, lambda items, i: f"Of the 4 endings, {items.answer[i]}") == 0
    assert released(TASK, items, lambda items, i: f"{items.answer[i]} of 4") == 1


def test_on_the_public_items(public, responders):
    """The oracle is perfect; each of several accepted answers is right; no one constant is above chance of CODAH."""
    items = items_of(SET, (public,)).items
    assert value(TASK, items, right) == 1
    assert value(TASK, items, lambda items, i: items.answer[i].split(BETWEEN)[-1]) == 1
    parts = load(TASK).metric(scored(TASK, items, "1"), items.truth).breakdown
    assert {name: round(e.value, 2) for name, e in parts.items()} == {
        "codah": 0.31, "squad": 0, "hotpot": 0, "adversarial": 0
    }  # fmt: skip
