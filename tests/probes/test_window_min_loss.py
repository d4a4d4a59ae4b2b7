"""Window: every window by hand, and one as long as the text is LOSS."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.loss import loss
from probatum.probes.privacy.membership.window_min_loss import window_min_loss
from probatum.testing import TableTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()
#: Means of two tokens: −3.5, −4, −3.5, −4, −3.5; of three: −3, −4.33, −3.33, −4.
TABLE = TableTarget.of_tokens({"abcdef": [(c, -float(v)) for c, v in zip("abcdef", [1, 6, 2, 5, 3, 4], strict=True)]})
ONE = Members.from_rows([{"text": "abcdef"}])


def test_what_was_learned_by_heart_is_found(found):
    result = found(window_min_loss, toy_target(planted=True), w=8)
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(window_min_loss, toy_target(planted=False), w=8).p_value > 0.05


@pytest.mark.parametrize(("w", "best"), [(1, -1.0), (2, -3.5), (3, -3.0), (4, -3.5), (5, -3.4), (6, -3.5), (50, -3.5)])
def test_it_is_the_best_of_all_windows(w, best):
    assert window_min_loss(TABLE, ONE, w=w).values == pytest.approx([best])


def test_a_window_as_long_as_the_text_is_loss():
    target = toy_target()
    longest = max(len(text) for text in MEMBERS.texts)
    assert window_min_loss(target, MEMBERS, w=longest).values == pytest.approx(loss(target, MEMBERS).values, abs=1e-12)


@pytest.mark.parametrize("place", [0, 3, 17, 40, 56])
def test_the_window_slides_to_where_the_passage_stands(place):
    """A published peer asks the length of the batch instead of the text, so that its window never moves."""
    text = "".join(chr(ord("a") + i % 26) for i in range(60))
    known = {text: [(c, -0.1 if place <= i < place + 4 else -5.0) for i, c in enumerate(text)]}
    target = TableTarget.of_tokens(known)
    scores = window_min_loss(target, Members.from_rows([{"text": text}]), w=4)
    assert scores.values == pytest.approx([-0.1], rel=1e-6)


def test_one_memorized_passage_outweighs_a_text_that_is_a_little_likelier_throughout():
    """The smallest loss counts. The largest would rank these two the other way round, and so does their mean."""
    passage = [("p", -9.0)] * 6 + [("q", -0.1)] * 4 + [("p", -9.0)] * 6
    even = [("e", -3.0)] * 16
    target = TableTarget.of_tokens({"pppppp" + "qqqq" + "pppppp": passage, "e" * 16: even})
    texts = Members.from_rows([{"text": "ppppppqqqqpppppp"}, {"text": "e" * 16}])
    high, low = window_min_loss(target, texts, w=4).values
    assert high > low
    assert np.diff(loss(target, texts).values)[0] > 0


def test_an_empty_text_is_unscored():
    texts = Members.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "abcdef"}])
    assert window_min_loss(TABLE, texts).scored.tolist() == [False, True]


def test_a_window_without_tokens_is_refused():
    with pytest.raises(BadInput, match="at least one token"):
        window_min_loss(TABLE, ONE, w=0)
