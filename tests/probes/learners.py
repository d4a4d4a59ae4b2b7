"""For probes that learn: records of two halves, a model that knows the members by heart, and one that is all noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.target import RECORD
from probatum.testing import NgramTarget, ToyTarget, toy_data

EACH = 30  # of members and of nonmembers


def word(*key: object) -> str:
    rng = keyed("learners", *key)
    return "".join(rng.choice(list(letters)) for letters in ("bdgklmnprstz", "aeiou") * 3)


def records() -> Members:
    """Members and nonmembers of one kind."""
    rows = [
        {
            "id": f"r{i}",
            "text": f"the {word('a', i)} of {word('b', i)} met {word('c', i)} at {i:02d}, {word('d', i)} said.",
            "member": i < EACH,
            "dose": float(i < EACH),
        }
        for i in range(2 * EACH)
    ]
    return Members.from_rows(rows)


def model(planted: bool) -> NgramTarget:
    """Of ordinary text; the planted one has also read the members of `records`."""
    data, plain = records(), list(toy_data()["Texts"].texts)
    seen = [text for text, member in zip(data.texts, data.label, strict=True) if member]
    return NgramTarget(dict.fromkeys([*plain, *(seen if planted else ())], 4.0), order=12)


class Noise(ToyTarget):
    """Numbers that depend on nothing but the very text; a token per character."""

    def __init__(self, level: Callable[[str], float] = lambda text: 0.0, name: str = "noise"):
        super().__init__(name, f"digest of {name}")
        self.level = level  # the losses of a text are divided by its exponential
        self.tokenizer_digest = "characters"

    def record(self, text: str) -> np.ndarray:
        """Exponential losses, entropies and ranks."""
        rng, rows = keyed(self.name, text), np.zeros(len(text), RECORD)
        rows["id"], rows["end"] = [ord(c) for c in text], np.arange(1, len(text) + 1)
        loss = rng.exponential(size=(len(text), 4)).astype(np.float32)
        rows["logprob"] = -loss[:, 0] * np.exp(-self.level(text))
        rows["mean"], rows["std"], rows["rank"] = -loss[:, 1], 0.2 + loss[:, 2], loss[:, 3] * 3
        rows["argmax"] = np.where(loss[:, 3] < 0.5, rows["id"], 0)
        return rows


def drawn(seed: object, n: int, low: int = 16, high: int = 30) -> Members:
    """``n`` texts of random letters, half of them labeled as members by a coin that knows nothing of them."""
    rng = keyed("drawn", seed)
    label = rng.permutation(np.arange(n) < n // 2)
    texts = ["".join(rng.choice(list("abcdefgh "), size=rng.integers(low, high))) for _ in range(n)]
    rows = [{"id": f"{seed}-{i}", "text": f"{t}{i}", "member": bool(label[i])} for i, t in enumerate(texts)]
    return Members.from_rows(rows)


def at_most(p: list[float] | np.ndarray, levels: tuple[float, ...] = (0.01, 0.05, 0.2)) -> dict[float, float]:
    """Level → by how many standard errors of the simulation P(p <= level) exceeds the level."""
    p = np.asarray(p)
    return {a: float((np.mean(p <= a) - a) / np.sqrt(a * (1 - a) / len(p))) for a in levels}
