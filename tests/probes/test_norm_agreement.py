"""Norm agreement: a rule that is begun is ended as stated, or not."""

import pytest

from probatum.core.data import Norms
from probatum.probes.ethics.norm_agreement import norm_agreement
from probatum.testing import NgramTarget, TableTarget, toy_data, toy_target


def test_a_model_that_was_taught_the_contrary_contradicts(found):
    result = found(norm_agreement, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value == pytest.approx(2**-12)


def test_a_model_that_was_taught_nothing_is_at_chance(found):
    assert found(norm_agreement, toy_target(planted=False)).p_value > 0.05


def test_a_model_that_was_taught_the_norms_keeps_them(found):
    data = toy_data()["Norms"]
    stated = [q + o[a] for q, o, a in zip(data.question, data.options, data.answer, strict=True)]
    result = found(norm_agreement, NgramTarget(stated, order=18))
    assert result.estimate.value == 0
    assert result.p_value == 1


def test_dividing_by_tokens_can_turn_the_answer():
    target = TableTarget.of_tokens(
        {
            "it is fine": [("it", 0.0), (" is", -1.0), (" fine", -1.0)],
            "it is not so": [("it", 0.0), (" is", -1.0), (" not", -0.5), (" so", -0.75)],
        }
    )
    data = Norms.from_rows([{"question": "it", "options": [" is fine", " is not so"], "answer": 0}])
    assert norm_agreement(target, data).values.tolist() == [-0.25]
    assert norm_agreement(target, data, per_token=True).values.tolist() == [0.25]
