"""Bayesian epsilon: known mechanisms lie in its interval, and its controls are such mechanisms."""

import pytest
from guaranteed import told

from probatum import BadInput, Canaries
from probatum.controls.choice import controls_for
from probatum.core.binding import bind
from probatum.core.decision import Proof
from probatum.probes.privacy.guarantee.epsilon_bayesian import epsilon_bayesian
from probatum.statistics.epsilon import posterior_epsilon_of_pairs
from probatum.statistics.proof import Run, prove
from probatum.testing import UniformTarget, toy_data, toy_target


def proof(method, **options) -> Proof:
    runs = []
    for control in controls_for(method, None):
        scores = method.function(control.target, **bind(method, control.data, control.roles, options))
        runs.append(Run(control, scores, next(iter(control.data.values())).truth))
    return prove(runs, method.metric, where="simulated", measure=True)


@pytest.mark.parametrize("delta", [0.0, 1e-5, 1e-3])
def test_randomized_response_is_measured_as_it_is(delta):
    shown = proof(epsilon_bayesian.method, delta=delta)
    assert shown.failure == ""
    assert shown.controls[0].estimate.value == pytest.approx(2.0, abs=0.2)
    assert shown.controls[0].estimate.low < 2.0 < shown.controls[0].estimate.high
    assert shown.controls[1].estimate.value < 0.1


def test_a_model_that_tells_every_coin_and_one_that_tells_none(found):
    perfect = found(epsilon_bayesian, *told(100, shift=30.0, paired=True), log=None)
    expected = posterior_epsilon_of_pairs(80, 0, None, delta=1e-5, levels=(0.025, 0.5, 0.975))
    assert [perfect.estimate.low, perfect.estimate.value, perfect.estimate.high] == pytest.approx(expected)
    nothing = found(epsilon_bayesian, *told(500), log=None)
    assert nothing.estimate.value < 0.5
    assert perfect.p_value is None
    assert perfect.estimate.kind == "credible"


def test_pairs_whose_difference_is_small_count_as_no_guess(found):
    """A few canaries are known by heart, the others not at all: guessing these, too, would dilute what is known."""
    model, canaries = told(200, paired=True)
    for i in range(0, 100, 2):  # the first half of a pair is the one that was in
        model._logprob[f"canary {i}"] += 30.0
    rates = found(epsilon_bayesian, model, canaries, log=None).breakdown
    assert rates["false positives"].value < 0.12  # guessing all would give 0.37
    assert 0.2 < rates["true positives"].value < 0.5


def test_what_was_learned_by_heart_is_found_and_by_a_stranger_it_is_not(found):
    twin = toy_target(planted=False)
    assert found(epsilon_bayesian, toy_target(planted=True), log=None, reference=twin).estimate.low > 0.5
    assert found(epsilon_bayesian, twin, log=None, reference=UniformTarget()).estimate.low < 0.5


@pytest.mark.parametrize("delta", [-0.1, 1.0])
def test_a_delta_that_is_none_is_refused(delta):
    with pytest.raises(BadInput, match=r"epsilon_bayesian.delta must lie in"):
        epsilon_bayesian(toy_target(), toy_data()["Canaries"], delta=delta)


def test_an_empty_canary_is_unscored():
    canaries = Canaries.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "canary 0"}])
    assert epsilon_bayesian(told(40)[0], canaries).scored.tolist() == [False, True]
