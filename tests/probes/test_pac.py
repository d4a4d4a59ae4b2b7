"""PAC: a model that does not look at the context gives 0, and members lie above nonmembers."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.target import RECORD, TokenStatistics
from probatum.probes.privacy.membership.pac import pac
from probatum.testing import NgramTarget, TableTarget, UnigramTarget, toy_data, toy_target
from probatum.testing.targets import ALPHABET

MEMBERS = toy_data()["Members"].blind()
UNSEEN = NgramTarget(toy_data()["Texts"].texts, order=3)


class Watching(UnigramTarget):
    """Remembers what it was asked."""

    def __init__(self):
        shares = keyed("unigram").dirichlet(np.ones(len(ALPHABET)))
        super().__init__(dict(zip(ALPHABET, shares, strict=True)))
        self.asked = []

    def token_statistics(self, texts, *, prefixes=None):
        self.asked.append(list(texts))
        return super().token_statistics(texts, prefixes=prefixes)


def test_what_was_learned_by_heart_is_found_and_in_the_right_direction(found):
    """The paper subtracts the other way round, where members are low."""
    result = found(pac, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(pac, UNSEEN).p_value > 0.05


def test_a_model_that_does_not_look_at_the_context_gives_0():
    """Words that change places keep the multiset of log-probabilities."""
    scores = pac(Watching(), MEMBERS, rng=keyed("any"))
    assert scores.scored.all()
    assert np.abs(scores.values).max() < 1e-12


def test_all_swapped_texts_are_asked_in_one_call_and_differ_from_their_text_by_their_order_only():
    target = Watching()
    pac(target, MEMBERS, rng=keyed("any"), swaps=3)
    own, altered = target.asked
    assert own == list(MEMBERS.texts)
    assert len(altered) == 3 * len(own)
    for i, text in enumerate(altered):
        assert text != own[i // 3]
        assert sorted(text) == sorted(own[i // 3])
        assert text.endswith(".")  # punctuation stays


def test_more_alpha_moves_more_words():
    moved = []
    for alpha in (0.01, 0.5):
        target = Watching()
        pac(target, MEMBERS, rng=keyed("any"), swaps=1, alpha=alpha)
        own, altered = target.asked
        moved.append(np.mean([a != b for x, y in zip(own, altered, strict=True)
                              for a, b in zip(x.split(), y.split(), strict=True)]))  # fmt: skip
    assert moved[0] == pytest.approx(2 / 8)  # one pair of the eight words of a text
    assert moved[1] > 0.5


def test_the_distance_by_hand():
    """Two words have one swap. Of 20 tokens, PD is the largest less the mean of the six smallest."""

    class Table(TableTarget):
        def token_statistics(self, texts, *, prefixes=None):
            rows = []
            for text in texts:
                row = np.zeros(20, RECORD)
                row["logprob"] = -np.arange(1.0, 21.0) * (1.0 if text == "ab cd" else 1.5)
                rows.append(row)
            return TokenStatistics.of(rows, ("logprob",))

    distance = -1.0 + np.mean(np.arange(15, 21))
    scores = pac(Table(), Members.from_rows([{"text": "ab cd"}]), rng=keyed("any"), swaps=4)
    assert scores.values == pytest.approx([1.5 * distance - distance])


@pytest.mark.parametrize(("text", "share"), [("ab cd", 1.0), ("a a a a a a b", 0.15), ("a b a b", 2.0)])
def test_a_swap_that_changes_nothing_is_replaced_by_one_that_does(text, share):
    """Equal words, or a pair swapped there and back."""
    target = Watching()
    pac(target, Members.from_rows([{"text": text}]), rng=keyed("any"), swaps=20, alpha=share)
    assert text not in target.asked[1]
    assert {"".join(sorted(t)) for t in target.asked[1]} == {"".join(sorted(text))}


def test_a_text_without_two_different_words_is_unscored():
    texts = Members.from_rows({"id": t or "none", "text": t} for t in ("", "one", "same same", "...", "one two"))
    scores = pac(toy_target(), texts, rng=keyed("any"))
    assert scores.scored.tolist() == [False] * 4 + [True]
    assert set(scores.unscored.values()) == {"no two different words to swap"}


@pytest.mark.parametrize("options", [{"swaps": 0}, {"alpha": 0.0}, {"far": 0.0}, {"near": 1.5}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput):
        pac(toy_target(), MEMBERS, rng=keyed("any"), **options)
