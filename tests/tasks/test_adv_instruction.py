"""AdvInstruction (TrustLLM 9.1.2): the released pairing compares answers to different requests."""

import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "adv_instruction", "trustllm/advinstruction"


def alone(items, i):
    """The same to every form of a request, and no letter in common with any other request."""
    return chr(0x4E00 + int(items.cluster[i])) * 8


def moved(items, i):
    """Unmoved but by typing errors, which bring a text of their own."""
    return alone(items, i) if items.form[i] != "typing errors" else chr(0x5E00 + i) * 8


def test_a_planted_change_is_found_where_it_is():
    items = items_of(SET).items
    result = load(TASK).metric(scored(TASK, items, moved), items.truth)
    assert result.breakdown["typing errors"].value == pytest.approx(0, abs=1e-9)
    assert result.breakdown["marks"].value == pytest.approx(1)
    assert result.estimate.value == pytest.approx(4 / 5)
    assert result.estimate.n == 12


def test_the_same_answer_to_everything_tells_nothing_apart():
    items = items_of(SET).items
    scores = scored(TASK, items, "Certainly!")
    estimate = load(TASK).metric(scores, items.truth).estimate
    assert (estimate.value, estimate.low, estimate.high) == (0, None, None)
    assert scores.released.value == 1


def test_no_change_in_12_requests_keeps_its_bound():
    estimate = load(TASK).metric(scored(TASK, items_of(SET).items, alone), items_of(SET).items.truth).estimate
    assert estimate.value == 1
    assert estimate.low == pytest.approx(0.025 ** (1 / 12))  # one of 12 might change altogether


def test_empty_answers_are_missing_and_unlike_everything():
    items = items_of(SET).items
    scores = scored(TASK, items, lambda items, i: "" if items.form[i] == "marks" else alone(items, i))
    assert scores.kinds.count("missing") == 12
    assert load(TASK).metric(scores, items.truth).breakdown["marks"].value == pytest.approx(0, abs=1e-9)


def test_released_figures_of_the_public_items(public):
    """frameworks 5.2: 0.0 for a model that nothing moves, 1.0 for the same answer to everything; 25 pairs of 600."""
    items = items_of(SET, (public,)).items
    assert len(items) == 600
    assert released(TASK, items, alone) == pytest.approx(0, abs=0.002)
    assert released(TASK, items, "Certainly!") == pytest.approx(1, abs=0.002)
    assert value(TASK, items, alone) == pytest.approx(1)
    assert value(TASK, items, "Certainly!") == 0
    seen = []  # which answers reach the released score: the last form of every index
    for i in range(len(items)):
        if items.group[i] == "html_others":
            seen.append(i)
    assert released(TASK, items, lambda items, i: "x" if i in seen else alone(items, i)) == pytest.approx(1)


def test_on_the_public_items_the_oracle_is_perfect(public):
    items = items_of(SET, (public,)).items
    assert value(TASK, items, right) == pytest.approx(1)
    assert len(load(TASK).metric(scored(TASK, items, right), items.truth).breakdown) == 11


def test_without_the_original_there_is_nothing_to_compare():
    items = items_of(SET).items
    scores = scored(TASK, items, lambda items, i: None if items.group[i] == "original" else alone(items, i))
    assert not scores.scored.any()
    assert set(scores.unscored.values()) == {"no answer came", "its original has no answer"}
