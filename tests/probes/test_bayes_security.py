"""Bayes security: exact without sampling, and with it never above what is true."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from probatum import Access, BadInput, Target, TrainingLog
from probatum.controls.choice import controls_for
from probatum.core.binding import bind
from probatum.probes.privacy.guarantee.bayes_security import bayes_security
from probatum.statistics import bayes_security_bound
from probatum.statistics.accounting import Phase
from probatum.statistics.guarantee import epsilon_at
from probatum.statistics.proof import Run, prove


def measured(*phases, delta=1e-5):
    keys = ("noise_multiplier", "sample_rate", "steps")
    rows = [{"id": str(i), **dict(zip(keys, phase, strict=True)), "delta": delta} for i, phase in enumerate(phases)]
    log = TrainingLog.from_rows(rows)
    return bayes_security_bound(bayes_security(Target(), log), log.truth)


@pytest.mark.parametrize(("sigma", "steps"), [(1.0, 1), (2.0, 9), (30.0, 100)])
def test_without_sampling_it_is_the_distance_of_two_normal_laws(sigma, steps):
    """TV(N(0, s²), N(2, s²)) = 1 − 2 Φ(−1/s), s = σ/√T; and the paper's closed form is the same."""
    result = measured((sigma, 1.0, steps))
    exact = 2 * norm.cdf(-math.sqrt(steps) / sigma)
    assert result.estimate.value == pytest.approx(exact, rel=1e-9)
    assert result.breakdown["closed form"].value == pytest.approx(exact, rel=1e-9)
    assert result.breakdown["advantage of any attack"].value == pytest.approx(1 - exact, rel=1e-9)
    assert result.estimate.kind == "bound"


def test_the_closed_form_is_that_of_the_paper():
    p, steps, sigma = 0.01, 1000, 2.0
    closed = measured((sigma, p, steps)).breakdown["closed form"].value
    assert closed == pytest.approx(1 - math.erf(p * math.sqrt(steps) / (math.sqrt(2) * sigma)))


@pytest.mark.parametrize(("sigma", "q"), [(0.5, 0.1), (1.0, 0.3), (2.0, 0.05)])
def test_with_sampling_no_attack_on_one_step_does_better(sigma, q):
    """The best attack on ±1 amid noise, by integration; with little noise it beats the paper's closed form."""
    x = np.linspace(-1 - 12 * sigma, 1 + 12 * sigma, 200_001)
    one, other = ((1 - q) * norm.pdf(x, 0, sigma) + q * norm.pdf(x, at, sigma) for at in (1, -1))
    best = np.trapezoid(np.abs(one - other), x) / 2
    result = measured((sigma, q, 1))
    assert 1 - result.estimate.value >= best - 1e-9
    with_or_without = np.trapezoid(np.abs(one - norm.pdf(x, 0, sigma)), x) / 2
    assert 1 - result.breakdown["with or without the record"].value == pytest.approx(with_or_without, rel=5e-3)


def test_where_noise_is_small_the_closed_form_alone_would_promise_too_much():
    """With one more or less record, σ = 1 and 1000 steps the advantage is .161; without its remainder the form says
    .126."""
    result = measured((1.0, 0.01, 1000))
    assert 1 - result.breakdown["with or without the record"].value == pytest.approx(0.161, abs=0.002)
    assert result.estimate.value < result.breakdown["closed form"].value


def test_phases_are_one_training():
    one, two = measured((1.0, 0.01, 1000)), measured((1.0, 0.01, 400), (1.0, 0.01, 600))
    assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-3)
    assert two.breakdown["closed form"].value == pytest.approx(one.breakdown["closed form"].value)
    assert one.breakdown["accountant"].value == epsilon_at([Phase(1.0, 0.01, 1000)], 1e-5)


def test_more_noise_is_more_security():
    values = [measured((s, 0.01, 1000)).estimate.value for s in (0.5, 1.0, 2.0, 8.0)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] < 1


def test_it_asks_nothing_of_a_model_and_stands_on_its_controls():
    method = bayes_security.method
    assert method.needs == Access(0)
    runs = []
    for control in controls_for(method, None):
        scores = method.function(Target(), **bind(method, control.data, control.roles, {}))
        runs.append(Run(control, scores, control.data["TrainingLog"].truth))
    assert prove(runs, method.metric, where="logs", measure=True).failure == ""
    assert {r.control.kind for r in runs} == {"positive", "negative"}


def test_a_log_that_cannot_be_is_refused():
    with pytest.raises(BadInput, match="noise_multiplier must be above 0"):
        measured((0.0, 0.1, 10))
