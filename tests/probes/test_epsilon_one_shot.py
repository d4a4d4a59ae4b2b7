"""One shot: a Gaussian mechanism over a few thousand weights is measured near what it is in closed form."""

import numpy as np
import pytest

from probatum import BadInput, Directions, TrainingLog
from probatum.controls.cases import Mixed
from probatum.controls.choice import controls_for
from probatum.core.binding import bind
from probatum.probes.privacy.guarantee.epsilon_one_shot import epsilon_one_shot
from probatum.statistics import TooFew, one_shot_epsilon
from probatum.statistics.directions import direction
from probatum.statistics.epsilon import gaussian_epsilon
from probatum.statistics.proof import Run, prove

SHAPES = {"w": (100, 80), "b": (2000,)}
BEFORE = {n: np.random.default_rng(0).normal(size=s).astype(np.float32) for n, s in SHAPES.items()}
KEY = Directions.from_rows([{"id": f"d{i}", "seed": 5, "index": i, "member": i < 100} for i in range(200)])


def trained(sigma, planted=100, seed=1):
    """Noise of ``sigma`` and the first ``planted`` directions, added to the weights; one parameter stays frozen."""
    rng = np.random.default_rng(seed)
    after = {n: w + sigma * rng.standard_normal(w.shape, dtype=np.float32) for n, w in BEFORE.items()}
    for i in range(planted):
        for n, part in direction(5, i, SHAPES).items():
            after[n] = after[n] + part
    return Mixed("after", {**after, "frozen": np.ones(50, np.float32)})


REFERENCE = Mixed("before", {**BEFORE, "frozen": np.ones(50, np.float32), "head": np.ones(3, np.float32)})


def measured(target, data=KEY, reference=REFERENCE, **options):
    return one_shot_epsilon(epsilon_one_shot(target, data.blind(), reference=reference, **options), data.truth)


def test_scores_are_the_signal_to_noise_of_a_direction():
    """⟨c, ρ⟩ √d / ‖ρ‖ is 1/σ plus standard normal noise where c was put in, and that noise alone where it was not."""
    scores = epsilon_one_shot(trained(0.5), KEY.blind(), reference=REFERENCE).values
    assert scores[:100].mean() == pytest.approx(2.0, abs=0.35)
    assert scores[100:].mean() == pytest.approx(0.0, abs=0.35)
    assert scores[100:].std() == pytest.approx(1.0, abs=0.2)


def test_a_known_mechanism_is_measured_near_its_closed_form():
    """The standard error of mean and spread of 100 cosines is .1 and .07: about 1.2 in epsilon."""
    for sigma in (0.541, 1.0):
        exact = gaussian_epsilon(1e-5, 1 / sigma)
        found = np.median([measured(trained(sigma, seed=s)).estimate.value for s in range(3)])
        assert found == pytest.approx(exact, abs=1.5)


def test_more_noise_shows_less_and_noise_alone_shows_what_the_spread_gives():
    small, large, none = (measured(trained(s, n)).estimate.value for s, n in ((0.3, 100), (2.0, 100), (0.3, 0)))
    assert small > large
    assert none < 2.5 < small


def test_frozen_weights_and_those_of_one_model_only_do_not_count():
    assert epsilon_one_shot(trained(0.5), KEY.blind(), reference=REFERENCE).parameters["dimension"] == 10_000


def test_it_stands_on_its_controls():
    method, runs = epsilon_one_shot.method, []
    for control in controls_for(method, None):
        scores = method.function(control.target, **bind(method, control.data, control.roles, {"delta": 1e-5}))
        runs.append(Run(control, scores, control.data["Directions"].truth))
    proof = prove(runs, method.metric, where="simulated", measure=True)
    assert proof.failure == ""
    assert [c.passed for c in proof.controls] == [True, True]
    swapped = [Run(a.control, b.scores, b.truth) for a, b in zip(runs, runs[::-1], strict=True)]
    assert "failed" in prove(swapped, method.metric, where="simulated", measure=True).failure


def test_weights_that_did_not_change_have_no_score():
    scores = epsilon_one_shot(REFERENCE, KEY.blind(), reference=REFERENCE)
    assert not scores.scored.any()
    assert set(scores.unscored.values()) == {"no weight that both models have has changed"}
    with pytest.raises(TooFew):
        one_shot_epsilon(scores, KEY.truth)


def test_the_log_stands_beside_it():
    log = TrainingLog.from_rows([{"noise_multiplier": 0.5, "sample_rate": 1.0, "steps": 1, "delta": 1e-5}])
    assert measured(trained(0.5), log=log).breakdown["accountant"].value == gaussian_epsilon(1e-5, 2.0)


def test_what_names_no_direction_is_refused():
    with pytest.raises(BadInput, match="whole numbers"):
        epsilon_one_shot(trained(1.0), Directions.from_rows([{"seed": "x", "index": 1}]), reference=REFERENCE)
    with pytest.raises(BadInput, match=r"epsilon_one_shot.delta"):
        epsilon_one_shot(trained(1.0), KEY, reference=REFERENCE, delta=0.0)
    table = Directions.from_rows([{"seed": "5", "index": "3"}])  # of a CSV
    assert epsilon_one_shot(trained(1.0), table, reference=REFERENCE).values == pytest.approx(
        epsilon_one_shot(trained(1.0), KEY, reference=REFERENCE).values[3]
    )
