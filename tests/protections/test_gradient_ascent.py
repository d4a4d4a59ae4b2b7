"""Gradient ascent on a model of three parameters: the gradient is that of training, the other way round."""

import numpy as np
import pytest
from coins import Toy, coin, logp, loss_at

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.protections.unlearning.gradient_ascent import gradient_ascent

torch = pytest.importorskip("torch")
FORGET = Forget.from_rows([{"prefix": "c", "secret": "aab"}, {"text": "bc"}])
RETAIN = Retain.from_rows([{"text": "ccb"}])
PLACES = [(0.0, 0.0, 0.0), (1.0, -0.5, 0.2), (-2.0, 1.0, 0.0)]


@pytest.mark.parametrize("at", PLACES)
def test_the_gradient_is_that_of_the_cross_entropy_with_the_sign_turned(monkeypatch, at):
    _, gradient = loss_at(monkeypatch, gradient_ascent, at, FORGET, RETAIN)
    model = coin(at)
    for letters in ("aab", "bc"):
        ids = torch.tensor(["abc".index(letter) for letter in letters])
        (torch.nn.functional.cross_entropy(model.logits.expand(len(ids), 3), ids) / 2).backward()
    assert gradient == pytest.approx(-model.logits.grad.numpy(), abs=1e-6)


@pytest.mark.parametrize("at", PLACES)
def test_the_loss_is_the_mean_log_probability_of_the_answers_only(monkeypatch, at):
    value, _ = loss_at(monkeypatch, gradient_ascent, at, FORGET, RETAIN)
    assert value == pytest.approx((logp(at, "aab")[0] / 3 + logp(at, "bc")[0] / 2) / 2, rel=1e-5)


def test_the_retain_set_is_not_looked_at():
    toy = Toy()
    gradient_ascent(toy, FORGET, RETAIN, rng=keyed("ga"), steps=2)
    assert toy.read == list(FORGET.texts)


def test_it_has_no_floor():
    """Where ascent goes on, the loss falls without end: the reason why other losses exist."""
    forget = Forget.from_rows([{"text": "aaa"}])
    losses = gradient_ascent(Toy(), forget, RETAIN, rng=keyed("ga"), steps=60, learning_rate=0.5).trace["loss"]
    assert losses[-1] < losses[30] - 5 < losses[0] - 10
    assert np.isfinite(losses).all()
