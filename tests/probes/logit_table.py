"""A target whose gradients are known in closed form: a softmax over a table of logits, one row for every context."""

import numpy as np

from probatum.core.access import Access
from probatum.core.draws import keyed
from probatum.core.target import Target
from probatum.testing import NgramTarget


class LogitTable(Target):
    """What an n-gram model computes, as softmax(z_c) of the logits z of context c: ∂ℓ/∂z_c = mean over t of p − e_y."""

    kind = "table of logits"
    access = Access.GRADIENTS

    def __init__(self, model: NgramTarget):
        self.model, self.name, self.digest = model, model.name, model.digest

    def gradient(self, text):
        """{context: derivative with respect to its logits}"""
        found = {}
        for i, c in enumerate(text):
            context = self.model.seen(text[:i])
            error = self.model.distribution(context).copy()
            error[self.model.vocabulary.index(c)] -= 1
            found[context] = found.get(context, 0) + error / len(text)
        return found

    def gradient_norms(self, texts):
        squares = [sum(g @ g for g in self.gradient(t).values()) if t else np.nan for t in texts]
        return ("table",), np.array(squares, np.float32)[:, None]

    def gradient_features(self, texts, *, dimension=32, seed=0):
        out = np.full((len(texts), dimension), np.nan, np.float32)
        for row, text in zip(out, texts, strict=True):
            if text:
                row[:] = sum(self._signs(context, dimension, seed) @ g for context, g in self.gradient(text).items())
        return out

    def _signs(self, context, dimension, seed):
        size = (dimension, len(self.model.vocabulary))
        return (keyed("signs", seed, context).integers(2, size=size) * 2 - 1) / np.sqrt(dimension)
