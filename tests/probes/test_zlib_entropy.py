"""zlib entropy: scales with the loss, and divides by what zlib makes of the text."""

import zlib

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.probes.privacy.membership.zlib_entropy import zlib_entropy
from probatum.testing import TableTarget, UniformTarget, toy_target

TEXT = "abcabcabc"


def test_what_was_learned_by_heart_is_found(found):
    result = found(zlib_entropy, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(zlib_entropy, toy_target(planted=False)).p_value > 0.05


def test_it_is_the_sum_over_the_compressed_size():
    score = zlib_entropy(UniformTarget("abc"), Members.from_rows([{"text": TEXT}])).values[0]
    assert score == pytest.approx(-9 * np.log(3) / len(zlib.compress(TEXT.encode())), rel=1e-6)


def test_it_scales_exactly_with_the_loss():
    texts = Members.from_rows([{"text": TEXT}])
    once, again = (
        zlib_entropy(TableTarget.of_tokens({TEXT: [(c, -scale) for c in TEXT]}), texts).values[0]
        for scale in (1.0, 4.0)
    )
    assert again == 4 * once


def test_an_empty_text_does_not_get_the_best_score_of_all():
    scores = zlib_entropy(UniformTarget(), Members.from_rows([{"text": ""}, {"text": "a"}]))
    assert scores.scored.tolist() == [False, True]
