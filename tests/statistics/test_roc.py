"""The ROC area and its points: against scikit-learn, by hand, and for coverage on binormal scores."""

from math import nan, sqrt

import numpy as np
import pytest
from scipy.stats import beta, binom, norm, rankdata
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_curve

from probatum.statistics.roc import (
    delong,
    delong_interval,
    midranks,
    paired_delong,
    roc_band,
    roc_curve,
    tpr_at_fpr,
)


def binormal(rng, m, n, d):
    return rng.normal(d, 1, m), rng.normal(0, 1, n)


def sklearn_auc(positive, negative):
    return roc_auc_score(np.r_[np.ones(len(positive)), np.zeros(len(negative))], np.r_[positive, negative])


def test_midranks_are_scipys_average_ranks():
    x = np.random.default_rng(0).integers(0, 30, 200)
    assert np.array_equal(midranks(x), rankdata(x))


@pytest.mark.parametrize("rounding", [9, 0])
def test_the_area_is_scikit_learns_with_and_without_ties(rounding):
    p, n = (x.round(rounding) for x in binormal(np.random.default_rng(1), 60, 90, 0.7))
    assert delong(p, n)[0] == pytest.approx(sklearn_auc(p, n), abs=1e-12)


def test_the_variance_by_hand():
    # psi = [[1, 1], [0, 1]] for x = 3, 1 and y = 2, 0: V10 = 1, 1/2 and V01 = 1/2, 1, each of variance 1/8
    assert delong([3, 1], [2, 0]) == pytest.approx((0.75, 1 / 8 / 2 + 1 / 8 / 2))


def test_the_variance_agrees_with_two_thousand_bootstrap_draws():
    rng = np.random.default_rng(2)
    p, n = binormal(rng, 150, 200, 1.0)
    psi = (p[:, None] > n).astype(float)
    draws = [psi[rng.integers(150, size=150)][:, rng.integers(200, size=200)].mean() for _ in range(2000)]
    # the variance of 2000 draws has a relative standard error of 3 %
    assert np.var(draws) == pytest.approx(delong(p, n)[1], rel=0.12)


@pytest.mark.parametrize("d", [0.0, 1.0, 2.0])
def test_the_interval_covers_the_binormal_area(d):
    rng, truth, hits = np.random.default_rng(3), norm.cdf(d / sqrt(2)), 0
    for _ in range(500):
        i = delong_interval(*binormal(rng, 80, 80, d))
        hits += i.low <= truth <= i.high
    assert 0.93 <= hits / 500 <= 0.97


def test_by_cluster_copies_of_a_record_add_nothing():
    p, n = binormal(np.random.default_rng(4), 40, 50, 0.8)
    copies = (np.repeat(np.arange(40), 3), np.repeat(np.arange(100, 150), 3))
    once, thrice = delong_interval(p, n), delong_interval(p.repeat(3), n.repeat(3), clusters=copies)
    assert (thrice.low, thrice.high, thrice.n) == (pytest.approx(once.low), pytest.approx(once.high), 90)
    naive = delong_interval(p.repeat(3), n.repeat(3))
    assert naive.high - naive.low < 0.7 * (thrice.high - thrice.low)


def test_clusters_that_hold_both_kinds_cover_the_area():
    # a shared shift of the cluster cancels in the comparison, which only S11 knows
    rng, hits, widths = np.random.default_rng(5), 0, []
    units = np.repeat(np.arange(40), 2)
    for _ in range(400):
        shift = rng.normal(0, 2, 40).repeat(2)
        p, n = rng.normal(size=80) + shift, rng.normal(size=80) + shift
        i = delong_interval(p, n, clusters=(units, units))
        hits += i.low <= 0.5 <= i.high
        widths.append((i.high - i.low) / (delong_interval(p, n).high - delong_interval(p, n).low))
    assert 0.92 <= hits / 400 <= 0.98
    assert np.mean(widths) < 0.8


