"""Answers beside other answers: the drop, and likeness beyond chance."""

import numpy as np
import pytest

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.beside import beyond_chance, rate_and_drop


def made(values, beside, **truth):
    ids = [str(i) for i in range(len(values))]
    columns = {name: np.array(column, dtype=object) for name, column in truth.items()}
    return Scores(ids, values, "right", null=np.array(beside, dtype=float)[:, None]), Truth(**columns)


def test_the_drop_is_paired():
    """Where changed and original answers go together, the drop is far surer than the two rates apart."""
    rng = np.random.default_rng(0)
    before = (rng.random(200) < 0.5).astype(float)
    after = before.copy()
    after[np.flatnonzero(before)[:10]] = 0
    result = rate_and_drop("accuracy")(*made(after, before))
    drop, first = result.breakdown["drop"], result.breakdown["original"]
    assert drop.value == pytest.approx(10 / 200)
    assert result.estimate.value == pytest.approx(first.value - drop.value)
    assert drop.high - drop.low < 0.5 * (first.high - first.low)


def test_without_originals_there_is_a_rate_and_no_drop():
    result = rate_and_drop("accuracy")(*made([1.0] * 12, [np.nan] * 12))
    assert result.estimate.value == 1
    assert result.breakdown == {}


def test_kappa_of_cohen_is_the_special_case_of_zeros_and_ones():
    """Observed agreement .7, expected by chance .5: κ = (.7 − .5) / (1 − .5) = .4."""
    result = beyond_chance("κ")(*made([1.0] * 70 + [0.0] * 30, [0.5] * 100))
    assert result.estimate.value == pytest.approx(0.4)
    assert result.estimate.low < 0.4 < result.estimate.high


def test_coverage_of_the_interval_over_clusters():
    rng, held = np.random.default_rng(2), 0
    units = np.repeat(np.arange(40), 5).astype(str)
    for _ in range(200):
        level = np.repeat(rng.beta(4, 2, 40), 5)  # mean 2/3, and alike within a cluster
        e = beyond_chance("κ")(*made(level, [0.2] * 200, cluster=units)).estimate
        held += e.low <= 1 - (1 / 3) / 0.8 <= e.high
    assert held >= 0.9 * 200


def test_all_alike_is_nothing_and_too_few_are_refused():
    estimate = beyond_chance("κ")(*made([1.0] * 20, [1.0] * 20)).estimate
    assert (estimate.value, estimate.low) == (0, None)
    with pytest.raises(TooFew, match="too few items: 4"):
        beyond_chance("κ")(*made([1.0] * 4, [0.5] * 4))
