"""Two rates: what is planted is proved, up to the ceiling of so many canaries; what is not, is not."""

import numpy as np
import pytest
from guaranteed import told
from scipy.stats import binom

from probatum import BadInput, Canaries, TrainingLog
from probatum.probes.privacy.guarantee.epsilon_two_rates import epsilon_two_rates
from probatum.statistics.epsilon import gaussian_epsilon, two_rates_bound
from probatum.testing import UniformTarget, toy_data, toy_target

LOG = TrainingLog.from_rows([{"id": "log", "noise_multiplier": 4.0, "sample_rate": 0.01, "steps": 100, "delta": 1e-5}])


@pytest.mark.parametrize("threshold", ["split", "bonferroni"])
def test_a_model_that_tells_every_coin_proves_all_that_can_be_proved(found, threshold):
    model, canaries = told(100, shift=30.0, paired=True)
    result = found(epsilon_two_rates, model, canaries, log=None, threshold=threshold)
    n = {"split": 80, "bonferroni": 100}[threshold]
    alpha = {"split": 0.05, "bonferroni": 0.05 / 4}[threshold]
    assert result.estimate.value == pytest.approx(float(two_rates_bound(n, n, 0, n, delta=1e-5, alpha=alpha)))
    assert result.p_value < 1e-10


@pytest.mark.parametrize("threshold", ["split", "bonferroni"])
def test_a_model_that_tells_none_is_quiet(found, threshold):
    p = [found(epsilon_two_rates, *told(60, seed=i), log=None, threshold=threshold).p_value for i in range(60)]
    assert (np.array(p) <= 0.05).sum() <= binom.ppf(0.999, 60, 0.05)


def test_what_was_learned_by_heart_is_found_and_by_a_stranger_it_is_not(found):
    twin = toy_target(planted=False)
    assert found(epsilon_two_rates, toy_target(planted=True), log=None, reference=twin).estimate.value > 0
    assert found(epsilon_two_rates, twin, log=None, reference=UniformTarget()).estimate.value == 0


def test_a_bound_stays_below_gaussian_canaries(found):
    model, canaries = told(1000, shift=2.0)
    assert 1.5 < found(epsilon_two_rates, model, canaries, log=None).estimate.value < gaussian_epsilon(1e-5, 2.0)


def test_a_reference_takes_out_how_hard_a_text_is():
    model, canaries = told(40, shift=2.0)
    plain = epsilon_two_rates(model, canaries).values
    assert np.allclose(plain, [model._logprob[t] for t in canaries.texts])
    assert not epsilon_two_rates(model, canaries, reference=model).values.any()


def test_the_log_brings_the_accountant_and_its_alarm(found):
    model, canaries = told(300, shift=30.0)
    result = found(epsilon_two_rates, model, canaries, log=LOG)
    assert result.breakdown["accountant"].value < 1 < result.estimate.value
    assert "ALARM" in result.note
    assert "accountant" not in found(epsilon_two_rates, model, canaries, log=None).breakdown


def test_a_delta_lowers_the_bound(found):
    model, canaries = told(300, shift=30.0)
    bounds = [found(epsilon_two_rates, model, canaries, log=None, delta=d).estimate.value for d in (0.0, 0.01, 0.5)]
    assert bounds[0] > bounds[1] > bounds[2] > 0


@pytest.mark.parametrize("delta", [-0.1, 1.0])
def test_a_delta_that_is_none_is_refused(delta):
    with pytest.raises(BadInput, match=r"epsilon_two_rates.delta must lie in"):
        epsilon_two_rates(toy_target(), toy_data()["Canaries"], delta=delta)


def test_an_empty_canary_is_unscored():
    canaries = Canaries.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "canary 0"}])
    scores = epsilon_two_rates(told(40)[0], canaries)
    assert scores.scored.tolist() == [False, True]
    assert scores.unscored["none"]
