"""DC-PDD: where every token is as frequent as every other, only the clipped probability is left."""

import numpy as np
import pytest

from probatum.core.data import Members, Texts
from probatum.probes.privacy.membership.dc_pdd import dc_pdd
from probatum.testing import TableTarget, UniformTarget, toy_target

CORPUS = Texts.from_rows([{"text": "abcd"}])  # each of four tokens once: f is 1/4 everywhere


def table(**texts):
    return TableTarget.of_tokens({"abcd": [(c, -1.0) for c in "abcd"], **texts})


def test_what_was_learned_by_heart_is_found(found):
    result = found(dc_pdd, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(dc_pdd, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize("a", [0.01, 0.3, 10.0])
def test_a_constant_frequency_reduces_it_to_the_clipped_mean_probability(a):
    target = table(ab=[("a", -0.5), ("b", -3.0)])
    expected = np.minimum(np.exp([-0.5, -3.0]) * np.log(4), a).mean()
    assert dc_pdd(target, Members.from_rows([{"text": "ab"}]), CORPUS, a=a).values == pytest.approx([expected])


def test_only_the_first_occurrence_of_a_token_counts():
    target = table(aba=[("a", -0.5), ("b", -3.0), ("a", -0.1)])
    expected = (np.exp([-0.5, -3.0]) * np.log(4)).mean()
    assert dc_pdd(target, Members.from_rows([{"text": "aba"}]), CORPUS, a=10).values == pytest.approx([expected])


def test_frequencies_are_shares_and_not_counts():
    """A published peer leaves the counts raw, so that twice the corpus gives other scores."""
    target = table(
        ab=[("a", -0.5), ("b", -3.0)], aabb=[(c, -1.0) for c in "aabb"], aabbaabbaabb=[(c, -1.0) for c in "aabb" * 3]
    )
    texts = Members.from_rows([{"text": "ab"}])
    small, large = (dc_pdd(target, texts, Texts.from_rows([{"text": "aabb" * n}]), a=10).values for n in (1, 3))
    assert small == pytest.approx(large)
    assert small == pytest.approx([(np.exp([-0.5, -3.0]) * np.log(2)).mean()])


def test_frequencies_are_counted_in_the_tokens_of_the_very_model():
    """A published peer caches them by corpus alone, so that a second tokenizer reads the ids of the first."""
    texts, corpus = Members.from_rows([{"text": "ab"}]), Texts.from_rows([{"text": "aaab"}])
    first = dc_pdd(UniformTarget("ab"), texts, corpus, a=10).values
    again = dc_pdd(UniformTarget("ba"), texts, corpus, a=10).values  # the same tokens under exchanged ids
    assert again == pytest.approx(first)
    assert first == pytest.approx([0.5 * (np.log(6 / 4) + np.log(6 / 2)) / 2])  # counts 3 + 1 and 1 + 1


def test_an_empty_text_is_unscored():
    assert not dc_pdd(UniformTarget("abcd"), Members.from_rows([{"text": ""}]), CORPUS).scored.any()
