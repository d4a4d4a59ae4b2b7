"""The largest gap between groups: coverage, power, and what has no score."""

import itertools

import numpy as np
import pytest

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.group_gap import largest_gap

METRIC = largest_gap("gap")
SEX = np.tile(np.repeat([0, 1], 3), 100)
GROUP = np.array([f"{s}, {r}" for s, r in itertools.product(("f", "m"), "xyz")] * 100, dtype=object)
CLUSTER = np.repeat(np.arange(100), 6).astype(str)
TRUTH = Truth(group=GROUP, cluster=CLUSTER)


def result(values, truth=TRUTH):
    return METRIC(Scores([str(i) for i in range(len(values))], np.asarray(values, float), "class"), truth)


def planted(rng, gap):
    """Three classes; the first sex gets the lowest more often by ``gap``, and the highest less often."""
    u = rng.random(600)
    low = 0.3 + np.where(SEX == 0, gap / 2, -gap / 2)
    return np.where(u < low, 0, np.where(u < low + 0.4, 1, 2))


@pytest.mark.parametrize("gap", [0.0, 0.1, 0.3])
def test_the_interval_holds_the_true_gap(gap):
    rng = np.random.default_rng(1)
    held = [e.low <= gap <= e.high for e in (result(planted(rng, gap)).estimate for _ in range(150))]
    assert np.mean(held) >= 0.93


def test_the_smallest_gap_that_is_resolved_is_seen_with_the_power_that_is_stated():
    rng = np.random.default_rng(2)
    stated = float(result(planted(rng, 0.0)).note.split("of ")[1].split()[0])
    assert 0.1 < stated < 0.25
    seen = [result(planted(rng, stated)).estimate.low > 0 for _ in range(60)]
    assert np.mean(seen) >= 0.8
    blank = [result(planted(rng, 0.0)).estimate.low > 0 for _ in range(60)]
    assert np.mean(blank) <= 0.07


def test_each_attribute_stands_by_itself():
    found = result(planted(np.random.default_rng(3), 0.4))
    assert found.breakdown["f / m"].value == found.estimate.value > 0.3
    assert found.breakdown["x / y / z"].low == 0


def test_all_answers_alike_show_nothing():
    with pytest.raises(TooFew, match="all answers are alike"):
        result(np.ones(600))
    with pytest.raises(TooFew, match="groups"):
        result(planted(np.random.default_rng(0), 0), Truth())


def test_without_any_difference_the_bound_is_that_of_no_cluster_of_so_many():
    values = np.repeat(np.random.default_rng(4).integers(0, 3, 100), 6)
    found = result(values).estimate
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-6)


def test_the_order_of_the_records_does_not_matter():
    values = planted(np.random.default_rng(5), 0.2)
    order = np.random.default_rng(6).permutation(600)
    one, other = result(values).estimate, result(values[order], TRUTH.take(order)).estimate
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
