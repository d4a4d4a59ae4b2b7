"""SimNPO on a model of three parameters: equation 4, per token, and gradient ascent where β is small."""

import numpy as np
import pytest
from coins import Toy, kl_from_start, logp, loss_at

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.protections.unlearning.sim_npo import sim_npo

FORGET = Forget.from_rows([{"prefix": "c", "secret": "aab"}])
RETAIN = Retain.from_rows([{"text": "ccb"}])
PLACES = [(0.0, 0.0, 0.0), (1.0, -0.5, 0.2), (-2.0, 1.0, 0.0)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("beta", "gamma"), [(2.5, 0.0), (4.5, 0.5), (0.1, -1.0)])
@pytest.mark.parametrize("at", PLACES)
def test_the_loss_is_equation_4(monkeypatch, beta, gamma, at):
    value, gradient = loss_at(
        monkeypatch, sim_npo, at, FORGET, RETAIN, beta=beta, gamma=gamma, retain_weight=0.0
    )  # fmt: skip
    per_token, slope = logp(at, "aab")[0] / 3, logp(at, "aab")[1] / 3
    assert value == pytest.approx(-2 / beta * np.log(sigmoid(-beta * per_token - gamma)), rel=1e-4)
    assert gradient == pytest.approx(2 * sigmoid(beta * per_token + gamma) * slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("at", PLACES)
def test_towards_beta_0_it_is_gradient_ascent_per_token(monkeypatch, at):
    _, gradient = loss_at(monkeypatch, sim_npo, at, FORGET, RETAIN, beta=1e-4, retain_weight=0.0)
    assert gradient == pytest.approx(logp(at, "aab")[1] / 3, rel=1e-3, abs=1e-5)


def test_a_longer_answer_weighs_as_much_as_a_short_one(monkeypatch):
    short, long = (
        loss_at(monkeypatch, sim_npo, PLACES[1], Forget.from_rows([{"text": text}]), RETAIN, retain_weight=0.0)
        for text in ("ab", "ab" * 7)
    )
    assert short[0] == pytest.approx(long[0], rel=1e-5)
    assert short[1] == pytest.approx(long[1], rel=1e-4)


@pytest.mark.parametrize(("term", "weight"), [("kl", 2.0), ("loss", 0.5)])
def test_the_retain_term_is_the_one_that_was_asked_for(monkeypatch, term, weight):
    at = PLACES[1]
    bare = loss_at(monkeypatch, sim_npo, at, FORGET, RETAIN, retain_weight=0.0)[0]
    value = loss_at(monkeypatch, sim_npo, at, FORGET, RETAIN, retain_weight=weight, retain_term=term)[0]
    held = kl_from_start(at) if term == "kl" else -logp(at, "ccb")[0] / 3
    assert value - bare == pytest.approx(weight * held, rel=1e-3)


def test_the_push_dies_out_as_the_text_becomes_unlikely():
    forget = Forget.from_rows([{"text": "aaa"}])
    options = {"steps": 60, "learning_rate": 0.5, "retain_weight": 0.0}
    losses = sim_npo(Toy(), forget, RETAIN, rng=keyed("simnpo"), **options).trace["loss"]
    assert losses[-1] < 1e-3 < losses[0]
