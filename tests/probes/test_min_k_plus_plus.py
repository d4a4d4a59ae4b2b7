"""Min-K%++: a vocabulary of two characters can be solved by hand."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Members
from probatum.core.errors import NotOffered
from probatum.probes.privacy.membership.min_k_plus_plus import min_k_plus_plus
from probatum.testing import UniformTarget, UnigramTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


def test_what_was_learned_by_heart_is_found(found):
    result = found(min_k_plus_plus, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(min_k_plus_plus, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize("p", [0.6, 0.8, 0.99])
def test_two_characters_have_a_closed_form(p):
    """log p varies by log(p/q) with variance pq log²(p/q): z is √(q/p) for the likely and −√(p/q) for the other."""
    target, q = UnigramTarget({"a": p, "b": 1 - p}), 1 - p
    texts = Members.from_rows({"text": t} for t in ("aaaaa", "aaaab", "bbbbb", "aabbb"))
    high, low = np.sqrt(q / p), -np.sqrt(p / q)
    assert min_k_plus_plus(target, texts, k=0.2).values == pytest.approx([high, low, low, low], abs=1e-5)
    mixed = [high, (4 * high + low) / 5, low, (2 * high + 3 * low) / 5]
    assert min_k_plus_plus(target, texts, k=1.0).values == pytest.approx(mixed, abs=1e-5)


def test_a_uniform_row_has_no_spread_and_counts_as_0():
    assert min_k_plus_plus(UniformTarget(), MEMBERS).values == pytest.approx(np.zeros(len(MEMBERS)))


def test_an_interface_without_the_whole_vocabulary_cannot_serve_it():
    with pytest.raises(NotOffered, match="mean"):
        min_k_plus_plus(toy_target().giving(Access.LOGPROBS | Access.TEXT), MEMBERS)
