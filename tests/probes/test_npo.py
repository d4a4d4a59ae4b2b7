"""NPO on a model of two parameters: its gradient is that of ascent, weighted by how likely the text still is."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.protections.unlearning import npo as file
from probatum.protections.unlearning.npo import npo

torch = pytest.importorskip("torch")
FORGET, RETAIN = Forget.from_rows([{"text": "fff"}]), Retain.from_rows([{"text": "rrr"}])


def coin(a, b):
    """Two tokens, whatever stands before: logits (a, b)."""

    class Coin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = torch.nn.Parameter(torch.tensor([a, b], dtype=torch.float32))
            self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=2))

        def forward(self, input_ids, attention_mask=None):
            return SimpleNamespace(logits=self.logits.expand(*input_ids.shape, 2))

    return Coin()


class Toy(Target):
    """Begins at (0, 0). "fff" is the token 0 three times, "rrr" the token 1 three times, each after a start token."""

    def module(self):
        return contextlib.nullcontext(coin(0.0, 0.0))

    def sequences(self, texts):
        return [np.array([0, *([0] * 3 if t == "fff" else [1] * 3)]) for t in texts]

    def token_statistics(self, texts, *, prefixes=None):
        row = np.zeros(3, RECORD)
        row["logprob"], row["end"] = np.log(0.5), [1, 2, 3]
        return TokenStatistics.of([row] * len(texts))

    def weights(self):
        return {"logits": np.zeros(2, np.float32)}


def loss_at(monkeypatch, a, b, **options):
    """The loss that `npo` hands to the tuning, and its gradient, at (a, b)."""
    model, seen = coin(a, b), {}

    def tune(target, loss, **_):
        seen["loss"] = loss(model, 0)

    monkeypatch.setattr(file, "tune", tune)
    npo(Toy(), FORGET, RETAIN, rng=keyed("npo"), **options)
    seen["loss"].backward()
    return float(seen["loss"].detach()), model.logits.grad.numpy().copy()


def ascent(a, b):
    """Gradient of log π of the forget text, 3 log p(0)."""
    p = 1 / (1 + np.exp(b - a))
    return 3 * np.array([1 - p, -(1 - p)])


def log_ratio(a, b):
    return 3 * (-np.log1p(np.exp(b - a)) - np.log(0.5))


@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (1.0, -0.5), (-2.0, 1.0)])
def test_the_loss_is_equation_3(monkeypatch, beta, a, b):
    value, _ = loss_at(monkeypatch, a, b, beta=beta, retain_weight=0.0)
    assert value == pytest.approx(2 / beta * np.log1p(np.exp(beta * log_ratio(a, b))), rel=1e-4)


@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (1.0, -0.5), (-2.0, 1.0)])
def test_its_gradient_is_that_of_ascent_with_the_weight_of_the_paper(monkeypatch, beta, a, b):
    _, gradient = loss_at(monkeypatch, a, b, beta=beta, retain_weight=0.0)
    powered = np.exp(beta * log_ratio(a, b))
    assert gradient == pytest.approx(2 * powered / (powered + 1) * ascent(a, b), rel=1e-4, abs=1e-6)


def test_towards_beta_0_it_is_gradient_ascent(monkeypatch):
    _, gradient = loss_at(monkeypatch, 0.7, -0.2, beta=1e-4, retain_weight=0.0)
    assert gradient == pytest.approx(ascent(0.7, -0.2), rel=1e-3)


def test_where_it_begins_the_weight_is_1(monkeypatch):
    _, gradient = loss_at(monkeypatch, 0.0, 0.0, beta=0.7, retain_weight=0.0)
    assert gradient == pytest.approx(ascent(0.0, 0.0), rel=1e-4)


def test_the_push_dies_out_as_the_text_becomes_unlikely(monkeypatch):
    near, far = (loss_at(monkeypatch, -x, x, beta=1.0, retain_weight=0.0)[1] for x in (0.5, 5.0))
    assert abs(far[0]) < 1e-6 < abs(near[0])


def test_the_retain_term_holds_the_rest_where_it_was(monkeypatch):
    """KL(π₀ ‖ π) is 0 where it begins, and its gradient at (a, b) is p − 1/2."""
    plain = loss_at(monkeypatch, 0.0, 0.0, retain_weight=0.0)
    assert loss_at(monkeypatch, 0.0, 0.0, retain_weight=5.0)[0] == pytest.approx(plain[0], abs=1e-5)
    moved = loss_at(monkeypatch, 1.0, 0.0, retain_weight=0.0)[1]
    held = loss_at(monkeypatch, 1.0, 0.0, retain_weight=2.0)[1]
    p = 1 / (1 + np.exp(-1.0))
    assert held - moved == pytest.approx(2 * np.array([p - 0.5, 0.5 - p]), rel=1e-3)


def test_tuning_lowers_what_is_to_be_forgotten_and_leaves_the_target_alone():
    target = Toy()
    change = npo(target, FORGET, RETAIN, rng=keyed("npo"), steps=15, learning_rate=0.05)
    a, b = change.tensors["logits"]
    assert a < b
    assert len(change.trace["loss"]) == 15
    assert target.weights()["logits"].tolist() == [0, 0]
