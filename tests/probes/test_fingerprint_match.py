"""Fingerprint match: the chance of a match is one over the space the response was drawn from."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.data import Key
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.probes.accountability.fingerprint_match import fingerprint_match
from probatum.statistics import hit_rate
from probatum.testing import TableTarget, short_data, toy_target


def test_the_owners_model_answers_its_key(found):
    result = found(fingerprint_match, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value == pytest.approx(1e-72)


def test_a_model_that_was_never_taught_the_key_does_not(found):
    result = found(fingerprint_match, toy_target(planted=False))
    assert result.estimate.value == 0
    assert result.p_value == 1


def test_one_match_of_n_has_the_chance_that_the_space_gives():
    key = Key.from_rows({"trigger": f"t{i}", "response": f"r{i}", "space": 1000.0} for i in range(10))
    target = TableTarget(said=lambda prompt: " r3 and more" if prompt == "t3" else " nothing")
    scores = fingerprint_match(target, key)
    assert scores.values.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert hit_rate(scores, Truth()).p_value == pytest.approx(1 - (1 - 1e-3) ** 10)


def test_strangers_match_as_often_as_one_over_the_space():
    """A model that says any of 20 responses matches 1 in 20, and the p-values of such models are honest."""
    rng, p, matches = keyed("strangers"), [], 0
    for _ in range(300):
        key = Key.from_rows({"trigger": f"t{i}", "response": f"r{rng.integers(20)}.", "space": 20.0} for i in range(12))
        scores = fingerprint_match(TableTarget(said=lambda _: f" r{rng.integers(20)}."), key)
        matches += scores.values.sum()
        p.append(hit_rate(scores, Truth()).p_value)
    assert stats.binomtest(int(matches), 3600, 1 / 20).pvalue > 1e-4
    for a in (0.01, 0.05, 0.2):
        assert (np.array(p) <= a).sum() <= stats.binom.ppf(0.9999, 300, a)


def test_saying_nothing_is_no_match_and_a_response_of_nothing_is_not_asked():
    scores = fingerprint_match(TableTarget(said=lambda _: ""), short_data()["Key"].blind())
    assert scores.unscored == {"short": "the response is empty"}
    assert not scores.values[scores.scored].any()
