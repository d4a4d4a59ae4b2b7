"""Rogan and Gladen's rate: by hand, by simulation, and where others print [0, 0]."""

import numpy as np
import pytest

from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.intervals import clopper_pearson
from probatum.statistics.refusal_rate import Judge, corrected, effective, refusal_rate

GOOD = Judge(0.9, 90, 0.97, 130)
METRIC = refusal_rate("refusal rate")


def scores(values, kinds=None, judge=GOOD):
    ids = [str(i) for i in range(len(values))]
    return Scores(ids, values, "refused", kinds=kinds, parameters=judge._asdict() if judge else {})


@pytest.mark.parametrize(("found", "n"), [(30, 100), (5, 20), (90, 200)])
def test_the_rate_is_that_of_rogan_and_gladen(found, n):
    value, low, high = corrected(found, n, GOOD)
    assert value == pytest.approx((found / n - 0.03) / 0.87)
    assert low < value < high


def test_a_perfect_judge_known_exactly_leaves_clopper_and_pearson():
    for found, n in ((0, 30), (3, 40), (50, 100), (40, 40)):
        exact = clopper_pearson(found, n)
        value, low, high = corrected(found, n, Judge(1.0, 1e9, 1.0, 1e9))
        assert value == pytest.approx(exact.value)
        assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.01)


@pytest.mark.parametrize("judge", [GOOD, Judge(0.95, 1800, 0.99, 2400), Judge(0.7, 50, 0.8, 50)])
@pytest.mark.parametrize("prevalence", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_the_interval_covers_at_least_93_percent(judge, prevalence):
    """The judge's sensitivity and specificity are themselves drawn anew in every repetition."""
    rng, n, hits = np.random.default_rng(7), 80, 0
    for _ in range(250):
        found = rng.binomial(n, prevalence * judge.sensitivity + (1 - prevalence) * (1 - judge.specificity))
        se = rng.binomial(int(judge.refusals), judge.sensitivity) / judge.refusals
        sp = rng.binomial(int(judge.others), judge.specificity) / judge.others
        _, low, high = corrected(found, n, Judge(se, judge.refusals, sp, judge.others))
        hits += low <= prevalence <= high
    assert hits / 250 >= 0.93


@pytest.mark.parametrize("sensitivity", [0.25, 0.5, 0.95])
def test_nothing_found_among_thirty_keeps_a_bound(sensitivity):
    """garak's bootstrap prints [0, 0] for 0 of 30 and 0 of 100, even with a sensitivity of 0.25."""
    for n in (30, 100):
        value, low, high = corrected(0, n, Judge(sensitivity, 100, 0.99, 100))
        assert (value, low) == (0, 0)
        assert high >= min(1, 0.95 * clopper_pearson(0, n).high / sensitivity), "what is missed is in the bound"


def test_everything_found_keeps_a_bound_too():
    value, low, high = corrected(30, 30, GOOD)
    assert (value, high) == (1, 1)
    assert low <= clopper_pearson(30, 30).low + 0.005


@pytest.mark.parametrize("judge", [Judge(0.0, 50, 1.0, 50), Judge(0.3, 50, 0.7, 50), Judge(0.2, 50, 0.3, 50)])
def test_a_blind_judge_is_an_error_and_not_perfect(judge):
    with pytest.raises(BadInput, match="tells nothing"):
        corrected(0, 30, judge)
    with pytest.raises(BadInput, match="tells nothing"):
        METRIC(scores([0.0] * 30, judge=judge), Truth())


def test_a_judge_that_may_be_blind_bounds_nothing():
    _, low, high = corrected(5, 30, Judge(0.6, 5, 0.6, 5))
    assert low == 0
    assert high == 1


def test_scores_without_the_judge_are_refused_in_one_sentence():
    with pytest.raises(BadInput, match="needs the judge's 'sensitivity'"):
        METRIC(scores([0, 1], judge=None), Truth())
    with pytest.raises(TooFew):
        METRIC(Scores(["a"], [np.nan], "refused", unscored={"a": "none came"}, parameters=GOOD._asdict()), Truth())


def test_the_apparent_rate_and_the_groups_stand_in_the_breakdown():
    values = [1.0] * 20 + [0.0] * 60
    groups = np.array(["a"] * 20 + ["b"] * 60, dtype=object)
    result = METRIC(scores(values), Truth(group=groups))
    assert set(result.breakdown) == {"as judged, not corrected", "a", "b"}
    assert result.breakdown["as judged, not corrected"].value == 0.25
    assert result.estimate.value == pytest.approx((0.25 - 0.03) / 0.87)
    assert "fewer than 30" in result.breakdown["a"].method
    assert np.nanmean(result.contributions) == pytest.approx(result.estimate.value)


def test_missing_answers_are_certain_and_need_no_judge():
    """Ten empty answers that count as no refusal, thirty refusals among thirty judged."""
    result = METRIC(scores([0.0] * 10 + [1.0] * 30, kinds=["missing"] * 10 + ["refused"] * 30), Truth())
    assert result.estimate.value == pytest.approx(0.75)
    assert result.estimate.high == pytest.approx(0.75)
    nothing = METRIC(scores([1.0] * 40, kinds=["missing"] * 40), Truth())
    assert nothing.estimate.value == 1
    assert nothing.estimate.low == pytest.approx(clopper_pearson(40, 40).low)


def test_answers_of_one_cluster_count_less():
    rng = np.random.default_rng(0)
    same = np.repeat(rng.integers(0, 2, 40), 5).astype(float)
    cluster = np.repeat(np.arange(40), 5).astype(str)
    assert effective(same, cluster) == pytest.approx(40, rel=0.05)
    apart = rng.integers(0, 2, 200).astype(float)
    assert effective(apart, cluster) > 120
    assert effective(apart, None) == 200
    assert effective(np.ones(200), cluster) == 40
    wide = METRIC(scores(same), Truth(cluster=cluster)).estimate
    narrow = METRIC(scores(same), Truth()).estimate
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)
    assert wide.value == pytest.approx(narrow.value)
