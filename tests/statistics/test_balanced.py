"""The mean of the groups' rates, with its interval."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.balanced import balanced_rate
from probatum.statistics.intervals import clopper_pearson

METRIC = balanced_rate("balanced accuracy")


def made(groups, values, **more):
    ids = [str(i) for i in range(len(values))]
    return Scores(ids, values, "right", **more), Truth(group=np.array(groups, dtype=object))


def test_value_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 200, p=[0.7, 0.2, 0.1])
    said = np.where(rng.random(200) < 0.6, truth, "a")
    result = METRIC(*made(truth, (truth == said).astype(float)))
    assert result.estimate.value == pytest.approx(balanced_accuracy_score(truth, said))
    assert np.mean(result.contributions) == pytest.approx(result.estimate.value)


def test_one_group_has_the_interval_of_clopper_and_pearson():
    result = METRIC(*made(["a"] * 40, [1.0] * 30 + [0.0] * 10)).estimate
    exact = clopper_pearson(30, 40)
    assert (result.low, result.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_parts_of_a_group_weigh_alike_within_it():
    groups = ["one"] * 10 + ["two: a"] * 10 + ["two: b"] * 30
    result = METRIC(*made(groups, [1.0] * 10 + [1.0] * 10 + [0.0] * 30))
    assert result.estimate.value == pytest.approx((1 + (1 + 0) / 2) / 2)
    assert set(result.breakdown) == {"one", "two: a", "two: b"}


@pytest.mark.parametrize("rates", [(0.9, 0.5, 0.2), (0.98, 0.95, 0.9), (0.5, 0.5, 0.5), (0.02, 0.01, 0.3)])
def test_coverage(rates):
    """Of 400 samples with 200, 60 and 20 items, at least 93 % of the intervals hold the truth."""
    rng, sizes = np.random.default_rng(1), (200, 60, 20)
    groups = np.repeat(["a", "b", "c"], sizes)
    held = 0
    for _ in range(400):
        values = np.concatenate([rng.random(n) < p for n, p in zip(sizes, rates, strict=True)]).astype(float)
        e = METRIC(*made(groups, values)).estimate
        held += e.low <= np.mean(rates) <= e.high
    assert held >= 0.93 * 400


def test_none_and_all_keep_a_bound():
    none = METRIC(*made(["a"] * 30 + ["b"] * 30, [0.0] * 60)).estimate
    assert (none.value, none.low) == (0, 0)
    assert none.high == pytest.approx(clopper_pearson(0, 60).high)


def test_items_of_one_unit_are_not_as_many_as_they_seem():
    scores, truth = made(["a"] * 20 + ["b"] * 20, [1.0, 1.0, 0.0, 0.0] * 10)
    alone = METRIC(scores, truth).estimate
    pairs = Truth(group=truth.group, cluster=np.repeat(np.arange(20), 2).astype(str).astype(object))
    paired = METRIC(scores, pairs).estimate
    assert paired.value == alone.value
    assert paired.high - paired.low > 1.3 * (alone.high - alone.low)


def test_a_group_without_any_score_is_named():
    scores, truth = made(["a"] * 5 + ["b"] * 5, [1.0] * 10, unscored={str(i): "none came" for i in range(5)})
    result = METRIC(scores, truth)
    assert result.note == "no item of a could be scored: the mean is over the others"


def test_nothing_to_score():
    with pytest.raises(TooFew, match="no item"):
        METRIC(*made(["a"], [1.0], unscored={"0": "none came"}))
    with pytest.raises(TooFew, match="groups"):
        METRIC(Scores(["0"], [1.0], "right"), Truth())
