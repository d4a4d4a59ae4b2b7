"""KL minimization on a model of three parameters: ascent, and the divergence from where it began."""

import pytest
from coins import Toy, kl_from_start, logp, loss_at

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.protections.unlearning.kl_min import kl_min

FORGET = Forget.from_rows([{"prefix": "c", "secret": "aab"}])
RETAIN = Retain.from_rows([{"text": "ccb"}])


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("at", [(0.0, 0.0, 0.0), (1.0, -0.5, 0.2), (-2.0, 1.0, 0.0)])
def test_the_loss_is_ascent_and_the_divergence(monkeypatch, weight, at):
    value, _ = loss_at(monkeypatch, kl_min, at, FORGET, RETAIN, retain_weight=weight)
    assert value == pytest.approx(logp(at, "aab")[0] / 3 + weight * kl_from_start(at), rel=1e-4)


def test_where_it_begins_the_divergence_pulls_nowhere(monkeypatch):
    _, gradient = loss_at(monkeypatch, kl_min, (0.0, 0.0, 0.0), FORGET, RETAIN, retain_weight=100.0)
    assert gradient == pytest.approx(logp((0.0, 0.0, 0.0), "aab")[1] / 3, abs=1e-5)


def test_the_heavier_the_retain_term_the_less_the_model_moves():
    ended = [
        kl_min(Toy(), FORGET, RETAIN, rng=keyed("kl"), steps=40, learning_rate=0.05, retain_weight=w).tensors["logits"]
        for w in (0.0, 10.0)
    ]
    assert kl_from_start(ended[1]) < kl_from_start(ended[0]) / 10
    assert logp(ended[1], "aab")[0] < logp((0.0, 0.0, 0.0), "aab")[0]
