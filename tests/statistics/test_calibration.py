"""ECE and Brier score: closed forms, and what chance alone gives."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from probatum.statistics.calibration import brier, ece, expected_calibration_error


def test_two_bins_by_hand():
    confidence, right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([1.0, 0, 1, 1])
    assert ece(confidence, right) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_always_sure_and_right_half_the_time():
    assert ece(np.ones(100), np.arange(100) % 2) == pytest.approx(0.5)


def test_a_calibrated_model_is_at_what_chance_gives_and_an_overconfident_one_is_not():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 400)
    honest = expected_calibration_error(p, (rng.random(400) < p).astype(float))
    bold = expected_calibration_error(np.full(400, 0.95), (rng.random(400) < 0.7).astype(float))
    chance = float(honest.method.split("show ")[1].split(" ")[0])
    assert honest.value < 2 * chance
    assert bold.low > 0.15


def test_brier_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    p, y = rng.random(50), rng.integers(0, 2, 50)
    assert brier(p, y.astype(float)).value == pytest.approx(brier_score_loss(y, p))
