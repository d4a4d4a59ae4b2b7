"""A model whose loss can be worked out by hand: three tokens, whatever stands before, and a start token."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.core.draws import keyed
from probatum.core.target import RECORD, Target, TokenStatistics

torch = pytest.importorskip("torch")
START = 0


def coin(logits):
    """A model of three parameters."""

    class Coin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = torch.nn.Parameter(torch.tensor(logits, dtype=torch.float32))
            self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=3))

        def forward(self, input_ids, attention_mask=None):
            return SimpleNamespace(logits=self.logits.expand(*input_ids.shape, 3))

    return Coin()


class Toy(Target):
    """ "a", "b" and "c" are its tokens, all likely at first (logits 0). ``read`` tells what was ever asked of it."""

    name = "toy"

    def __init__(self):
        self.read = []

    def module(self):
        return contextlib.nullcontext(coin([0.0, 0.0, 0.0]))

    def sequences(self, texts):
        self.read += texts
        return [np.array([START, *("abc".index(letter) for letter in text)]) for text in texts]

    def token_statistics(self, texts, *, prefixes=None):
        rows = []
        for text in texts:
            row = np.zeros(len(text), RECORD)
            row["logprob"], row["end"] = np.log(1 / 3), np.arange(1, len(text) + 1)
            rows.append(row)
        return TokenStatistics.of(rows)

    def weights(self):
        return {"logits": np.zeros(3, np.float32)}


def loss_at(monkeypatch, method, logits, forget, retain, **options):
    """The loss that a method hands to the tuning, and its gradient, where the model has these logits."""
    model, seen = coin(logits), {}

    def tune(target, loss, **_):
        seen["loss"] = loss(model, 0)

    monkeypatch.setitem(method.__globals__, "tune", tune)
    method(Toy(), forget, retain, rng=keyed("coin"), steps=1, **options)
    seen["loss"].backward()
    return float(seen["loss"].detach()), model.logits.grad.numpy().copy()


def logp(logits, letters):
    """Σ log p of the letters, and its gradient, by hand."""
    shifted = np.asarray(logits, np.float64) - max(logits)
    log_softmax = shifted - np.log(np.exp(shifted).sum())
    counts = np.array([letters.count(letter) for letter in "abc"])
    return float(counts @ log_softmax), counts - len(letters) * np.exp(log_softmax)


def kl_from_start(logits):
    """KL(uniform ‖ softmax(logits)), by hand."""
    return float(np.mean([np.log(1 / 3) - logp(logits, letter)[0] for letter in "abc"]))