def test_a_perfect_area_is_not_a_certain_one():
    i = delong_interval(np.arange(10, 60), np.arange(-30, 0))
    assert (i.value, i.high) == (1.0, 1.0)
    assert i.low == pytest.approx(0.025 ** (1 / 30))  # 30 disjoint pairs
    assert delong_interval(-np.arange(10, 60), np.arange(0, 30)).high == pytest.approx(1 - i.low)


def test_all_scores_tied_is_a_half_with_a_width():
    i = delong_interval(np.ones(20), np.ones(20))
    assert i.value == 0.5
    assert i.low == pytest.approx(0.025 ** (1 / 20) / 2)
    assert i.high == pytest.approx(1 - i.low)


def test_a_variance_factor_widens_the_interval():
    p, n = binormal(np.random.default_rng(6), 40, 50, 0.8)
    narrow, wide = delong_interval(p, n), delong_interval(p, n, variance_factor=2)

    def width(i):
        return np.diff(norm.ppf([0.5, 0.5]) + np.log([i.low / (1 - i.low), i.high / (1 - i.high)]))[0]

    assert width(wide) == pytest.approx(sqrt(2) * width(narrow))


def test_paired_scores_cover_their_difference_and_are_calibrated():
    rng, truth, covered, alarms = np.random.default_rng(7), norm.cdf(1 / 2), 0, 0
    for _ in range(400):
        common_p, common_n = rng.normal(size=80), rng.normal(size=80)
        a = common_p + rng.normal(size=80) + 1, common_n + rng.normal(size=80)
        b = common_p + rng.normal(size=80), common_n + rng.normal(size=80)
        c = common_p + rng.normal(size=80), common_n + rng.normal(size=80)
        r = paired_delong(*a, *b)
        covered += r.low <= truth - 0.5 <= r.high
        alarms += paired_delong(*b, *c).p_value <= 0.05
    # a z test on the raw area is asymptotic: [.91, .98] and 8 % are 3 standard errors of 400 runs away
    assert 0.91 <= covered / 400 <= 0.98
    assert 0.02 <= alarms / 400 <= 0.08


def test_pairing_is_worth_something_on_correlated_scores():
    rng = np.random.default_rng(8)
    p, n = binormal(rng, 100, 100, 1)
    r = paired_delong(p, n, p + rng.normal(0, 0.3, 100), n + rng.normal(0, 0.3, 100))
    assert r.high - r.low < 2 * 1.96 * sqrt(2 * delong(p, n)[1]) / 2


def test_two_perfect_scores_do_not_differ_but_are_not_known_to_be_equal():
    r = paired_delong([5, 6, 7], [1, 2, 3], [8, 6, 9], [1, 2, 0])
    assert (r.difference, r.p_value) == (0.0, 1.0)
    assert (r.low, r.high) == (pytest.approx(0.025 ** (1 / 3) - 1), pytest.approx(1 - 0.025 ** (1 / 3)))
    r = paired_delong([5, 6, 7], [1, 2, 3], [1, 2, 3], [5, 6, 7])
    assert (r.difference, r.p_value) == (1.0, 2 * 2.0**-3)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(10, 1000, 0.48, 1.83), (25, 1000, 1.62, 3.67), (2, 200, 0.12, 3.57)]
)
def test_tpr_at_one_percent_has_the_published_limits(hits, n, low, high):
    negative = np.arange(1000.0)
    point = tpr_at_fpr(np.where(np.arange(n) < hits, 2000.0, -1.0), negative, 0.01)
    assert point.resolvable
    assert point.threshold == 990.0  # the 10th largest, of which 9 lie above
    assert (point.value, point.fpr) == (hits / n, 0.009)
    assert (round(100 * point.low, 2), round(100 * point.high, 2)) == (low, high)
    # the upper limit of the realized rate is the quantile of its exact law, Beta(k, n + 1 - k)
    assert point.fpr_high == pytest.approx(beta.ppf(0.975, 10, 991))
    assert point.fpr_low == pytest.approx(beta.ppf(0.025, 9, 992))


