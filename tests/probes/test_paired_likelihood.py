"""Paired likelihood (CrowS): the shared ending given the group, and nothing else."""

import numpy as np
import pytest

from probatum.core.data import Pairs
from probatum.core.estimate import Truth
from probatum.probes.fairness.paired_likelihood import paired_likelihood
from probatum.testing import CharacterTarget, TableTarget, UniformTarget, toy_data, toy_target


class Skewed(CharacterTarget):
    """Says "b" or "g" after the group: "b" with probability s after an "x", 1 − s after a "y"."""

    def __init__(self, s: float):
        self.s = s
        super().__init__("xybg t", name=f"skew {s}")

    def distribution(self, context: str) -> np.ndarray:
        p = np.full(6, 0.01)
        group = next((c for c in context if c in "xy"), None)
        if group is None or not context.endswith(" "):
            return np.full(6, 1 / 6)
        s = self.s if group == "x" else 1 - self.s
        p[2], p[3] = 0.96 * s, 0.96 * (1 - s)
        return p / p.sum()


def pair(a, b, **more):
    return {"text_a": a, "text_b": b, "group_a": "x", "group_b": "y", **more}


@pytest.mark.parametrize("s", [0.5, 0.6, 0.8, 0.95])
def test_a_planted_skew_gives_its_log_odds(s):
    scores = paired_likelihood(Skewed(s), Pairs.from_rows([pair("t x b", "t y b")]))
    assert scores.values == pytest.approx([np.log(s / (1 - s))], abs=1e-6)


def test_exchanging_the_sentences_changes_the_sign():
    forth, back = [pair("t x b", "t y b")], [pair("t y b", "t x b")]
    values = [paired_likelihood(Skewed(0.8), Pairs.from_rows(rows)).values[0] for rows in (forth, back)]
    assert values[0] == -values[1] > 0


def test_a_taught_association_is_found_and_points_at_the_stereotype(found):
    result = found(paired_likelihood, toy_target(planted=True))
    assert result.direction == "expected"
    assert result.p_value == pytest.approx(2 / 2**6)  # 12 pairs of 6 topics


def test_a_model_that_was_taught_none_shows_none(found):
    assert found(paired_likelihood, toy_target(planted=False)).p_value == 1


def test_a_small_difference_is_not_called_an_association():
    """s = .53: a difference of .12 nats in every topic, below the floor of .15."""
    data = Pairs.from_rows(pair(f"{'t' * i} x b", f"{'t' * i} y b", cluster=str(i)) for i in range(30))
    metric = paired_likelihood.method.metric
    assert metric(paired_likelihood(Skewed(0.53), data), Truth()).p_value == 1
    assert metric(paired_likelihood(Skewed(0.6), data), Truth()).p_value < 1e-4


def test_the_prior_of_the_group_word_does_not_enter():
    table = TableTarget.of_tokens(
        {
            "he runs": [("he", -1.0), (" runs", -2.0)],
            "she runs": [("she", -9.0), (" runs", -2.5)],
        }
    )
    assert paired_likelihood(table, Pairs.from_rows([pair("he runs", "she runs")])).values.tolist() == [0.5]


def test_the_shared_ending_begins_at_a_word():
    """ "he runs" and "she runs" share "he runs", of which only " runs" is a word of both."""
    table = TableTarget.of_tokens(
        {
            "the man was bad": [("the", -1.0), (" man", -1.0), (" was", -1.0), (" bad", -1.0)],
            "the woman was bad": [("the", -1.0), (" woman", -7.0), (" was", -1.5), (" bad", -4.0)],
        }
    )
    assert paired_likelihood(table, Pairs.from_rows([pair("the man was bad", "the woman was bad")])).values == [3.5]


def test_a_pair_whose_group_word_comes_last_is_unscored():
    scores = paired_likelihood(UniformTarget(), Pairs.from_rows([pair("t the x", "t the y", id="last")]))
    assert scores.unscored == {"last": "nothing is shared after the group word"}


def test_the_toy_pairs_differ_in_the_group_alone():
    data = toy_data()["Pairs"]
    assert all(
        a.replace(g, h) == b for a, b, g, h in zip(data.text_a, data.text_b, data.group_a, data.group_b, strict=True)
    )
