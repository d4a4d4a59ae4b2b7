"""Intervals: exact where they can be, and covering what they promise."""

import numpy as np
import pytest
from scipy.stats import beta, binom, t

from probatum.statistics.intervals import bootstrap, clopper_pearson, mean_t, newcombe


def test_clopper_pearson_is_the_beta_quantiles():
    for n in (1, 7, 200):
        for k in {0, 1, n // 2, n - 1, n}:
            i = clopper_pearson(k, n, level=0.9)
            assert i.low == pytest.approx(beta.ppf(0.05, k, n - k + 1) if k else 0)
            assert i.high == pytest.approx(beta.ppf(0.95, k + 1, n - k) if k < n else 1)
            assert (i.value, i.n, i.level, i.method) == (k / n, n, 0.9, "Clopper-Pearson")


@pytest.mark.parametrize("n", [5, 20, 100])
def test_clopper_pearson_never_covers_less_than_it_says(n):
    intervals = [clopper_pearson(k, n) for k in range(n + 1)]
    low, high = np.array([i.low for i in intervals]), np.array([i.high for i in intervals])
    coverage = [
        binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum() for p in np.linspace(0.001, 0.999, 499)
    ]
    assert min(coverage) >= 0.95
    assert min(coverage) < 0.985  # and is not the whole line either


def test_the_rule_of_three():
    assert clopper_pearson(0, 1000, level=0.9).high == pytest.approx(3 / 1000, rel=0.005)


def test_newcombe_gives_the_published_example():
    # Newcombe 1998, table II, method 10: 56/70 - 48/80 is .2000 with limits .0524 and .3339
    i = newcombe(56, 70, 48, 80)
    assert (round(i.value, 4), round(i.low, 4), round(i.high, 4)) == (0.2, 0.0524, 0.3339)
    # and 10/10 - 0/20 is 1 with limits .6791 and 1
    i = newcombe(10, 10, 0, 20)
    assert (i.value, round(i.low, 4), i.high) == (1.0, 0.6791, 1.0)


def test_newcombe_covers():
    k, m = np.arange(31), np.arange(41)
    for p, q in [(0.5, 0.5), (0.9, 0.6), (0.1, 0.05)]:
        weight = np.outer(binom.pmf(k, 30, p), binom.pmf(m, 40, q))
        inside = np.array([[(i := newcombe(a, 30, b, 40)).low <= p - q <= i.high for b in m] for a in k])
        assert 0.93 <= weight[inside].sum() <= 0.99


def test_student_is_student():
    x = np.random.default_rng(0).normal(size=12)
    i = mean_t(x, level=0.9)
    assert (i.low, i.high) == pytest.approx(t.interval(0.9, 11, x.mean(), x.std(ddof=1) / 12**0.5))


def test_the_vectorized_mean_agrees_with_the_general_path():
    rng = np.random.default_rng(1)
    x, c = rng.normal(size=90), rng.integers(0, 30, 90)
    for clusters in (None, c):
        fast = bootstrap(x, np.mean, rng=np.random.default_rng(2), clusters=clusters)
        slow = bootstrap(x, lambda v: v.mean(), rng=np.random.default_rng(3), clusters=clusters)
        # different draws: quantiles of 2000 differ by a few hundredths of the width
        assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.1 * (slow.high - slow.low))
        assert fast.value == pytest.approx(slow.value)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_bootstrap_covers_a_mean(clustered):
    rng, hits = np.random.default_rng(4), 0
    units = np.arange(120) // 3
    for _ in range(400):
        x = rng.normal(size=40)[units] + rng.normal(size=120) * 0.3 if clustered else rng.normal(size=120)
        i = bootstrap(x, np.mean, rng=rng, clusters=units if clustered else None, draws=500)
        hits += i.low <= 0 <= i.high
    assert 0.91 <= hits / 400 <= 0.98


def test_ignoring_clusters_would_not_cover():
    rng, hits = np.random.default_rng(5), 0
    for _ in range(200):
        x = rng.normal(size=40).repeat(3)
        i = bootstrap(x, np.mean, rng=rng, draws=300)
        hits += i.low <= 0 <= i.high
    assert hits / 200 < 0.85


def test_strata_keep_their_sizes():
    x = np.c_[np.arange(10.0), np.r_[np.zeros(7), np.ones(3)]]
    seen = []
    bootstrap(x, lambda v: seen.append(v[:, 1].sum()) or 0.0, rng=np.random.default_rng(6), strata=x[:, 1], draws=50)
    assert set(seen) == {3.0}


@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_reordering_the_records_changes_nothing(statistic):
    rng = np.random.default_rng(7)
    x, c, order = rng.normal(size=40), rng.integers(0, 12, 40), rng.permutation(40)
    for one, other in [(None, None), (c, c[order])]:
        a = bootstrap(x, statistic, rng=np.random.default_rng(8), clusters=one, draws=100)
        b = bootstrap(x[order], statistic, rng=np.random.default_rng(8), clusters=other, draws=100)
        assert a == b


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: clopper_pearson(0, 0), "at least one trial"),
        (lambda: clopper_pearson(3, 2), "hits must lie between 0 and n"),
        (lambda: newcombe(3, 2, 0, 1), "hits must lie between 0 and n"),
        (lambda: mean_t([1.0]), "at least 2 values"),
        (lambda: mean_t([1.0, np.inf]), "finite"),
        (lambda: bootstrap([1, 2], np.mean, rng=np.random.default_rng(0), clusters=[0, 0]), "two units"),
        (
            lambda: bootstrap(
                [1, 2, 3, 4], np.mean, rng=np.random.default_rng(0), clusters=[0, 0, 1, 1], strata=[0, 1, 1, 1]
            ),
            "one stratum",
        ),
        (
            lambda: bootstrap([0, 1.0], lambda v: 1 / v.sum() if v.sum() else np.nan, rng=np.random.default_rng(0)),
            "undefined on",
        ),
    ],
)
def test_bad_input_gets_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()
