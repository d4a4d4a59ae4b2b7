"""The accountant: never below the truth where that is known, and hardly above it."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf
from scipy.stats import norm

from probatum import BadInput, TrainingLog
from probatum.statistics.accounting import Phase
from probatum.statistics.epsilon import gaussian_delta, gaussian_epsilon
from probatum.statistics.guarantee import delta_at, epsilon_at, upper_bounds

#: Sampled so nearly always that the mechanism is the Gaussian one, and yet goes through the grid and the transform.
NEARLY = 1 - 1e-13

#: dp-accounting 0.6.0, PLD of the sampled Gaussian, pessimistic grid of 1e-5 or 1e-4: benchmarks/epsilon_peers.py.
PEER = [
    (1, 0.01, 1000, 1e-5, 1.82824),
    (1.1, 0.004, 14000, 1e-5, 2.21035),
    (0.6, 0.02, 300, 1e-6, 9.85280),
    (4, 0.1, 500, 1e-6, 2.64820),
    (10, 0.5, 100, 1e-8, 2.74707),
    (0.5, 0.001, 2000, 1e-5, 3.65336),
    (0.8, 0.001, 20000, 1e-5, 1.10019),
]


def sampled(sigma, q, steps, delta, **more):
    return epsilon_at([Phase(sigma, q, steps)], delta, **more)


@pytest.mark.parametrize(("sigma", "q", "steps", "delta", "expected"), PEER)
def test_it_agrees_with_dp_accounting(sigma, q, steps, delta, expected):
    assert sampled(sigma, q, steps, delta) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("sigma", "steps", "delta"), [(1.0, 1, 1e-5), (5.0, 100, 1e-6), (0.7, 3, 1e-8), (1.0, 10, 1e-9)]
)
def test_whole_batches_are_the_gaussian_mechanism(sigma, steps, delta):
    exact = gaussian_epsilon(delta, math.sqrt(steps) / sigma)
    assert sampled(sigma, 1.0, steps, delta) == exact
    assert exact * (1 - 1e-7) <= sampled(sigma, NEARLY, steps, delta) <= exact * 1.001


@pytest.mark.parametrize(("sigma", "q"), [(1.0, 0.01), (0.5, 0.2), (4.0, 0.5)])
@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.7])
def test_one_step_is_an_integral(sigma, q, epsilon):
    """Both directions of ∫ max(0, p − e^ε q) by quadrature; the larger one counts."""

    def mixture(x):
        return (1 - q) * norm.pdf(x, 0, sigma) + q * norm.pdf(x, 1, sigma)

    def plain(x):
        return norm.pdf(x, 0, sigma)

    x = np.linspace(-12 * sigma, 1 + 12 * sigma, 400_001)
    exact = max(
        np.trapezoid(np.maximum(0, a(x) - math.exp(epsilon) * b(x)), x) for a, b in ((mixture, plain), (plain, mixture))
    )
    found = delta_at([Phase(sigma, q, 1)], epsilon)
    assert exact - 1e-9 <= found <= exact * 1.002 + 1e-9
    assert quad(mixture, -np.inf, np.inf)[0] == pytest.approx(1)


def test_at_epsilon_0_delta_is_the_total_variation():
    assert delta_at([Phase(2.0, 1.0, 1)], 0.0) == pytest.approx(erf(1 / (2 * math.sqrt(2) * 2)))
    assert delta_at([Phase(2.0, 0.1, 1)], 0.0) == pytest.approx(0.1 * erf(1 / (2 * math.sqrt(2) * 2)), rel=1e-3)


def test_epsilon_and_delta_are_each_others_inverse():
    phases = [Phase(0.8, 0.02, 500)]
    for delta in (1e-3, 1e-5, 1e-8):
        assert delta_at(phases, epsilon_at(phases, delta)) == pytest.approx(delta, rel=1e-6)


def test_phases_compose():
    whole = sampled(1.1, 0.01, 2000, 1e-5)
    halves = [Phase(1.1, 0.01, 800), Phase(1.1, 0.01, 1200)]
    assert epsilon_at(halves, 1e-5) == pytest.approx(whole, rel=1e-3)
    mixed = [Phase(0.8, 0.01, 500), Phase(2.0, 0.05, 300)]
    found = epsilon_at(mixed, 1e-5)
    assert found == pytest.approx(epsilon_at(mixed[::-1], 1e-5), rel=1e-6)
    assert max(epsilon_at([p], 1e-5) for p in mixed) < found < sum(epsilon_at([p], 1e-5) for p in mixed)
    gaussian = [Phase(2.0, 1.0, 3), Phase(4.0, 1.0, 16)]
    assert epsilon_at(gaussian, 1e-5) == gaussian_epsilon(1e-5, math.sqrt(3 / 4 + 1))


def test_more_noise_or_less_sampling_or_fewer_steps_lose_less():
    base = sampled(1.0, 0.01, 1000, 1e-5)
    assert sampled(1.2, 0.01, 1000, 1e-5) < base
    assert sampled(1.0, 0.008, 1000, 1e-5) < base
    assert sampled(1.0, 0.01, 800, 1e-5) < base
    assert sampled(1.0, 0.01, 1000, 1e-4) < base


def test_replacing_is_twice_the_distance():
    """Exact without sampling, and nearly so where every record is in nearly every batch."""
    assert sampled(1.0, 1.0, 4, 1e-5, relation="replace-one") == gaussian_epsilon(1e-5, 4.0)
    exact = gaussian_epsilon(1e-5, 1.0)
    bound = sampled(2.0, NEARLY, 1, 1e-5, relation="replace-one")
    assert exact * (1 - 1e-7) <= bound <= exact * 1.001
    assert delta_at([Phase(2.0, 1.0, 1)], 0.7, relation="replace-one") == gaussian_delta(0.7, 1.0)
    assert delta_at([Phase(2.0, NEARLY, 1)], 0.7, relation="replace-one") == pytest.approx(
        gaussian_delta(0.7, 1.0), rel=1e-3
    )


def test_many_steps_do_not_lose_the_bound_in_rounding():
    """By the central limit theorem of Bu et al. 2020, mu = q √(T (e^(1/σ²) − 1))."""
    q, steps, sigma = 1e-4, 200_000, 2.0
    limit = gaussian_epsilon(1e-5, q * math.sqrt(steps * math.expm1(1 / sigma**2)))
    assert sampled(sigma, q, steps, 1e-5) == pytest.approx(limit, rel=0.02)


def test_what_cannot_be_proved_is_infinite_and_not_small():
    assert sampled(1.0, 0.01, 1000, 1e-13) == math.inf  # below what rounding leaves
    assert sampled(0.05, 0.5, 1000, 1e-5) == math.inf


def test_a_log_becomes_parameters_of_a_metric():
    row = {"noise_multiplier": 1.0, "sample_rate": 0.01, "steps": 1000, "delta": 1e-6}
    bounds = upper_bounds(TrainingLog.from_rows([row]), 1e-5)
    assert bounds["accountant add-or-remove-one"] == sampled(1.0, 0.01, 1000, 1e-5)
    assert bounds["accountant replace-one"] > bounds["accountant add-or-remove-one"]
    assert upper_bounds(None, 1e-5) == {}
    assert upper_bounds(TrainingLog.from_rows([row]), 0.0) == {}
    assert upper_bounds(TrainingLog.from_rows([row]), 1e-14) == {}
    with pytest.raises(BadInput, match="sample_rate"):
        upper_bounds(TrainingLog.from_rows([{**row, "sample_rate": 2.0}]), 1e-5)


@pytest.mark.parametrize(
    "phases",
    [
        [Phase(0.0, 0.1, 1)],
        [Phase(1.0, 1.1, 1)],
        [Phase(1.0, 0.0, 1)],
        [Phase(1.0, 0.1, 0)],
        [Phase(1.0, 0.1, 1.5)],
    ],
)
def test_what_no_training_can_be_is_refused(phases):
    with pytest.raises(BadInput, match=r"sigma|q must|steps"):
        epsilon_at(phases, 1e-5)
    with pytest.raises(BadInput, match="delta"):
        epsilon_at([Phase(1.0, 0.1, 1)], 0.0)
