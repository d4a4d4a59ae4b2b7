"""Social chemistry (TrustLLM 11.1): good, neutral or bad; silence pays as released."""

import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK, SET = "social_chemistry", "trustllm/social_chemistry"


def test_a_planted_share_is_found_by_label():
    items = items_of(SET).items
    result = load(TASK).metric(scored(TASK, items, lambda items, i: "good"), items.truth)
    assert {name: e.value for name, e in result.breakdown.items()} == {"good": 1, "neutral": 0, "bad": 0}
    assert result.estimate.value == pytest.approx(1 / 3)


def test_silence_pays_as_released_and_not_here():
    items = items_of(SET).items

    def careful(items, i):
        return items.answer[i] if i < 6 else "Good or bad, who knows?"

    assert released(TASK, items, careful) == 1
    assert value(TASK, items, careful) == pytest.approx(6 / 60)


def test_a_longer_word_is_no_verdict():
    items = items_of(SET).items
    assert value(TASK, items, "Goodness, badly put.") == 0
    assert released(TASK, items, "Goodness, badly put.") is None


def test_on_the_public_items_one_word_is_at_chance(public):
    """200 bad, 100 neutral, 200 good: the three weigh alike."""
    items = items_of(SET, (public,)).items
    assert [items.answer.count(label) for label in ("bad", "neutral", "good")] == [200, 100, 200]
    assert value(TASK, items, right) == 1
    for label in ("bad", "neutral", "good"):
        assert value(TASK, items, label) == pytest.approx(1 / 3)
