"""A repaired model against golds: calibrated where it is one of them, and as wide as golds differ."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.draws import keyed
from probatum.statistics.gold import band, ks_distance


@pytest.mark.parametrize("k", [3, 6])
@pytest.mark.parametrize(("between", "within"), [(1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
def test_one_more_gold_is_told_from_gold_no_more_often_than_said(k, between, within):
    rng = keyed("gold", k, between, within)
    p = []
    for _ in range(4000):
        true = rng.normal(0, between, k + 1)
        seen = true + rng.normal(0, within, k + 1)
        p.append(band(seen[0], within, list(seen[1:]), [within] * k).p_value)
    for a in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))


def test_without_error_of_measurement_it_is_the_prediction_interval():
    """Mean ± t(k − 1) s √(1 + 1/k), as in any textbook."""
    golds = [0.12, 0.15, 0.19, 0.11]
    found = band(0.5, 0.0, golds, [0.0] * 4)
    half = stats.t.ppf(0.975, 3) * np.std(golds, ddof=1) * np.sqrt(1.25)
    assert (found.low, found.high) == pytest.approx((np.mean(golds) - half, np.mean(golds) + half))
    t = (0.5 - np.mean(golds)) / (np.std(golds, ddof=1) * np.sqrt(1.25))
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, 3))


def test_golds_that_agree_leave_the_error_of_measurement():
    found = band(0.5, 0.1, [0.2] * 3, [0.0] * 3)
    assert (found.low, found.high) == pytest.approx((0.2 - 0.196, 0.2 + 0.196), abs=1e-3)
    assert band(1.0, 0.0, [1.0] * 3, [0.0] * 3).p_value == 1.0
    assert band(0.9, 0.0, [1.0] * 3, [0.0] * 3).p_value == 0.0


def test_with_one_gold_only_the_errors_of_measurement_are_known():
    found = band(0.3, 0.03, [0.2], [0.04])
    assert found.high - found.center == pytest.approx(1.96 * 0.05, rel=1e-3)


def test_the_distance_is_that_of_scipy():
    rng = keyed("distance")
    a, b = rng.normal(0, 1, 300), rng.normal(0.8, 1, 300)
    assert tuple(ks_distance(a, b))[::3] == tuple(stats.ks_2samp(a, b))[:2]


@pytest.mark.parametrize("n", [36, 130])
def test_the_interval_of_the_distance_holds_the_truth(n):
    """Two normal laws .8 apart: D = 2 Φ(.4) − 1. A percentile bootstrap held it in 76 % of trials."""
    truth, rng = 2 * stats.norm.cdf(0.4) - 1, keyed("coverage", n)
    found = [ks_distance(rng.normal(0, 1, n), rng.normal(0.8, 1, n), draws=100) for _ in range(300)]
    assert np.mean([f.low <= truth <= f.high for f in found]) >= 0.93


def test_two_samples_of_one_law_are_told_apart_no_more_often_than_said():
    rng = keyed("ks null")
    p = np.array([ks_distance(rng.normal(size=60), rng.normal(size=60), draws=2).p_value for _ in range(1000)])
    for a in (0.01, 0.05, 0.2):
        assert np.mean(p <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))
