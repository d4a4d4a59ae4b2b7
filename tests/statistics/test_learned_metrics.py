"""Metrics of what was learned on other records: one-sided, over units, and at the highest doses together."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.control import Control
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew, auroc, learned_auroc, set_difference
from probatum.statistics.proof import Run, prove


def at_most(p):
    """Level → by how many standard errors of the simulation P(p <= level) exceeds the level."""
    return {a: float((np.mean(np.array(p) <= a) - a) / np.sqrt(a * (1 - a) / len(p))) for a in (0.01, 0.05, 0.2)}


def case(own, other, cluster=None):
    values = np.concatenate([own, other])
    truth = Truth(np.arange(len(values)) < len(own), None if cluster is None else np.array(cluster, dtype=object))
    return Scores([f"r{i}" for i in range(len(values))], values, "member"), truth


def test_a_set_difference_is_welchs_test():
    rng = np.random.default_rng(0)
    own, other = rng.normal(1, 2, 40), rng.normal(0, 1, 25)
    got = set_difference(*case(own, other))
    expected = stats.ttest_ind(own, other, equal_var=False, alternative="greater")
    assert got.p_value == pytest.approx(expected.pvalue)
    limits = stats.ttest_ind(own, other, equal_var=False).confidence_interval()
    assert (got.estimate.low, got.estimate.high) == pytest.approx(tuple(limits))
    assert got.estimate.value == pytest.approx(own.mean() - other.mean())
    assert set_difference(*case(other, own)).p_value == pytest.approx(1 - expected.pvalue)
    assert set_difference(*case(other, own)).direction == "reversed"


def test_pairs_are_compared_within_pairs():
    """Topics differ by far more than membership; labels are exchangeable within a topic alone."""
    topic = np.arange(8) * 100.0
    names = [f"t{i}" for i in range(8)] * 2
    paired = set_difference(*case(topic + 1, topic, names))
    assert paired.p_value == pytest.approx(1 / 2**8)
    assert paired.estimate.value == 1
    assert set_difference(*case(topic + 1, topic)).p_value > 0.4


def test_records_of_one_unit_are_one_number():
    rng = np.random.default_rng(1)
    means = rng.normal(size=24)
    values, names = np.repeat(means, 3), np.repeat([f"u{i}" for i in range(24)], 3)
    got = set_difference(*case(values[:36], values[36:], names))
    alone = set_difference(*case(means[:12], means[12:]))
    assert (got.p_value, got.estimate.n) == (pytest.approx(alone.p_value), 24)


@pytest.mark.parametrize("both", [0, 6, 15])
@pytest.mark.parametrize("sizes", [(15, 15), (40, 15)])
def test_where_labels_say_nothing_p_is_below_a_in_at_most_a_of_the_cases(both, sizes):
    """With none, some or all of the units in both sides, and a unit's own level twice the noise."""
    rng, p = np.random.default_rng(both), []
    for _ in range(1500 if both < 15 else 300):
        names = [*(f"u{i}" for i in range(sizes[0])), *(f"u{i if i < both else i + 1000}" for i in range(sizes[1]))]
        level = {name: 2 * rng.normal() for name in dict.fromkeys(names)}
        values = np.array([level[name] for name in names]) + rng.normal(size=len(names))
        p.append(set_difference(*case(values[: sizes[0]], values[sizes[0] :], names)).p_value)
    assert max(at_most(p).values()) < 3
    if both < 15:  # the exact test of pairs is discrete, and that of few shared units careful
        assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_without_spread_the_order_alone_is_told():
    got = set_difference(*case(np.ones(6), np.zeros(6)))
    assert got.p_value == pytest.approx(1 / stats.binom(12, 0.5).pmf(6) / 2**12)
    assert got.estimate.low is None
    assert set_difference(*case(np.ones(6), np.ones(6))).p_value == 1


def test_few_units_are_too_few():
    with pytest.raises(TooFew, match="4 with members and 9"):
        set_difference(*case(np.arange(4.0), np.arange(9.0)))


def test_a_learned_direction_is_tested_on_one_side():
    rng = np.random.default_rng(2)
    own, other = rng.normal(0.5, 1, 60), rng.normal(0, 1, 60)
    two, one = auroc(*case(own, other)), learned_auroc(*case(own, other))
    assert one.p_value == pytest.approx(two.p_value / 2)
    assert one.estimate == two.estimate
    assert learned_auroc(*case(other, own)).p_value == pytest.approx(1 - two.p_value / 2)
    p = [learned_auroc(*case(rng.normal(size=15), rng.normal(size=12))).p_value for _ in range(600)]
    assert max(at_most(p).values()) < 3
    assert min(at_most(p).values()) > -4  # and not by being half asleep


@pytest.mark.parametrize(("strength", "passed"), [(3.0, True), (0.0, False)])
def test_the_highest_doses_are_joined_where_one_alone_is_too_few(strength, passed):
    """Half of the planted records judge a probe that learns; seven of the highest dose make no AUROC."""
    rng = np.random.default_rng(3)
    dose = np.repeat([0.0, 4.0, 16.0, 32.0], [50, 12, 7, 7])
    values = rng.normal(size=len(dose)) + strength * np.log1p(dose)
    runs = []
    for kind, shift in (("positive", values), ("negative", rng.normal(size=len(dose)))):
        scores = Scores([f"r{i}" for i in range(len(dose))], shift, "member")
        runs.append(Run(Control(kind, kind, "specimen"), scores, Truth(dose > 0, dose=dose)))
    proof = prove(runs, auroc, where="x")
    positive = [c for c in proof.controls if c.kind == "positive"]
    assert [c.dose for c in positive] == [4.0, 16.0]
    assert [c.passed for c in positive] == [None, passed]
    assert positive[1].estimate.n == 64
    assert bool(proof.failure) is not passed
