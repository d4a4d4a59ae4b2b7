"""Max-K% Prob: the likeliest tokens by hand, and k = 1 is LOSS."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.loss import loss
from probatum.probes.privacy.membership.max_k_prob import max_k_prob
from probatum.probes.privacy.membership.min_k_prob import min_k_prob
from probatum.testing import TableTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()
TABLE = TableTarget.of_tokens({"abcdef": [(c, -float(v)) for c, v in zip("abcdef", [1, 6, 2, 5, 3, 4], strict=True)]})
ONE = Members.from_rows([{"text": "abcdef"}])


def test_what_was_learned_by_heart_is_found(found):
    result = found(max_k_prob, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(max_k_prob, toy_target(planted=False)).p_value > 0.05


def test_with_all_tokens_it_is_loss():
    target = toy_target()
    assert np.array_equal(max_k_prob(target, MEMBERS, k=1.0).values, loss(target, MEMBERS).values)


@pytest.mark.parametrize(("k", "mean"), [(0.01, -1.0), (1 / 6, -1.0), (0.2, -1.5), (1 / 3, -1.5), (0.5, -2.0)])
def test_the_share_is_rounded_up_and_at_least_one_token(k, mean):
    assert max_k_prob(TABLE, ONE, k=k).values.tolist() == [mean]


def test_halves_of_a_text_make_up_the_whole():
    """The likeliest half and the least likely half of six tokens are all six."""
    halves = max_k_prob(TABLE, ONE, k=0.5).values + min_k_prob(TABLE, ONE, k=0.5).values
    assert halves / 2 == pytest.approx(loss(TABLE, ONE).values)


@pytest.mark.parametrize("k", [0.0, 1.1])
def test_a_share_outside_its_range_is_refused(k):
    with pytest.raises(BadInput, match="share"):
        max_k_prob(TABLE, ONE, k=k)
