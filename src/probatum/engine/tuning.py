"""A short tuning of a copy of the model, for protections and controls: batches, summed log-probabilities, the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from probatum.core.change import Change
from probatum.core.target import Target


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Indices without end: a fresh shuffle every round, ``min(size, n)`` at a time."""
    size = min(size, n)
    while True:
        order = rng.permutation(n)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def sequence_logprob(model: Any, rows: Sequence[np.ndarray]) -> tuple[Any, Any]:
    """Σ_t log p(x_t | x_<t) of every row, shape (n,), with gradient, and how many tokens each sums.

    Log-probabilities, not logits: a published implementation of NPO sums raw logits, which is another loss.
    """
    ids, scored = _padded(model, rows)
    logprob = _log_softmax(model, ids, scored).gather(-1, ids[:, 1:, None])[..., 0]
    return (logprob * scored[:, 1:]).sum(1), scored[:, 1:].sum(1)


def mean_loss(model: Any, rows: Sequence[np.ndarray]) -> Any:
    """Mean over rows of −log p per token, a scalar with gradient."""
    total, tokens = sequence_logprob(model, rows)
    return -(total / tokens.clamp(min=1)).mean()


def divergence(frozen: Any, model: Any, rows: Sequence[np.ndarray]) -> Any:
    """KL(π₀ ‖ π) per token, averaged over all tokens of the rows: how far the model has moved on them."""
    import torch

    ids, mask = _padded(model, rows)
    with torch.no_grad():
        before = _log_softmax(frozen, ids, mask)
    after = _log_softmax(model, ids, mask)
    kl = (before.exp() * (before - after)).sum(-1)
    return (kl * mask[:, 1:]).sum() / mask[:, 1:].sum().clamp(min=1)


def _padded(model: Any, rows: Sequence[np.ndarray]) -> tuple[Any, Any]:
    import torch

    device = next(model.parameters()).device
    length = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long, device=device)
    mask = torch.zeros(len(rows), length, dtype=torch.long, device=device)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(row.astype(np.int64))
        mask[i, : len(row)] = 1
    return ids, mask


def _log_softmax(model: Any, ids: Any, mask: Any) -> Any:
    import torch

    return torch.log_softmax(model(input_ids=ids, attention_mask=mask).logits[:, :-1].float(), -1)


def tune(
    target: Target,
    loss: Callable[[Any, int], Any],
    *,
    steps: int,
    learning_rate: float,
    progress: Callable[[str, int, int], None] | None = None,
) -> Change:
    """Run ``steps`` of AdamW on a copy of the model; ``loss(model, step)`` gives a scalar with gradient.

    Constant learning rate, no weight decay, gradients clipped at 1. Fixed steps, never "until the goal is reached":
    a run that stops as soon as recall is down leaves a model that has collapsed elsewhere.
    """
    import torch

    with target.module() as model:
        model.train(False)  # no dropout: the loss compares with log-probabilities taken without it
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
        seen = []
        for step in range(steps):
            optimizer.zero_grad(set_to_none=True)
            value = loss(model, step)
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen.append(round(float(value.detach()), 6))
            if progress is not None:
                progress("step", step + 1, steps)
        named = {k: v.detach().float().cpu().numpy() for k, v in model.state_dict().items()}
        on_disk = target.weights()
        return Change({k: named[k] for k in on_disk if k in named}, {"loss": seen})
