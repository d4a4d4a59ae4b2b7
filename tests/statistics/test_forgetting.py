"""Metrics of forgetting against closed forms, and the published numbers of TOFU's logs."""

import json
from pathlib import Path

import numpy as np
import pytest

from probatum.core.estimate import Truth
from probatum.core.overlap import units
from probatum.core.scores import Scores
from probatum.scorers.similarity import rouge_l
from probatum.statistics import TooFew, roc
from probatum.statistics.forgetting import area, average, harmonic_utility, variance_of_mean
from probatum.statistics.gold import ks_distance

TOFU = Path(__file__).parents[2].parent / "shared/data/tofu"
LOGS = ("full_eval_log_forget.json", "retain90_eval_log_forget.json")
ON_LOGS = pytest.mark.skipif(not all((TOFU / log).is_file() for log in LOGS), reason="TOFU's logs are not here")


def scores(values, **more):
    return Scores([str(i) for i in range(len(values))], np.array(values, float), towards="x", **more)


def shares(x, y):
    """V10 and V01 by the definition."""
    wins = (x[:, None] > y[None]) + 0.5 * (x[:, None] == y[None])
    return wins.mean(1), wins.mean(0)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_area_and_its_interval_are_delongs(clustered):
    rng = np.random.default_rng(1)
    x, y = rng.normal(1, 1, 60).round(1), rng.normal(0, 1, 45).round(1)
    a, b = np.arange(60) // 5, 100 + np.arange(45) // 3
    v10, v01 = shares(x, y)
    units_ = (a, b) if clustered else None
    expected = roc.delong_interval(x, y, clusters=units_)
    other = variance_of_mean(v01, b if clustered else None)
    given = scores(v10, parameters={"other variance": other, "other units": 15.0 if clustered else 45.0})
    found = area(given, Truth(cluster=a if clustered else None)).estimate
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_an_area_of_1_is_not_certain():
    x, y = np.arange(20.0) + 100, np.arange(10.0)
    v10, v01 = shares(x, y)
    given = {"other variance": variance_of_mean(v01, None), "other units": 10.0}
    found = area(scores(v10, parameters=given), Truth()).estimate
    expected = roc.delong_interval(x, y)
    assert (found.value, found.low, found.high) == (1.0, pytest.approx(expected.low), 1.0)
    with pytest.raises(TooFew, match="units"):
        area(scores(v10, parameters={**given, "other units": 1.0}), Truth())


def test_the_average_has_no_bounds_and_counts_units():
    values = np.repeat([1.0, 100.0, 7.0, 12.0], 5)
    truth = Truth(cluster=np.repeat(["a", "b", "c", "d"], 5), group=np.repeat(["left", "right"], 10))
    found = average("KL")(scores(values), truth)
    assert (found.estimate.value, found.estimate.n) == (30.0, 4)
    assert found.estimate.low < 30 < found.estimate.high <= 100
    assert found.breakdown["right"].value == 9.5
    assert np.nanmean(found.contributions) == found.estimate.value
    one = average("KL")(scores([2.0, 4.0]), Truth(cluster=np.array(["a", "a"]))).estimate
    assert (one.value, one.low, one.high) == (3.0, None, None)
    with pytest.raises(TooFew):
        average("KL")(scores([np.nan]), Truth())


def test_model_utility_is_the_harmonic_mean_of_groups_and_columns():
    """Two groups, three columns, one of which the second group lacks: five numbers."""
    group = np.repeat(["near", "far"], 20)
    probability = np.repeat([0.5, 0.8], 20)
    rouge = np.tile([1.0, 0.0], 20)
    ratio = np.concatenate([np.full(20, 0.25), np.full(20, np.nan)])
    given = scores(probability, null=np.column_stack([rouge, ratio]))
    found = harmonic_utility(given, Truth(group=group))
    numbers = [0.5, 0.5, 0.25, 0.8, 0.5]
    assert found.estimate.value == pytest.approx(5 / sum(1 / x for x in numbers))
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert "5 numbers" in found.estimate.method
    assert found.breakdown["near, 1 - truth ratio"].value == 0.25
    assert "far, 1 - truth ratio" not in found.breakdown


def test_one_broken_column_takes_model_utility_to_0():
    given = scores(np.ones(20), null=np.column_stack([np.zeros(20), np.ones(20)]))
    found = harmonic_utility(given, Truth()).estimate
    assert (found.value, found.low, found.high) == (0, 0, 0)


@pytest.fixture(scope="module")
def logs():
    """Columns of both logs, the items in one order."""
    found = []
    for log in LOGS:
        table = json.loads((TOFU / log).read_text(encoding="utf-8"))
        order = sorted(table["truth_ratio"], key=int)
        found.append({name: [column[i] for i in order] for name, column in table.items()})
    return found


def ratios(log, mean=lambda loss: np.exp(-loss.mean(1))):
    return mean(np.array(log["average_perturb_loss"])) / np.exp(-np.array(log["avg_paraphrased_loss"]))


@ON_LOGS
def test_the_published_truth_ratios_are_those_of_the_geometric_mean(logs):
    """The logs' own column comes out of the losses with the mean of the losses, not with that of the probabilities."""
    for log, published, other in zip(logs, (0.576865, 0.920406), (0.606047, 0.966236), strict=True):
        assert ratios(log) == pytest.approx(np.array(log["truth_ratio"]), abs=1e-5)
        found = average("truth ratio")(scores(ratios(log)), Truth()).estimate
        assert found.value == pytest.approx(published, abs=2e-6)
        assert found.low < found.value < found.high
        assert ratios(log, lambda loss: np.exp(-loss).mean(1)).mean() == pytest.approx(other, abs=1e-6)


@ON_LOGS
def test_the_distance_between_the_published_distributions(logs):
    """D is exact. The p-value that goes with it elsewhere, 2.3e-21, is Stephens' approximation; ours is exact."""
    from scipy.stats import kstwobign

    found = ks_distance(*(ratios(log) for log in logs), draws=50)
    assert found.value == pytest.approx(0.396667, abs=1e-6)
    root = np.sqrt(300 * 300 / 600)
    assert kstwobign.sf((root + 0.12 + 0.11 / root) * found.value) == pytest.approx(2.3e-21, rel=0.02)
    assert found.p_value == pytest.approx(1.834e-21, rel=1e-3)


@ON_LOGS
def test_the_published_rouge_l_is_never_below_ours_and_close(logs):
    """TOFU's code stems words, ours does not, so ours finds no more in common; the gap of the means is below 0.01."""
    for log, published, differ in zip(logs, (0.9854, 0.4082), (0.01, 0.2), strict=True):
        theirs = np.array(log["rougeL_recall"])
        assert theirs.mean() == pytest.approx(published, abs=5e-5)
        ours = np.array(
            [rouge_l(units(said, "word"), units(true, "word"))[1] for _, said, true in log["generated_text"]]
        )
        assert (ours <= theirs + 1e-9).all()
        assert (ours < theirs - 1e-9).mean() < differ
        assert theirs.mean() - ours.mean() < 0.01
