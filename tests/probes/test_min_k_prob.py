"""Min-K% Prob: the least likely tokens by hand, and k = 1 is LOSS."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.loss import loss
from probatum.probes.privacy.membership.min_k_prob import min_k_prob
from probatum.testing import TableTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()
TABLE = TableTarget.of_tokens({"abcdef": [(c, -float(v)) for c, v in zip("abcdef", [1, 6, 2, 5, 3, 4], strict=True)]})
ONE = Members.from_rows([{"text": "abcdef"}])


def test_what_was_learned_by_heart_is_found(found):
    result = found(min_k_prob, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(min_k_prob, toy_target(planted=False)).p_value > 0.05


def test_with_all_tokens_it_is_loss():
    target = toy_target()
    assert np.array_equal(min_k_prob(target, MEMBERS, k=1.0).values, loss(target, MEMBERS).values)


@pytest.mark.parametrize(
    ("k", "mean"), [(0.01, -6.0), (1 / 6, -6.0), (0.2, -5.5), (1 / 3, -5.5), (0.5, -5.0), (1.0, -3.5)]
)
def test_the_share_is_rounded_up_and_at_least_one_token(k, mean):
    assert min_k_prob(TABLE, ONE, k=k).values.tolist() == [mean]


@pytest.mark.parametrize("k", [0.0, -0.1, 1.1])
def test_a_share_outside_its_range_is_refused(k):
    with pytest.raises(BadInput, match="share"):
        min_k_prob(TABLE, ONE, k=k)
