"""Gradient norm on a table of logits, whose gradient is p − e_y, and against its peers' mistakes."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Members
from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.probes.privacy.membership.gradient_norm import gradient_norm
from probatum.statistics import auroc
from probatum.testing import UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"]


class Told(Target):
    """Says squared norms as they were told, by group."""

    def __init__(self, groups, squared):
        self.name, self._groups, self._squared = "told", groups, np.array(squared, np.float32)

    def gradient_norms(self, texts):
        return self._groups, self._squared[: len(texts)]


GROUPS = ("embedding+head", "positions", "block 0", "block 1", "block 2", "norm")
ONE = Members.from_rows([{"id": "one", "text": "a"}])


def test_what_was_learned_by_heart_is_found_the_right_way_round(found):
    """A published peer flips the sign twice, and its users see 1 − AUROC."""
    result = found(gradient_norm, toy_target(planted=True).giving(Access.GRADIENTS))
    assert result.estimate.value == 1
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(gradient_norm, toy_target(planted=False).giving(Access.GRADIENTS)).p_value > 0.05


def test_a_uniform_softmax_in_closed_form():
    """Of T different characters that are each 1/V likely: ‖mean(p − e_y)‖² = 1/T − 1/V."""
    model = UniformTarget("abcdefgh")
    model.seen = lambda context: ""  # one row of logits
    texts = Members.from_rows([{"text": "a"}, {"text": "abcd"}, {"text": "hgfedcba"}])
    scores = gradient_norm(model.giving(Access.GRADIENTS), texts)
    assert scores.values == pytest.approx([-np.sqrt(1 / n - 1 / 8) for n in (1, 4, 8)], abs=1e-6)
    assert scores.towards == "member"


@pytest.mark.parametrize(
    ("group", "squared"),
    [("all", 111111), ("embedding", 1), ("head", 1), ("blocks", 11100), ("first block", 100), ("last block", 10000),
     ("norm", 100000)],
)  # fmt: skip
def test_groups_are_summed_before_the_root(group, squared):
    scores = gradient_norm(Told(GROUPS, [[1, 10, 100, 1000, 10000, 100000]]), ONE, group=group)
    assert scores.values == pytest.approx([-np.sqrt(squared)])


def test_a_group_that_the_model_lacks_is_refused_with_those_it_has():
    with pytest.raises(BadInput, match="no 'norm'; its groups are table"):
        gradient_norm(Told(("table",), [[1.0]]), ONE, group="norm")


def test_an_empty_text_is_unscored():
    texts = Members.from_rows([{"id": "none", "text": ""}, {"id": "one", "text": "a."}])
    scores = gradient_norm(toy_target().giving(Access.GRADIENTS), texts)
    assert scores.scored.tolist() == [False, True]
    assert scores.unscored["none"]


def test_where_a_coin_gives_the_labels_p_is_below_a_in_at_most_a_of_the_cases():
    rng = np.random.default_rng(0)
    scores = gradient_norm(toy_target(planted=False).giving(Access.GRADIENTS), MEMBERS.blind())
    p = []
    for _ in range(400):
        rows = [{"text": t, "member": bool(m)} for t, m in zip(MEMBERS.texts, rng.permutation(24) < 12, strict=True)]
        p.append(auroc(scores, Members.from_rows(rows).truth).p_value)
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= level) <= level + 3 * np.sqrt(level * (1 - level) / len(p))
