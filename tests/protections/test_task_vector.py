"""Task vectors: α = 0 changes nothing, α = −1 is the fine-tune, and α = 1 takes it back."""

import numpy as np
import pytest
from coins import Toy, logp

from probatum.core.change import Change
from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.protections.unlearning import task_vector as file
from probatum.protections.unlearning.task_vector import task_vector

FORGET = Forget.from_rows([{"text": "aab"}])
RETAIN = Retain.from_rows([{"text": "ccb"}])


class Weights(Toy):
    """A toy with the weights that it is given, to be read only."""

    def __init__(self, tensors):
        super().__init__()
        self.tensors = tensors

    def weights(self):
        return self.tensors


@pytest.fixture
def learned(monkeypatch):
    """``learned(step)``: the training moves every weight by ``step``, wherever it begins."""

    def set_up(step):
        monkeypatch.setattr(
            file, "tune", lambda target, loss, **_: Change({n: w + step[n] for n, w in target.weights().items()})
        )

    return set_up


def test_alpha_0_is_the_identity_bit_for_bit(learned):
    before = {"w": np.array([1.5, -0.0, 0.0, 3e-39, -7.25], np.float32)}
    learned({"w": np.array([0.5, -1.0, 1e-3, 2.0, -2.0], np.float32)})
    after = task_vector(Weights(before), FORGET, RETAIN, rng=keyed("tv"), alpha=0.0)
    assert after.tensors["w"].tobytes() == before["w"].tobytes()


def test_what_the_training_did_not_touch_stays_bit_for_bit(learned):
    before = {"w": np.array([1.5, -0.0], np.float32)}
    learned({"w": np.zeros(2, np.float32)})
    after = task_vector(Weights(before), FORGET, RETAIN, rng=keyed("tv"), alpha=2.0)
    assert after.tensors["w"].tobytes() == before["w"].tobytes()


def test_alpha_1_takes_back_alpha_minus_1(learned):
    draw = np.random.default_rng(0)
    before, step = ({"w": draw.normal(size=(5, 4)).astype(np.float32)} for _ in range(2))
    learned(step)
    forth = task_vector(Weights(before), FORGET, RETAIN, rng=keyed("tv"), alpha=-1.0)
    assert forth.tensors["w"] == pytest.approx(before["w"] + step["w"], abs=1e-6)
    back = task_vector(Weights(forth.tensors), FORGET, RETAIN, rng=keyed("tv"), alpha=1.0)
    assert back.tensors["w"] == pytest.approx(before["w"], abs=1e-6)
    assert back.tensors["w"].dtype == np.float32


@pytest.mark.parametrize("alpha", [-1.0, 0.5, 1.0, 2.0])
def test_the_model_moves_alpha_times_away_from_what_it_would_learn(alpha):
    def run(a):
        return task_vector(Toy(), FORGET, RETAIN, rng=keyed("tv"), alpha=a, steps=10, learning_rate=0.05)

    reinforced, moved = run(-1.0).tensors["logits"], run(alpha).tensors["logits"]
    assert logp(reinforced, "aab")[0] > logp((0.0, 0.0, 0.0), "aab")[0]
    assert moved == pytest.approx(-alpha * reinforced, abs=1e-6)


def test_the_training_is_on_the_forget_set_only():
    toy = Toy()
    change = task_vector(toy, FORGET, RETAIN, rng=keyed("tv"), steps=3)
    assert toy.read == list(FORGET.texts)
    assert len(change.trace["loss"]) == 3
