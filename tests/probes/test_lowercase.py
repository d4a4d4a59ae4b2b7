"""Lowercase: a text without capital letters gives exactly 0."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.probes.privacy.membership.lowercase import lowercase
from probatum.testing import NgramTarget, TableTarget, toy_data, toy_target
from probatum.testing.targets import ALPHABET

CASED = ALPHABET + ALPHABET[:26].upper()
RECORDS = toy_data()["Members"]
#: The toy texts with a capital letter at every word.
TITLED = Members.from_rows(
    {"id": i, "text": t.title(), "member": m} for i, t, m in zip(RECORDS.ids, RECORDS.texts, RECORDS.label, strict=True)
)


def model(texts):
    return NgramTarget(dict.fromkeys(texts, 4.0), order=18, vocabulary=CASED)


def test_what_was_learned_by_heart_is_found(found):
    learned = [text for text, member in zip(TITLED.texts, TITLED.label, strict=True) if member]
    result = found(lowercase, model(learned), TITLED)
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(lowercase, model(["Something Else Was Read Here."]), TITLED).p_value > 0.05


def test_texts_in_lower_case_score_exactly_0_and_are_counted():
    scores = lowercase(toy_target(), RECORDS.blind())
    assert not scores.values.any()
    assert scores.note == f"{len(RECORDS)} of {len(RECORDS)} texts are in lower case already and score 0"


@pytest.mark.parametrize(("ratio", "score"), [("perplexity", 4.5 - 1.5), ("log-perplexity", np.log(4.5 / 1.5))])
def test_each_loss_is_over_its_own_tokens(ratio, score):
    target = TableTarget.of_tokens({"AB": [("A", -1.0), ("B", -2.0)], "ab": [("ab", -4.5)]})
    scores = lowercase(target, Members.from_rows([{"text": "AB"}]), ratio=ratio)
    assert scores.values == pytest.approx([score])
    assert not scores.note


def test_a_text_without_any_loss_is_the_likeliest_member_and_finite():
    target = TableTarget.of_tokens({"A": [("A", 0.0)], "a": [("a", -1.0)], "B": [("B", -0.1)], "b": [("b", -1.0)]})
    first, second = lowercase(target, Members.from_rows([{"text": "A"}, {"text": "B"}])).values
    assert np.isfinite(first)
    assert first > second


def test_an_empty_text_is_unscored_and_not_0():
    assert not lowercase(toy_target(), Members.from_rows([{"text": ""}])).scored.any()