def test_a_certified_rate_needs_299_nonmembers():
    assert binom.cdf(0, 299, 0.01) <= 0.05 < binom.cdf(0, 298, 0.01)
    assert tpr_at_fpr([1.0], np.zeros(299), 0.01, level=0.9).fpr_high == pytest.approx(1 - 0.05 ** (1 / 299))
    assert tpr_at_fpr([1.0], np.zeros(299), 0.01, level=0.9).fpr_high <= 0.01
    assert tpr_at_fpr([1.0], np.zeros(298), 0.01, level=0.9).fpr_high > 0.01


@pytest.mark.parametrize(("n", "fpr", "resolvable"), [(99, 0.01, False), (100, 0.01, True), (999, 0.001, False)])
def test_too_few_negatives_are_not_resolvable(n, fpr, resolvable):
    point = tpr_at_fpr(np.full(5, 1e9), np.arange(float(n)), fpr)
    assert point.resolvable == resolvable
    assert (point.value == 1.0) == resolvable
    assert np.isnan(point.value) != resolvable
    if not resolvable:
        assert (point.low, point.high, point.fpr_low, point.fpr_high) == (0, 1, 0, 1)


def test_a_rate_that_binary_cannot_hold_takes_the_right_rank():
    assert tpr_at_fpr([0.0], np.arange(99.0), 0.29).threshold == 98 - 28  # floor(.29 * 100) is 29, not 28


def test_the_budget_is_kept_on_new_negatives_and_ties_are_not_detected():
    rng = np.random.default_rng(9)
    rates = [1 - norm.cdf(tpr_at_fpr([0.0], rng.normal(size=100), 0.05).threshold) for _ in range(2000)]
    assert np.mean(rates) == pytest.approx(5 / 101, abs=0.0015)  # k/(n + 1), and 3 standard errors
    assert tpr_at_fpr(np.ones(10), np.ones(200), 0.05).value == 0


def test_the_curve_is_scikit_learns():
    p, n = (x.round(1) for x in binormal(np.random.default_rng(10), 50, 70, 1))
    ours = roc_curve(p, n)
    theirs = sklearn_curve(np.r_[np.ones(50), np.zeros(70)], np.r_[p, n], drop_intermediate=False)
    for a, b in zip(ours, theirs, strict=True):
        assert a == pytest.approx(b, abs=1e-12)


def test_the_band_is_the_point_at_every_budget():
    p, n = binormal(np.random.default_rng(11), 50, 150, 1)
    grid = np.array([0.001, 0.01, 0.1, 0.5])
    band = roc_band(p, n, grid)
    for i, rate in enumerate(grid):
        point = tpr_at_fpr(p, n, rate)
        expected = (point.value, point.low, point.high, point.threshold)
        got = (band.tpr[i], band.low[i], band.high[i], band.threshold[i])
        assert got == pytest.approx(expected, nan_ok=True)
    assert np.isnan(band.tpr).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: delong([1.0], [1.0, 2.0]), "positive must hold at least 2 values, got 1"),
        (lambda: delong([1.0, nan], [1.0, 2.0]), "positive must not hold NaN"),
        (lambda: delong([[1.0, 2.0]], [1.0, 2.0]), "one-dimensional"),
        (lambda: delong([1, 2], [3, 4], clusters=([0, 0], [1, 2])), "two independent units"),
        (lambda: delong([1, 2], [3, 4], clusters=([0], [1, 2])), "2 and 2 labels"),
        (lambda: delong_interval([1, 2, 3], [2, 3, 1], level=95), "level must lie strictly between 0 and 1"),
        (lambda: paired_delong([1, 2], [1, 2], [1, 2, 3], [1, 2]), "the same records"),
        (lambda: tpr_at_fpr([1], [1], 0.0), "fpr must lie strictly between 0 and 1"),
        (lambda: tpr_at_fpr([], [1], 0.1), "positive must hold at least 1 value, got 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()
