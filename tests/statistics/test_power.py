"""What a test of a given size can show: against tables, a closed form, and a simulated test."""

import math

import numpy as np
import pytest
import scipy.stats

from probatum.statistics.power import detectable_auroc, one_run_ceiling
from probatum.statistics.tests import mann_whitney


def test_the_detectable_area_by_the_number_of_each_side():
    table = {50: 0.642, 100: 0.601, 200: 0.572, 500: 0.545, 1000: 0.532, 2000: 0.523, 5000: 0.514, 10000: 0.510}
    assert {n: round(detectable_auroc(n), 3) for n in table} == table
    assert math.isnan(detectable_auroc(0))
    assert math.isnan(detectable_auroc(1))
    assert detectable_auroc(100) < detectable_auroc(100, alpha=0.025) < detectable_auroc(100, alpha=0.025, power=0.95)


def test_an_area_of_that_size_is_found_four_times_in_five():
    rng, n = np.random.default_rng(0), 100
    shift = math.sqrt(2) * scipy.stats.norm.ppf(detectable_auroc(n, alpha=0.025))
    found = sum(mann_whitney(rng.normal(shift, 1, n), rng.normal(0, 1, n), rng=rng).value <= 0.05 for _ in range(600))
    assert found / 600 == pytest.approx(0.8, abs=0.05)


def test_the_ceiling_of_one_run_is_the_logit_of_the_root_of_alpha():
    for n in (20, 200, 1000, 5000):
        q = 0.05 ** (1 / n)
        assert one_run_ceiling(n) == pytest.approx(math.log(q / (1 - q)), rel=1e-6)
        # Under that epsilon n right guesses of n have a chance of exactly alpha: (e^ε / (1 + e^ε))^n.
        assert scipy.special.expit(one_run_ceiling(n)) ** n == pytest.approx(0.05, rel=1e-9)
    assert round(one_run_ceiling(200), 2) == 4.19
    assert one_run_ceiling(1) == one_run_ceiling(0) == 0.0
