"""LOSS on toys: a model that learned its members by heart, its clean twin, and a model that knows nothing."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.probes.privacy.membership.loss import loss
from probatum.testing import TableTarget, UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


def test_what_was_learned_by_heart_is_found(found):
    result = found(loss, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(loss, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize("vocabulary", ["abcdefghijklmnopqrstuvwxyz0123456789 .,\n", "ab", "abc"])
def test_a_uniform_model_gives_exactly_minus_ln_v(vocabulary):
    texts = Members.from_rows({"text": vocabulary[:n] * 2} for n in range(1, 3))
    scores = loss(UniformTarget(vocabulary), texts)
    assert scores.values == pytest.approx(np.full(2, -np.log(len(vocabulary))), abs=1e-6)


def test_the_score_is_the_mean_and_points_towards_members():
    target = TableTarget.of_tokens({"a cat": [("a", -1.0), (" cat", -4.0)]})
    scores = loss(target, Members.from_rows([{"text": "a cat"}]))
    assert scores.values.tolist() == [-2.5]
    assert scores.towards == "member"


def test_a_token_of_probability_one_counts():
    """A published peer drops tokens with a loss of exactly 0, which are the most memorized ones."""
    target = TableTarget.of_tokens({"ab": [("a", 0.0), ("b", -3.0)], "cd": [("c", -2.0), ("d", -3.0)]})
    scores = loss(target, Members.from_rows([{"text": "ab"}, {"text": "cd"}]))
    assert scores.values.tolist() == [-1.5, -2.5]


def test_an_empty_text_is_unscored_and_says_so():
    scores = loss(toy_target(), Members.from_rows([{"id": "none", "text": ""}, {"id": "one", "text": "a."}]))
    assert scores.scored.tolist() == [False, True]
    assert "too short" in scores.unscored["none"]
