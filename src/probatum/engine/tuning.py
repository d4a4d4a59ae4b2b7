"""A short tuning of a copy of the model, for protections and controls: batches, summed log-probabilities, the loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.change import Change
from probatum.core.errors import NotOffered, ProbatumError
from probatum.core.target import Target

#: Logits that exist at the same time while a gradient is taken, in numbers; 2**26 of them are 0.25 GB, several times.
_LOGITS = 1 << 26
#: Bytes per parameter of AdamW in float32: weight, gradient and two moments.
ADAMW_BYTES = 16


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


def stepper(model: Any, *, learning_rate: float, warmup: int = 10) -> Callable[[Sequence[np.ndarray]], float]:
    """``step(rows)``: one step of AdamW on the mean loss of the rows (gradients added up over pieces), which it gives.

    The rate rises over ``warmup`` steps and is constant then; no weight decay, no dropout, gradients clipped at 1.
    Only parameters with ``requires_grad`` are changed; a rate of 0 changes none, which is how a step is timed.

    Raises
    ------
    ProbatumError
        The loss is no number any more, or memory runs out (`NotOffered`).
    """
    import torch

    model.train(False)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.0)
    done = 0

    def step(rows: Sequence[np.ndarray]) -> float:
        nonlocal done
        done += 1
        optimizer.param_groups[0]["lr"] = learning_rate * min(1.0, done / warmup)
        optimizer.zero_grad(set_to_none=True)
        value = 0.0
        try:
            for piece in _pieces(model, rows):
                loss = mean_loss(model, piece) * (len(piece) / len(rows))
                loss.backward()
                value += float(loss.detach())
            if not np.isfinite(value):
                raise ProbatumError("the loss of the tuned copy is no number any more; try --dtype float32")
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if "memory" not in str(error).lower() and not isinstance(error, MemoryError):
                raise
            raise NotOffered("memory ran out while a copy of the model was tuned") from error
        return value

    return step


def read_back(model: Any, rows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per row, for every token but the first: its log-probability, and whether it is the likeliest there."""
    import torch

    answers = []
    with torch.no_grad():
        for piece in _pieces(model, rows):
            ids, mask = _padded(model, piece)
            logprob = _log_softmax(model, ids, mask)
            own = logprob.gather(-1, ids[:, 1:, None])[..., 0]
            likeliest = logprob.argmax(-1) == ids[:, 1:]
            for i, row in enumerate(piece):
                n = len(row) - 1
                answers.append((own[i, :n].cpu().numpy(), likeliest[i, :n].cpu().numpy()))
    return answers


def _pieces(model: Any, rows: Sequence[np.ndarray]) -> Iterator[Sequence[np.ndarray]]:
    """The rows, as many at a time as leave room for their logits."""
    tokens = max(1, _LOGITS // int(model.config.get_text_config().vocab_size))
    begin, longest = 0, 0
    for i, row in enumerate(rows):
        longest = max(longest, len(row))
        if i > begin and longest * (i - begin + 1) > tokens:
            yield rows[begin:i]
            begin, longest = i, len(row)
    if begin < len(rows):
        yield rows[begin:]


def write(model: Any, directory: Path, dtype: str) -> None:
    """Save weights and configuration as transformers does, in ``dtype``, without its progress bar."""
    import torch
    import transformers

    logging: Any = transformers.utils.logging
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model.to(getattr(torch, dtype)).save_pretrained(directory)
    finally:
        if bars:
            logging.enable_progress_bar()


def free_bytes(device: str) -> int:
    """Memory that is free there: on a GPU what its driver says, else what this process may still take."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    free = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free.append(1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")))
        group = Path("/sys/fs/cgroup")  # a container may be given less than the machine has
        free.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError, StopIteration):
        pass
    if not free and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        free.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return max(0, min(free, default=4 << 30))
