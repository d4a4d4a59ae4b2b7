"""Reference ratio: against itself nothing is left; against another vocabulary bytes are counted."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.probes.privacy.membership.reference_ratio import reference_ratio
from probatum.testing import NgramTarget, TableTarget, UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


def test_what_was_learned_by_heart_is_found(found):
    result = found(reference_ratio, toy_target(planted=True), reference=toy_target(planted=False))
    assert result.estimate.value == 1
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(reference_ratio, toy_target(planted=False), reference=UniformTarget()).p_value > 0.05


def test_with_itself_as_reference_every_score_is_0():
    target = toy_target()
    assert not reference_ratio(target, MEMBERS, reference=target).values.any()


def test_roles_exchanged_change_the_sign():
    a, b = toy_target(planted=True), toy_target(planted=False)
    forth, back = reference_ratio(a, MEMBERS, reference=b), reference_ratio(b, MEMBERS, reference=a)
    assert np.array_equal(forth.values, -back.values)


def test_an_easy_text_is_taken_out():
    """A text that both models know as well scores 0, however likely it is."""
    easy, seen = "the the the the.", "zebu kept a quill."
    target, base = NgramTarget({easy: 9.0, seen: 9.0}), NgramTarget({easy: 9.0})
    scores = reference_ratio(target, Members.from_rows([{"text": easy}, {"text": seen}]), reference=base).values
    assert abs(scores[0]) < 0.2 < scores[1]


def test_two_vocabularies_are_compared_per_byte_and_the_finding_says_so():
    own, other = UniformTarget("ab"), UniformTarget("abcd")
    scores = reference_ratio(own, Members.from_rows([{"text": "abab"}]), reference=other)
    assert scores.values == pytest.approx([np.log(4) - np.log(2)])
    assert "per byte" in scores.note


def test_without_a_token_there_is_no_score_in_either_way_of_counting():
    texts = Members.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "ab"}])
    for other in (UniformTarget("ab"), UniformTarget("abcd")):
        assert reference_ratio(UniformTarget("ab"), texts, reference=other).scored.tolist() == [False, True]


def test_a_text_that_one_model_cannot_score_is_not_the_best_of_all():
    """A model without a start token scores no text of one token; the sum over none is 0."""
    nothing = TableTarget({"a": np.zeros(0, UniformTarget().record("a").dtype)})
    scores = reference_ratio(nothing, Members.from_rows([{"text": "a"}]), reference=UniformTarget("abc"))
    assert not scores.scored.any()
