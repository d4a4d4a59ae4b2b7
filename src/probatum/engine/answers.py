"""Facts as rows of tokens in which the answer is marked: what unlearning pushes down, and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.data import Facts
from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.engine.tuning import divergence, sequence_logprob, vocabulary_logprob

#: Bytes that the unchanged model's distributions may take; above that a second model is held instead.
_KEPT_BYTES = 1 << 28


@dataclass(frozen=True)
class Answers:
    """Rows of token ids with the start token, the tokens that count, and what the unchanged model makes of them.

    ``counted[i]`` has the shape of ``rows[i]``; ``before`` is Σ log π₀ over the counted tokens, shape (n,).
    """

    rows: list[np.ndarray]
    counted: list[np.ndarray]
    before: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def logprob(self, model: Any, index: Sequence[int] | np.ndarray) -> tuple[Any, Any]:
        """Σ log π over the answer of every row of ``index``, with gradient, and how many tokens that sums."""
        return sequence_logprob(model, [self.rows[i] for i in index], [self.counted[i] for i in index])

    def ratio(self, model: Any, index: Sequence[int] | np.ndarray) -> tuple[Any, Any]:
        """Σ log π − log π₀ over the answer, with gradient, and how many tokens that sums."""
        import torch

        logprob, tokens = self.logprob(model, index)
        before = torch.tensor(self.before[index], dtype=logprob.dtype, device=logprob.device)
        return logprob - before, tokens

    def loss(self, model: Any, index: Sequence[int] | np.ndarray) -> Any:
        """Mean over the rows of −log π per counted token, a scalar with gradient."""
        logprob, tokens = self.logprob(model, index)
        return -(logprob / tokens.clamp(min=1)).mean()


def answers_of(target: Target, facts: Facts) -> Answers:
    """The facts as they stand: what is counted is the secret; of a plain text, all of it."""
    suffixes = [s or "" for s in facts.suffix or (None,) * len(facts)]
    return answers(target, facts.prefix, facts.secret, suffixes)


def answers(
    target: Target, prefixes: Sequence[str], secrets: Sequence[str], suffixes: Sequence[str] | None = None
) -> Answers:
    """Every ``prefix + secret + suffix`` as a row; a token counts if it lies in the secret, be it in part.

    Raises
    ------
    BadInput
        A secret has no token, or lies wholly beyond the context.
    """
    suffixes = suffixes or [""] * len(prefixes)
    texts = [p + s + e for p, s, e in zip(prefixes, secrets, suffixes, strict=True)]
    rows = target.sequences(texts)
    tokens = target.token_statistics(texts)
    counted, before = [], np.empty(len(texts))
    for i, (row, prefix, secret) in enumerate(zip(rows, prefixes, secrets, strict=True)):
        # The record begins with the first token that has one before it; a text longer than the context goes on.
        end = tokens.end[i][: len(row) - 1]
        start = np.concatenate([[0], end[:-1]]) if len(end) else end
        inside = (end > len(prefix)) & (start < len(prefix) + len(secret))
        if not inside.any():
            raise BadInput(f"record {i + 1} of {len(texts)}: no token of its answer lies within the model's context")
        mask = np.zeros(len(row), bool)
        mask[1 : 1 + len(end)] = inside
        counted.append(mask)
        before[i] = tokens.logprob[i][: len(end)][inside].sum()
    return Answers(rows, counted, before)


class Reference:
    """The unchanged model's next-token distributions on rows: kept as numbers where they fit, else by a second model.

    Kept numbers make KL(π₀ ‖ π) cost one pass a step instead of two, and no second model lies in memory.
    """

    def __init__(self, target: Target, answers: Answers, *, budget: int = _KEPT_BYTES):
        self._answers = answers
        with target.module() as model:
            vocabulary = int(model.config.get_text_config().vocab_size)
            fits = 4 * vocabulary * sum(len(row) for row in answers.rows) <= budget
            self._model = None if fits else model.requires_grad_(False)
            self._kept = vocabulary_logprob(model, answers.rows) if fits else []

    def divergence(self, model: Any, index: Sequence[int] | np.ndarray) -> Any:
        """KL(π₀ ‖ π) per token over all tokens of the rows, a scalar with gradient."""
        rows = [self._answers.rows[i] for i in index]
        return divergence(self._model if self._model is not None else [self._kept[i] for i in index], model, rows)
