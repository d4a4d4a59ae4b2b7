"""Max-T: exact where it can be listed, honest on nulls of every design, and stronger than Holm where attacks agree."""

from itertools import combinations

import numpy as np
import pytest

from probatum.statistics.multiplicity import max_t
from probatum.statistics.tests import holm, mann_whitney


def test_one_attack_has_the_p_value_of_its_own_permutation_test():
    scores = np.array([3.1, 2.7, 5.0, 0.2, 1.1, 0.4, 2.0])
    label = np.array([True, True, True, False, False, False, False])
    ranks = scores.argsort().argsort() - 3.0
    every = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(7), 3)])
    exact = (np.abs(every) >= abs(ranks[label].sum()) - 1e-9).mean()
    assert max_t([scores], label, rng=np.random.default_rng(0), draws=20_000)[0] == pytest.approx(exact, abs=0.01)


def test_the_same_attack_twenty_times_costs_nothing():
    rng = np.random.default_rng(1)
    label = np.arange(60) < 30
    scores = rng.normal(size=60) + 0.7 * label
    alone = max_t([scores], label, rng=np.random.default_rng(2))[0]
    twenty = max_t([scores] * 20, label, rng=np.random.default_rng(2))
    assert twenty == pytest.approx(np.full(20, alone))
    p = [mann_whitney(scores[label], scores[~label]).value] * 20
    assert holm(p)[0] > 10 * twenty[0]  # what Holm would have charged


def test_an_attack_that_finds_something_does_not_cover_for_the_others():
    rng = np.random.default_rng(3)
    label = np.arange(80) < 40
    strong, noise = rng.normal(size=80) + 3 * label, rng.normal(size=80)
    found = max_t([noise, strong], label, rng=rng)
    assert found[1] < 0.001 < 0.05 < found[0]


def _design(name: str, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray, np.ndarray | None]:
    n = 48
    common = rng.normal(size=n)
    scores = [common + rng.normal(size=n) for _ in range(6)]
    if name == "pairs":
        coin = rng.random(n // 2) < 0.5
        return scores, np.column_stack([coin, ~coin]).ravel(), np.repeat(np.arange(n // 2), 2).astype(str)
    if name == "whole units":
        own = np.repeat(2 * rng.normal(size=n // 3), 3)
        return [s + own for s in scores], np.repeat(rng.permutation(n // 3) < 8, 3), np.repeat(np.arange(n // 3), 3)
    return scores, rng.permutation(n) < n // 2, None


@pytest.mark.parametrize("name", ["records", "pairs", "whole units"])
def test_chance_rejects_no_more_often_than_it_may(name):
    rng = np.random.default_rng(4)
    lowest = []
    for _ in range(300):
        scores, label, cluster = _design(name, rng)
        lowest.append(max_t(scores, label, cluster=cluster, rng=rng, draws=199).min())
    for a in (0.01, 0.05, 0.2):
        assert np.mean(np.array(lowest) <= a) <= a + 3 * np.sqrt(a / 300)


def test_units_that_are_not_kept_whole_would_reject_far_too_often():
    rng = np.random.default_rng(5)
    ignored = []
    for _ in range(100):
        scores, label, _ = _design("whole units", rng)
        ignored.append(max_t(scores, label, rng=rng, draws=199).min())
    assert np.mean(np.array(ignored) <= 0.05) > 0.15


def test_unscored_records_and_constant_attacks_do_no_harm():
    rng = np.random.default_rng(6)
    label = np.arange(60) < 30
    half = np.where(np.arange(60) % 2, np.nan, rng.normal(size=60) + 2 * label)
    found = max_t([half, np.zeros(60)], label, rng=rng)
    assert found[0] < 0.01
    assert found[1] == 1
