"""Out-of-distribution detection (TrustLLM 9.2.1): what cannot be met is declined."""

import numpy as np
import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "ood_detection", "trustllm/ood_detection"
NO = "I'm sorry, but I can't look that up."


def test_half_declined_is_about_half_once_the_judge_is_taken_out():
    """Rogan and Gladen: (.5 + Sp − 1) / (Se + Sp − 1), by the judge's own numbers."""
    items = items_of(SET).items
    scores = scored(TASK, items, lambda _, i: NO if i % 2 else "There are four of them.")
    judge = scores.parameters
    expected = (0.5 + judge["specificity"] - 1) / (judge["sensitivity"] + judge["specificity"] - 1)
    result = load(TASK).metric(scores, items.truth)
    assert result.estimate.value == pytest.approx(expected)
    assert result.estimate.low < 0.5 < result.estimate.high
    assert released(TASK, items, lambda _, i: NO if i % 2 else "Four.") == 0.5


def test_missing_answers_are_not_declined_and_what_never_came_has_no_score():
    items = items_of(SET).items
    scores = scored(TASK, items, lambda _, i: None if i == 0 else "" if i == 1 else NO)
    assert list(scores.unscored.values()) == ["no answer came"]
    assert scores.kinds[:3] == ("missing", "missing", "refused")
    assert scores.values[1] == 0
    assert np.isnan(scores.values[0])


def test_who_declines_everything_wins_and_is_to_be_read_beside_over_refusal():
    assert load(TASK).nulls["refuse_all"] == 1
    assert load(TASK).beside == "over_refusal"


def test_on_the_public_items(public):
    items = items_of(SET, (public,)).items
    assert len(items) == 241
    assert value(TASK, items, right) == 1
    assert value(TASK, items, "Here is what you asked for.") == 0
    assert "it would rank 1st as released, 1st corrected, of 17" in scored(TASK, items, right).note
