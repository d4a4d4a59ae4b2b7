"""Every p-value: against scipy, by hand, and P(p <= a) <= a where there is nothing to find."""

import sys
from itertools import product

import numpy as np
import pytest
from scipy import stats

from probatum.statistics.tests import (
    PValue,
    binomial_tail,
    decoy_p,
    fisher_combination,
    holm,
    mann_whitney,
    permutation_two_sample,
    poisson_binomial_tail,
    poisson_tail,
    sign_flip,
)

LEVELS = (0.01, 0.05, 0.2)
COINS = np.linspace(0.02, 0.6, 40)


def assert_calibrated(p_values):
    """P(p <= a) <= a: a count above the 99.99 % binomial quantile of its runs is not Monte Carlo noise."""
    p = np.asarray(p_values)
    for a in LEVELS:
        assert (p <= a).sum() <= stats.binom.ppf(0.9999, len(p), a), f"P(p <= {a}) = {(p <= a).mean()}"
    assert (p <= 0.5).mean() > 0.2  # a test that always says 1 is calibrated too


def clustered(rng, units, size, spread=0.3):
    return (rng.normal(size=units)[:, None] + spread * rng.normal(size=(units, size))).ravel()


NULLS = {
    "mann_whitney exact": (800, lambda r: mann_whitney(r.normal(size=9), r.normal(size=12))),
    "mann_whitney listed": (800, lambda r: mann_whitney(r.integers(0, 4, 6), r.integers(0, 4, 7))),
    "mann_whitney asymptotic": (2000, lambda r: mann_whitney(r.normal(size=50), r.normal(size=45))),
    "mann_whitney ties": (2000, lambda r: mann_whitney(r.integers(0, 3, 50), r.integers(0, 3, 45))),
    "mann_whitney clusters": (
        400,
        lambda r: mann_whitney(
            clustered(r, 12, 3), clustered(r, 15, 3), rng=r, draws=499,
            clusters=(np.arange(36) // 3, 100 + np.arange(45) // 3),
        ),
    ),
    "mann_whitney few clusters": (
        600,
        lambda r: mann_whitney(
            clustered(r, 5, 3), clustered(r, 6, 2), clusters=(np.arange(15) // 3, 100 + np.arange(12) // 2)
        ),
    ),
    "binomial_tail": (3000, lambda r: binomial_tail(int(r.binomial(60, 0.3)), 60, 0.3)),
    "poisson_tail": (3000, lambda r: poisson_tail(int(r.poisson(7)), 7)),
    "poisson_binomial_tail": (
        2000,
        lambda r: poisson_binomial_tail(int((r.random(40) < COINS).sum()), COINS),
    ),
    "sign_flip exact": (800, lambda r: sign_flip(r.normal(size=10))),
    "sign_flip heavy tails": (400, lambda r: sign_flip(r.standard_t(2, size=25), rng=r, draws=499)),
    "sign_flip one-sided": (800, lambda r: sign_flip(r.normal(size=9), alternative="greater")),
    "sign_flip at its floor": (800, lambda r: sign_flip(r.normal(size=10) + 0.4, floor=0.4, alternative="greater")),
    "sign_flip at its floor, two-sided": (800, lambda r: sign_flip(r.normal(size=10) - 0.4, floor=0.4)),
    "sign_flip clusters": (800, lambda r: sign_flip(clustered(r, 11, 4), clusters=np.arange(44) // 4)),
    "permutation exact": (800, lambda r: permutation_two_sample(r.exponential(size=6), r.exponential(size=7), rng=r)),
    "permutation sampled": (
        600,
        lambda r: permutation_two_sample(r.normal(size=15), r.normal(size=20), rng=r, draws=299, alternative="less"),
    ),
    "fisher_combination": (3000, lambda r: fisher_combination(r.random(6))),
    "fisher_combination discrete": (
        1000, lambda r: fisher_combination([binomial_tail(int(r.binomial(8, 0.4)), 8, 0.4).value for _ in range(4)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NULLS)
def test_chance_alone_is_rarely_significant(name):
    runs, draw = NULLS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    assert_calibrated([draw(rng).value for _ in range(runs)])


def test_decoys_of_the_same_kind_are_calibrated_with_and_without_ties():
    rng = np.random.default_rng(1)
    assert_calibrated(decoy_p(rng.normal(size=4000), rng.normal(size=(4000, 99))))
    assert_calibrated(decoy_p(rng.integers(0, 9, 4000), rng.integers(0, 9, (4000, 99))))


def test_the_smallest_of_holms_p_values_keeps_the_family_level():
    p = np.random.default_rng(2).random((4000, 5))
    assert_calibrated([holm(row).min() for row in p])


def test_ignoring_clusters_would_alarm():
    rng = np.random.default_rng(3)
    p = [mann_whitney(rng.normal(size=12).repeat(3), rng.normal(size=15).repeat(3)).value for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) > 0.12


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_mann_whitney_is_scipys(shift):
    rng = np.random.default_rng(4)
    a, b = rng.normal(shift, 1, 20), rng.normal(size=25)
    assert mann_whitney(a, b) == (pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue), "exact")
    a, b = rng.normal(shift, 1, 60).round(1), rng.normal(size=70).round(1)
    expected = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True).pvalue
    assert mann_whitney(a, b) == (pytest.approx(expected), "asymptotic")


def test_mann_whitney_by_hand():
    assert mann_whitney([3, 4, 5], [0, 1, 2]) == (pytest.approx(2 / 20), "exact")
    # with a tie: of the 10 splits of 0 0 1 2 2, only {2, 2} and {0, 0} are as far from 1/2 as {2, 2}
    assert mann_whitney([2, 2], [0, 0, 1]) == (pytest.approx(2 / 10), "exact")
    assert mann_whitney(np.ones(30), np.ones(30)).value == 1.0


def test_clusters_of_one_record_are_the_plain_test():
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.8, 1, 7), rng.normal(size=8)
    by_cluster = mann_whitney(a, b, clusters=(np.arange(7), np.arange(7, 15)))
    assert by_cluster == (pytest.approx(mann_whitney(a, b).value), "exact")


def test_a_cluster_with_both_labels_is_refused():
    with pytest.raises(ValueError, match="1 clusters hold both kinds"):
        mann_whitney([1, 2], [3, 4], clusters=(["a", "b"], ["b", "c"]))


@pytest.mark.parametrize(("hits", "n", "p"), [(0, 9, 0.2), (3, 9, 0.2), (9, 9, 0.2), (10, 9, 0.2), (40, 50, 1e-6)])
def test_binomial_tail_is_scipys(hits, n, p):
    assert binomial_tail(hits, n, p).value == pytest.approx(stats.binom.sf(hits - 1, n, p), rel=1e-9)


@pytest.mark.parametrize(("hits", "mean"), [(0, 0.0), (1, 0.0), (3, 2.5), (12, 1e-3), (200, 180.0)])
def test_poisson_tail_is_scipys(hits, mean):
    assert poisson_tail(hits, mean) == (pytest.approx(stats.poisson.sf(hits - 1, mean), rel=1e-9), "exact")


def test_poisson_binomial_tail_is_the_sum_over_all_outcomes():
    p = np.array([0.1, 0.7, 1.0, 0.25, 0.0, 0.5])
    for hits in range(8):
        outcomes = (c for c in product([0, 1], repeat=6) if sum(c) >= hits)
        expected = sum(np.prod(np.where(c, p, 1 - p)) for c in outcomes)
        assert poisson_binomial_tail(hits, p).value == pytest.approx(expected, abs=1e-14)


def test_poisson_binomial_tail_is_the_binomial_for_equal_coins():
    for hits in (1, 30, 70):
        expected = stats.binom.sf(hits - 1, 200, 0.1)
        assert poisson_binomial_tail(hits, np.full(200, 0.1)).value == pytest.approx(expected, rel=1e-10)


def test_poisson_binomial_tail_keeps_the_digits_of_tiny_tails():
    # three of 100 at 1e-15: C(100, 3) 1e-45 to fourteen digits, where 1 - cdf is 0
    p = poisson_binomial_tail(3, np.full(100, 1e-15))
    assert p == (pytest.approx(161700e-45, rel=1e-12), "exact")
    assert poisson_binomial_tail(1, [1e-15] * 10).value == pytest.approx(1e-14, rel=1e-12)
    assert poisson_binomial_tail(30, np.full(40, 1e-15)) == (sys.float_info.min, "bound")
    assert poisson_binomial_tail(3, [0.5, 0.5, 0.0]).value == 0  # impossible, not merely rare


def test_sign_flip_by_hand():
    assert sign_flip([1, 2, 3], alternative="greater") == (1 / 8, "exact")
    assert sign_flip([1, 2, 3]) == (2 / 8, "exact")
    assert sign_flip([1, 2, -3], alternative="greater") == (5 / 8, "exact")  # sums 6 4 2 0 and the other 0
    assert sign_flip(np.zeros(5)).value == 1.0


def test_sign_flip_averages_within_clusters():
    assert sign_flip([1, 3, 5, 5], clusters=["a", "a", "b", "c"], alternative="greater") == (1 / 8, "exact")


def test_sign_flip_draws_what_it_cannot_list():
    x = np.random.default_rng(6).normal(0.45, 1, 30)
    p = sign_flip(x, alternative="greater", rng=np.random.default_rng(7))
    assert p.kind == "permutation"
    # 20,000 flips give p +- 3 sqrt(p (1-p) / 20000)
    assert p.value == pytest.approx(stats.ttest_1samp(x, 0, alternative="greater").pvalue, abs=0.004)
    assert sign_flip(np.full(40, 1.0), alternative="greater").value == pytest.approx(1 / 20_001)


def test_an_effect_below_the_floor_is_not_an_effect():
    x = np.random.default_rng(8).normal(0.1, 0.05, 14)
    assert sign_flip(x).value < 0.001
    assert sign_flip(x, floor=0.1).value > 0.2
    assert sign_flip(-x, floor=0.04).value == sign_flip(x, floor=0.04).value < 0.02


def test_permutation_two_sample_is_scipys():
    rng = np.random.default_rng(9)
    a, b = rng.normal(0.7, 1, 6), rng.normal(size=8)
    for alternative in ("greater", "less"):
        expected = stats.permutation_test(
            (a, b),
            lambda x, y, axis: x.mean(axis) - y.mean(axis),
            vectorized=True,
            n_resamples=10_000,  # more than the 3003 splits, so scipy lists them too
            alternative=alternative,
        )
        p = permutation_two_sample(a, b, rng=rng, alternative=alternative)
        assert p == (pytest.approx(expected.pvalue), "exact")
    # of the 6 splits of 1 2 4 5, {4, 5} and {1, 2} lie as far apart
    assert permutation_two_sample([4, 5], [1, 2], rng=rng) == (pytest.approx(2 / 6), "exact")
    assert permutation_two_sample([1, 2], [4, 5], rng=rng, alternative="less") == (pytest.approx(1 / 6), "exact")
    sampled = permutation_two_sample(np.arange(20) + 5.0, np.arange(20.0), rng=rng)
    assert sampled.kind == "permutation"
    assert sampled.value == pytest.approx(stats.ttest_ind(np.arange(20) + 5, np.arange(20)).pvalue, abs=0.01)


def test_reordering_the_records_changes_no_p_value():
    rng = np.random.default_rng(10)
    a, b, order = rng.normal(0.3, 1, 40), rng.normal(size=40), rng.permutation(40)
    units = np.arange(40) // 2

    def seeded():
        return np.random.default_rng(11)

    assert sign_flip(a, rng=seeded()) == sign_flip(a[order], rng=seeded())
    assert permutation_two_sample(a, b, rng=seeded()) == permutation_two_sample(a[order], b, rng=seeded())
    one = mann_whitney(a, b, rng=seeded(), clusters=(units, units + 50))
    assert one == mann_whitney(a[order], b, rng=seeded(), clusters=(units[order], units + 50))


def test_decoys_count_ties_against_the_value():
    assert decoy_p([3.0, 9.0], [[1, 2, 3], [1, 2, 3]]).tolist() == [2 / 4, 1 / 4]
    assert decoy_p(2.0, [1, 2, 3]) == 3 / 4


def test_fisher_is_scipys():
    p = np.array([0.01, 0.2, 0.7])
    assert fisher_combination(p) == (pytest.approx(stats.combine_pvalues(p, method="fisher").pvalue), "bound")


def test_fisher_takes_a_zero_for_an_underflow():
    with np.errstate(all="raise"):
        assert 0 < fisher_combination([0.0, 0.5]).value < 1e-300
    assert fisher_combination([1.0, 1.0]).value == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert len(holm([])) == 0
    p = np.random.default_rng(12).random(20) ** 3
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(20 * p, 1)).all()  # never worse than Bonferroni
    assert (adjusted >= stats.false_discovery_control(p) - 1e-12).all()  # and stricter than Benjamini-Hochberg


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: holm([0.5, np.nan]), "must not hold NaN"),
        (lambda: holm([1.2]), r"must lie in \[0, 1\]"),
        (lambda: fisher_combination([]), "nothing to combine"),
        (lambda: binomial_tail(1, 3, 1.5), "p in"),
        (lambda: poisson_tail(1, -1.0), "not negative"),
        (lambda: poisson_binomial_tail(1, [2.0]), "every probability"),
        (lambda: sign_flip([1.0], floor=-1), "floor must be finite and not negative"),
        (lambda: sign_flip([1.0], alternative="less"), "alternative must be"),
        (lambda: sign_flip([]), "at least 1 value"),
        (lambda: permutation_two_sample([1], [2], rng=np.random.default_rng(0), alternative="up"), "alternative"),
        (lambda: decoy_p([1.0], [[np.nan]]), "must not hold NaN"),
        (lambda: decoy_p([1.0, 2.0], [[1.0]]), "one more axis"),
    ],
)
def test_bad_input_gets_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_p_value_unpacks():
    value, kind = PValue(0.5, "exact")
    assert (value, kind) == (0.5, "exact")
