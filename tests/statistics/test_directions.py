"""Directions: unit vectors that both sides make alike, and cosines that are normal where nothing was planted."""

import numpy as np
import pytest
from scipy import stats

from probatum.statistics.directions import cosines, direction

SHAPES = {"a.weight": (30, 20), "b.bias": (7,), "c.weight": (5, 4, 3)}


def flat(parts):
    return np.concatenate([parts[name].ravel() for name in SHAPES]).astype(float)


def test_a_direction_has_length_1_and_the_shapes():
    parts = direction(3, 0, SHAPES)
    assert {n: p.shape for n, p in parts.items()} == SHAPES
    assert np.linalg.norm(flat(parts)) == pytest.approx(1, abs=1e-5)


def test_it_depends_on_seed_index_and_name_and_not_on_the_order():
    one = direction(3, 0, SHAPES)
    again = direction(3, 0, dict(reversed(SHAPES.items())))
    assert all(np.array_equal(one[n], again[n]) for n in SHAPES)
    for other in (direction(4, 0, SHAPES), direction(3, 1, SHAPES)):
        assert abs(flat(one) @ flat(other)) < 0.2
    swapped = direction(3, 0, {"x": (30, 20)})["x"], direction(3, 0, {"y": (30, 20)})["y"]
    assert not np.allclose(*swapped)


def test_the_numbers_stay_as_they_are():
    """A key that was made last year must still find its directions."""
    assert direction(1, 2, {"w": (3,)})["w"] == pytest.approx([-0.458075, -0.775715, -0.434089], abs=1e-6)


def test_the_cosine_of_a_direction_with_itself_is_1():
    update = {n: 5 * p for n, p in direction(3, 4, SHAPES).items()}
    found = cosines(update, [(3, 4), (3, 5)])
    assert found[0] == pytest.approx(1, abs=1e-5)
    assert found[1] == pytest.approx(flat(direction(3, 4, SHAPES)) @ flat(direction(3, 5, SHAPES)), abs=1e-5)


def test_what_was_not_planted_is_normal_with_variance_1_over_d():
    rng = np.random.default_rng(0)
    update = {
        "w": rng.normal(size=(50, 40)) * np.geomspace(1, 100, 40)
    }  # any update: the directions are what is random
    found = cosines(update, [(9, i) for i in range(1500)]) * np.sqrt(2000)
    assert stats.kstest(found, "norm").pvalue > 0.01


def test_an_update_of_nothing_has_no_cosine():
    assert np.isnan(cosines({"w": np.zeros(4)}, [(1, 1)])).all()
    assert np.isnan(cosines({}, [(1, 1)])).all()
