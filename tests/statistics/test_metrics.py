"""Every metric: by hand, P(p <= a) <= a where there is nothing to find, and too few records are an error."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import (
    TooFew,
    attack_success_rate,
    auroc,
    exposure_bits,
    hit_rate,
    mean_difference,
    refuted_share,
    unit_matches,
)

LEVELS = (0.01, 0.05, 0.2)


def scores(values, **more):
    return Scores([str(i) for i in range(len(values))], values, "x", **more)


def names(index):
    return np.array([f"unit {i}" for i in index], dtype=object)


def alternating(n):
    return np.arange(n) % 2 == 0


def hits(r, chance, cluster=None):
    """Hits of a responder that knows nothing; those of one unit hit together."""
    u = r.random(len(chance)) if cluster is None else r.random(cluster.max() + 1)[cluster]
    return scores((u < chance).astype(float), expected=chance)


def auroc_null(r, n, units=None, mixed=False):
    cluster = None if units is None else np.arange(n) % units
    label = alternating(n) if cluster is None or mixed else cluster % 2 == 0
    if mixed:
        label = (np.arange(n) // units) % 2 == 0
    values = r.normal(size=n) + (0 if cluster is None else r.normal(size=units)[cluster])
    truth = Truth(label=label, cluster=None if cluster is None else names(cluster), seed=int(r.integers(10**9)))
    return auroc(scores(values), truth)


def contrast_null(r, mixed):
    """Members and nonmembers written as often as each other, whole units alike."""
    cluster = np.repeat(np.arange(16), 4)
    label = np.tile([True, True, False, False], 16) if mixed else cluster % 2 == 0
    values = (r.random(16) < 0.4)[cluster] * (r.random(64) < 0.8)
    return hit_rate(
        scores(values.astype(float)), Truth(label=label, cluster=names(cluster), seed=int(r.integers(10**9)))
    )


def topics_null(r):
    values = r.normal(size=9)[FOUR] + r.normal(size=36)
    return mean_difference(floor=0.0)(scores(values), Truth(cluster=names(FOUR)))


def triggers_null(r):
    cluster = np.repeat(np.arange(14), 5)
    values = (r.random(70) < r.choice([0.0, 0.6, 1.0], 14)[cluster]).astype(float)
    return attack_success_rate(
        scores(values), Truth(label=cluster < 6, cluster=names(cluster), seed=int(r.integers(10**9)))
    )


def matches_null(r):
    fixed = [(r.permutation(50) == np.arange(50)).sum() for _ in range(4)]
    return unit_matches(scores(np.array(fixed, float), expected=1.0), Truth())


FOUR = np.repeat(np.arange(9), 4)
BIASED = np.linspace(0.5, 0.85, 60)
NULLS = {
    "auroc": (400, lambda r: auroc_null(r, 30)),
    "auroc, many": (400, lambda r: auroc_null(r, 120)),
    "auroc, whole units": (120, lambda r: auroc_null(r, 60, units=20)),
    "auroc, units of both": (600, lambda r: auroc_null(r, 40, units=10, mixed=True)),
    "auroc, few units of both": (600, lambda r: auroc_null(r, 32, units=4, mixed=True)),
    "hit_rate": (1500, lambda r: hit_rate(hits(r, BIASED), Truth())),
    "hit_rate, rare": (1500, lambda r: hit_rate(hits(r, np.full(50, 0.02)), Truth())),
    "hit_rate, units": (1500, lambda r: hit_rate(hits(r, np.full(36, 0.5), FOUR), Truth(cluster=names(FOUR)))),
    "hit_rate, units and a high chance": (
        1500, lambda r: hit_rate(hits(r, np.full(36, 0.75), FOUR), Truth(cluster=names(FOUR))),
    ),
    "hit_rate, against unseen": (
        1500, lambda r: hit_rate(scores((r.random(60) < 0.3).astype(float)), Truth(label=alternating(60))),
    ),
    "hit_rate, against unseen units": (150, lambda r: contrast_null(r, mixed=False)),
    "hit_rate, against unseen within units": (400, lambda r: contrast_null(r, mixed=True)),
    "exposure_bits": (
        300, lambda r: exposure_bits(scores(r.normal(size=12), null=r.normal(size=(12, 31))), Truth()),
    ),
    "exposure_bits, ties": (
        300, lambda r: exposure_bits(scores(r.integers(4, size=12), null=r.integers(4, size=(12, 31))), Truth()),
    ),
    "mean_difference, at its floor": (
        500, lambda r: mean_difference(floor=0.3)(scores(r.normal(size=12) + 0.3), Truth()),
    ),
    "mean_difference, units": (500, topics_null),
    "attack_success_rate": (300, triggers_null),
    "refuted_share": (1500, lambda r: refuted_share(scores(1 - r.random(7)), Truth())),
    "unit_matches": (1500, matches_null),
}  # fmt: skip


@pytest.mark.parametrize("name", NULLS)
def test_chance_alone_is_rarely_significant(name):
    runs, draw = NULLS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    p = np.array([draw(rng).p_value for _ in range(runs)])
    for a in LEVELS:
        allowed = stats.binom.ppf(0.9999, runs, a)
        assert (p <= a).sum() <= allowed, f"P(p <= {a}) = {(p <= a).mean()}"
    assert (p <= 0.8).any()  # a test that always says 1 is calibrated too


@pytest.mark.parametrize(
    ("metric", "values", "truth", "more"),
    [
        (auroc, np.r_[np.ones(15), np.zeros(15)], Truth(label=np.arange(30) < 15), {}),
        (hit_rate, np.ones(20), Truth(), {"expected": 0.5}),
        (hit_rate, np.arange(40) < 20, Truth(label=np.arange(40) < 20), {}),
        (hit_rate, np.ones(36), Truth(cluster=names(FOUR)), {"expected": 0.25}),
        (exposure_bits, np.full(9, 5.0), Truth(), {"null": np.zeros((9, 63))}),
        (mean_difference(floor=0.1), np.full(12, 2.0), Truth(), {}),
        (attack_success_rate, np.arange(20) < 10, Truth(label=np.arange(20) < 10), {}),
        (refuted_share, [1.0, 0.2, 0.1], Truth(), {}),
        (unit_matches, [40.0, 38.0], Truth(), {"expected": 1.0}),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_is_plainly_there_is_found(metric, values, truth, more):
    result = metric(scores(np.asarray(values, float), **more), truth)
    assert result.p_value < 0.01
    assert result.direction == "expected"
    assert result.p_value_kind != "none"


def test_auroc_says_which_way_it_points():
    values, label = np.r_[np.zeros(15), np.ones(15)], np.arange(30) < 15
    result = auroc(scores(values), Truth(label=label))
    assert result.estimate.value == 0
    assert result.direction == "reversed"
    assert result.p_value < 1e-3


def test_auroc_leaves_out_what_has_no_score():
    values, label = np.r_[np.linspace(1, 2, 15), np.linspace(0, 1.5, 15)], np.arange(30) < 15
    with_gaps = auroc(scores(np.r_[values, np.full(5, np.nan)]), Truth(label=np.r_[label, np.ones(5, bool)]))
    assert with_gaps.estimate == auroc(scores(values), Truth(label=label)).estimate


def test_a_low_rate_of_false_alarms_that_the_sample_cannot_resolve_has_no_value():
    result = auroc(scores(np.arange(30.0)), Truth(label=np.arange(30) >= 15))
    part = result.breakdown["TPR at 0.1% FPR"]
    assert np.isnan(part.value)
    assert "not resolvable with 15 nonmembers" in part.method


def test_units_that_all_agree_are_not_certainty():
    """Four people, each of whom has members above nonmembers, agree by chance once in eight."""
    cluster, label = np.repeat(np.arange(4), 6), np.tile(alternating(6), 4)
    result = auroc(scores(label.astype(float)), Truth(label=label, cluster=names(cluster)))
    assert result.estimate.value == 1
    assert result.p_value == pytest.approx(1 / 8)


def test_hit_rate_by_hand():
    result = hit_rate(scores([1.0, 0.0, 1.0, -3.0], expected=[0.5, 0.5, 0.1, 0.2]), Truth())
    assert result.estimate.value == 0.5
    misses = [0.5, 0.5, 0.9, 0.8]
    none = np.prod(misses)
    one = sum((1 - m) / m * none for m in misses)
    assert result.p_value == pytest.approx(1 - none - one)
    assert result.contributions.tolist() == [1, 0, 1, 0]


def test_the_hits_of_one_unit_are_one_observation():
    chance, together = np.full(36, 0.5), np.repeat([1.0] * 6 + [0.0] * 3, 4)
    alone = hit_rate(scores(together, expected=chance), Truth()).p_value
    by_unit = hit_rate(scores(together, expected=chance), Truth(cluster=names(FOUR))).p_value
    assert alone < 0.05 < by_unit
    assert by_unit == pytest.approx(np.e * stats.binom.sf(5, 9, 0.5))


def test_hit_rate_without_chance_and_without_labels_has_no_p_value():
    result = hit_rate(scores([1.0, 0.0], expected=[np.nan, np.nan]), Truth())
    assert result.p_value is None
    assert result.p_value_kind == "none"


def test_hit_rate_counts_only_what_was_planted():
    label = np.array([True, True, False, False])
    result = hit_rate(scores([1.0, 1.0, 0.0, 1.0], expected=0.1), Truth(label=label))
    assert result.estimate.value == 1
    assert result.breakdown["unseen"].value == 0.5
    assert result.p_value == pytest.approx(0.01)


def test_exposure_by_hand():
    null = np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 0.0]])
    result = exposure_bits(scores([1.0, 1.0], null=null), Truth())
    assert result.contributions.tolist() == pytest.approx([2.0, 2 - np.log2(3)])
    assert result.p_value == pytest.approx(stats.chi2.sf(-2 * np.log(0.25 * 0.75), 4))


def test_mean_difference_averages_within_units_and_shows_the_groups():
    values = np.r_[np.full(30, 1.0), np.full(2, 3.0), 1, 1, 1, 1]
    cluster = names([0] * 30 + [1, 1, 2, 3, 4, 5])
    group = np.array(["a"] * 30 + ["b"] * 6, dtype=object)
    result = mean_difference(floor=0.15)(scores(values), Truth(cluster=cluster, group=group))
    assert result.estimate.value == pytest.approx((5 * 1 + 3) / 6)
    assert result.breakdown["b"].value == pytest.approx((3 + 4) / 5)


def test_a_mean_below_its_floor_is_no_effect_however_many_there_are():
    values = np.random.default_rng(1).normal(0.1, 0.2, 400)
    assert mean_difference(floor=0.15)(scores(values), Truth()).p_value > 0.9
    assert mean_difference(floor=0.0)(scores(values), Truth()).p_value < 1e-3


def test_the_sign_of_a_mean_difference_is_its_direction():
    assert mean_difference(floor=0.1)(scores(np.full(8, -1.0)), Truth()).direction == "reversed"


def test_a_trigger_fires_if_most_of_its_prompts_do():
    cluster = np.repeat(np.arange(6), 3)
    values = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1] + [0] * 9, float)
    result = attack_success_rate(scores(values), Truth(label=cluster < 3, cluster=names(cluster)))
    assert result.estimate.value == pytest.approx(2 / 3)
    assert result.estimate.n == 3


def test_many_claims_are_corrected():
    assert refuted_share(scores([0.99] + [0.5] * 4), Truth()).p_value == pytest.approx(0.05)


TOO_FEW = {
    "no labels": lambda: auroc(scores(np.arange(30.0)), Truth()),
    "nine members": lambda: auroc(scores(np.arange(30.0)), Truth(label=np.arange(30) < 9)),
    "all members of one unit": lambda: auroc(
        scores(np.arange(30.0)), Truth(label=np.arange(30) < 15, cluster=names([0] * 15 + list(range(1, 16))))
    ),
    "nothing planted": lambda: hit_rate(scores([1.0]), Truth(label=np.zeros(1, bool))),
    "one secret": lambda: exposure_bits(scores([1.0], null=np.zeros((1, 3))), Truth()),
    "no decoys": lambda: exposure_bits(scores([1.0, 1.0]), Truth()),
    "five topics": lambda: mean_difference(floor=0.1)(scores(np.ones(5)), Truth()),
    "two triggers": lambda: attack_success_rate(scores(np.ones(8)), Truth(label=np.arange(8) < 2)),
    "no labels of triggers": lambda: attack_success_rate(scores(np.ones(8)), Truth()),
    "no claim": lambda: refuted_share(scores([np.nan]), Truth()),
    "no layer": lambda: unit_matches(scores([], expected=1.0), Truth()),
}


@pytest.mark.parametrize("case", TOO_FEW)
def test_too_few_is_an_error_and_never_an_estimate(case):
    with pytest.raises(TooFew):
        TOO_FEW[case]()
