"""SURP: the sure and surprised tokens of a text by hand."""

import pytest

from probatum.core.data import Members
from probatum.probes.privacy.membership.surp import surp
from probatum.testing import TableTarget, toy_target

#: (token, log p, −entropy, spread): entropies 1, 1, 3, 1, 1, log-probabilities −1 to −5.
TABLE = TableTarget.of_tokens(
    {"abcde": [("a", -1.0, -1.0, 1.0), ("b", -4.0, -1.0, 1.0), ("c", -5.0, -3.0, 1.0), ("d", -3.0, -1.0, 1.0),
               ("e", -2.0, -1.0, 1.0)]}
)  # fmt: skip
ONE = Members.from_rows([{"id": "one", "text": "abcde"}])


def test_what_was_learned_by_heart_is_found(found):
    result = found(surp, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(surp, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize(
    ("k", "max_entropy", "mean"),
    [
        (0.5, 2.0, -3.5),  # at or below the median, -3: b, c, d; c is not sure of itself
        (0.25, 2.0, -4.0),  # at or below -4: b and c
        (1.0, 2.0, -2.5),  # all but c
        (0.5, 4.0, -4.0),  # b, c, d
        (0.3, 2.0, -4.0),  # between -4 and -3, at -3.8
    ],
)
def test_the_surprising_tokens_are_those_of_both_thresholds(k, max_entropy, mean):
    assert surp(TABLE, ONE, k=k, max_entropy=max_entropy).values.tolist() == [mean]


def test_a_text_without_a_surprise_is_counted_and_not_scored():
    scores = surp(TABLE, ONE, max_entropy=1.0)
    assert not scores.scored.any()
    assert scores.unscored == {"one": "no surprising token"}
