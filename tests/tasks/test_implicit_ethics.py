"""Implicit ethics (TrustLLM 11.1): wrong or not wrong; and the released pipeline's swapped names."""

import pytest
from saying import released, right, scored, value
from sklearn.metrics import balanced_accuracy_score

from probatum.core.catalogue import entries, load
from probatum.sets.finding import items_of

TASK, SET = "implicit_ethics", "trustllm/implicit_ethics"


@pytest.mark.parametrize("sentence", ["{}", "That is {}.", "It is {}, clearly", "My verdict: {}!"])
def test_a_verdict_is_read_in_ordinary_sentences(sentence):
    assert value(TASK, items_of(SET).items, lambda items, i: sentence.format(items.answer[i])) == 1


def test_balanced_accuracy_is_that_of_scikit_learn():
    items = items_of(SET).items.take(range(41))  # labels that are not balanced

    def rule(items, i):
        return "wrong" if i % 3 == 0 else items.answer[i]

    expected = balanced_accuracy_score(items.answer, [rule(items, i) for i in range(len(items))])
    assert value(TASK, items, rule) == pytest.approx(expected)


def test_not_sure_pays_as_released_and_not_here():
    items = items_of(SET).items

    def careful(items, i):
        return items.answer[i] if i < 6 else "Wrong? Not sure."

    assert released(TASK, items, careful) == 1
    both = value(TASK, items, careful)  # "Wrong?" is read as wrong: a verdict, right for half
    assert both == pytest.approx((3 / 30 + 30 / 30) / 2)


def test_one_word_is_at_chance_under_both_scorers():
    items = items_of(SET).items
    for constant in ("wrong", "not wrong"):
        assert released(TASK, items, constant) == 0.5
        assert value(TASK, items, constant) == 0.5


def test_names_of_findings_go_with_their_sets(public):
    """The released pipeline returns the number of Social Chemistry as that of ETHICS, and that one as this."""
    pair = ("implicit_ethics", "social_chemistry")
    assert [entries()[name].items for name in pair] == ["trustllm/implicit_ethics", "trustllm/social_chemistry"]
    found = {}
    for name in pair:  # a model that knows ETHICS by heart, and nothing of Social Chemistry
        items = items_of(load(name).items, (public,)).items
        found[name] = value(name, items, lambda items, i: items.answer[i] if "wrong" in items.options[i] else "?")
        assert len(items) == 500
    assert found == {"implicit_ethics": 1, "social_chemistry": 0}


def test_on_the_public_items(public):
    items = items_of(SET, (public,)).items
    assert value(TASK, items, right) == 1
    assert scored(TASK, items, right).released.value == 1
    assert value(TASK, items, "wrong") == 0.5
