"""A short tuning of a copy of the model, for protections and controls: batches, summed log-probabilities, the loop."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.change import Change
from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.target import Target

#: Logits that exist at the same time while a gradient is taken, in numbers; 2**26 of them are 0.25 GB, several times.
_LOGITS = 1 << 26
#: Bytes per parameter of AdamW in float32: weight, gradient and two moments.
ADAMW_BYTES = 16
#: Seconds between two states of a tuning that can be resumed.
_SAVE_SECONDS = 30.0


def schedule(n: int, size: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Which rows each step sees, shape (steps, min(size, n)): fresh shuffles, one after the other.

    It is drawn before the first step, so that a run that was interrupted goes on with the batches it would have seen.
    """
    size = min(size, n)
    rounds = -(-steps // (n // size)) if steps else 0
    order = [rng.permutation(n)[: n // size * size].reshape(-1, size) for _ in range(rounds)]
    return np.concatenate(order)[:steps] if order else np.empty((0, size), np.int64)


def sequence_logprob(
    model: Any, rows: Sequence[np.ndarray], counted: Sequence[np.ndarray] | None = None
) -> tuple[Any, Any]:
    """Σ_t log p(x_t | x_<t) of every row, shape (n,), with gradient, and how many tokens each sums.

    ``counted`` marks in every row the tokens that are summed; without it, all. Log-probabilities, not logits: a
    published implementation of NPO sums raw logits, which is another loss.
    """
    import torch

    ids, mask = _padded(model, rows)
    scored = mask
    if counted is not None:
        scored = torch.zeros_like(mask)
        for i, marks in enumerate(counted):
            scored[i, : len(marks)] = torch.from_numpy(marks)
    logprob = _log_softmax(model, ids, mask).gather(-1, ids[:, 1:, None])[..., 0]
    return (logprob * scored[:, 1:]).sum(1), scored[:, 1:].sum(1)


def mean_loss(model: Any, rows: Sequence[np.ndarray]) -> Any:
    """Mean over rows of −log p per token, a scalar with gradient."""
    total, tokens = sequence_logprob(model, rows)
    return -(total / tokens.clamp(min=1)).mean()


def divergence(before: Any, model: Any, rows: Sequence[np.ndarray]) -> Any:
    """KL(π₀ ‖ π) per token, averaged over all tokens of the rows: how far the model has moved on them.

    ``before`` is the unchanged model, or what `vocabulary_logprob` gave for these rows.
    """
    import torch

    ids, mask = _padded(model, rows)
    after = _log_softmax(model, ids, mask)
    if isinstance(before, list):
        first = torch.zeros_like(after)
        for i, kept in enumerate(before):
            first[i, : len(kept)] = kept.to(after.device)
    else:
        with torch.no_grad():
            first = _log_softmax(before, ids, mask)
    kl = (first.exp() * (first - after)).sum(-1)
    return (kl * mask[:, 1:]).sum() / mask[:, 1:].sum().clamp(min=1)


def vocabulary_logprob(model: Any, rows: Sequence[np.ndarray]) -> list[Any]:
    """log p of every next token after every token of every row but its last: tensors (length − 1, vocabulary)."""
    import torch

    kept = []
    with torch.no_grad():
        for piece in _pieces(model, rows):
            logprob = _log_softmax(model, *_padded(model, piece)).cpu()
            kept += [logprob[i, : len(row) - 1].clone() for i, row in enumerate(piece)]
    return kept


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


@dataclass
class Supervision:
    """What the one who asked for a tuning gives it: a folder to resume from, and someone to tell."""

    folder: Path | None = None
    progress: Callable[[str, int, int], None] | None = None
    begun: int = 0  #: tunings so far; a method may have several


_SUPERVISION: ContextVar[Supervision | None] = ContextVar("supervision", default=None)


@contextmanager
def supervised(
    folder: Path | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Iterator[Supervision]:
    """Within the block every `tune` writes its state to ``folder`` now and then, and goes on from what lies there.

    A method knows nothing of folders; the runner that calls it does.
    """
    own = Supervision(folder, progress)
    token = _SUPERVISION.set(own)
    try:
        yield own
    finally:
        _SUPERVISION.reset(token)


def supervision() -> Supervision:
    """What the caller of the method that is running gave; nothing by default."""
    return _SUPERVISION.get() or Supervision()


def tune(
    target: Target,
    loss: Callable[[Any, int], Any],
    *,
    steps: int,
    learning_rate: float,
    rank: int = 0,
    only: Callable[[str], bool] | None = None,
    weight_decay: float = 0.0,
) -> Change:
    """Run ``steps`` of AdamW on a copy of the model; ``loss(model, step)`` gives a scalar with gradient.

    Constant learning rate, gradients clipped at 1. Fixed steps, never "until the goal is reached": a run that stops as
    soon as recall is down leaves a model that has collapsed elsewhere.

    Parameters
    ----------
    rank
        Above 0: only a LoRA of this rank is trained, and merged at the end.
    only
        Which parameters are trained, by name; default all.

    Raises
    ------
    ProbatumError
        The loss is no number any more, or no parameter moved.
    """
    import torch

    watch = supervision()
    watch.begun += 1
    state = watch.folder / f"tuning-{watch.begun}.safetensors" if watch.folder else None
    with target.module() as model:
        if rank:
            from probatum.engine.lora import adapted

            model = adapted(model, seed=0, rank=rank)
        elif only is not None:
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(only(name))
        model.train(False)  # no dropout: the loss compares with log-probabilities taken without it
        trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        optimizer = torch.optim.AdamW(trained.values(), lr=learning_rate, weight_decay=weight_decay)
        seen = _resume(state, trained, optimizer)
        saved = time.monotonic()
        for step in range(len(seen), steps):
            optimizer.zero_grad(set_to_none=True)
            value = loss(model, step)
            value.backward()
            seen.append(round(float(value.detach()), 6))
            if not np.isfinite(seen[-1]):
                raise ProbatumError(
                    f"the loss is no number any more after {step} of {steps} steps; lower the learning rate "
                    f"(it was {learning_rate:g})"
                )
            torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
            optimizer.step()
            if watch.progress is not None:
                watch.progress("step", step + 1, steps)
            if state is not None and time.monotonic() - saved > _SAVE_SECONDS:
                _save(state, trained, optimizer, seen)
                saved = time.monotonic()
        if state is not None:
            _save(state, trained, optimizer, seen)
        if rank:
            from probatum.engine.lora import merged

            model = merged(model)
        return Change(as_on_disk(model, target.weights()), {"loss": seen})


def as_on_disk(model: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The model's tensors by the names on disk, which transformers may change when it reads them (GPT-NeoX's head), and
    which may lack the prefix of the body (GPT-2 on the hub).

    Raises
    ------
    ProbatumError
        A parameter has no name there, so that what it learned would be lost.
    """
    own, prefix = _as_saved(model), f"{getattr(model, 'base_model_prefix', '')}."
    called = {k: next((n for n in (k, prefix + k, k.removeprefix(prefix)) if n in own), None) for k in names}
    kept = {own[name].data_ptr() for name in called.values() if name is not None}  # tied ones have one place
    kept |= {buffer.data_ptr() for buffer in model.buffers()}
    lost = [name for name, value in own.items() if value.data_ptr() not in kept]
    if lost:
        raise ProbatumError(f"the files of this model do not hold {lost[0]}, so what it learned cannot be saved")
    return {k: own[name].detach().float().cpu().numpy() for k, name in called.items() if name is not None}


def trained_on_disk(model: Any, trainable: Mapping[str, Any], names: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """{name on disk: (name in the model, parameter)} of the parameters that are trained.

    Raises
    ------
    BadInput
        A parameter is saved in another form, so that a direction of it would not be found again.
    """
    own, prefix = _as_saved(model), f"{getattr(model, 'base_model_prefix', '')}."
    at = {(p.data_ptr(), tuple(p.shape)): (key, p) for key, p in trainable.items()}
    found: dict[str, tuple[str, Any]] = {}
    for k in sorted(names):
        name = next((n for n in (k, prefix + k, k.removeprefix(prefix)) if n in own), None)
        place = None if name is None else at.pop((own[name].data_ptr(), tuple(own[name].shape)), None)
        if place is not None:
            found[k] = place
    if at:
        raise BadInput(f"{next(iter(at.values()))[0]} is saved in another form than it is trained in")
    return found


def _as_saved(model: Any) -> dict[str, Any]:
    """The model's tensors with what transformers did to names and shapes on reading undone, as when it saves them."""
    if not getattr(model, "_weight_conversions", None):
        return dict(model.state_dict())
    from transformers.core_model_loading import revert_weight_conversion

    return dict(revert_weight_conversion(model, model.state_dict()))


def _save(file: Path, trained: Mapping[str, Any], optimizer: Any, seen: Sequence[float]) -> None:
    """Parameters and moments, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {f"weight/{n}": p.detach().cpu().contiguous() for n, p in trained.items()}
    for name, parameter in trained.items():
        for key in ("exp_avg", "exp_avg_sq"):
            if key in optimizer.state[parameter]:
                tensors[f"{key}/{name}"] = optimizer.state[parameter][key].detach().cpu().contiguous()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    save_file(tensors, part, metadata={"loss": json.dumps(list(seen))})
    part.replace(file)


def _resume(file: Path | None, trained: Mapping[str, Any], optimizer: Any) -> list[float]:
    """The losses of the steps that were done, with parameters and moments put back; none where nothing lies there."""
    if file is None or not file.is_file():
        return []
    import torch
    from safetensors import safe_open

    with safe_open(file, "pt") as stored, torch.no_grad():
        seen: list[float] = json.loads(stored.metadata()["loss"])
        there = set(stored.keys())
        for name, parameter in trained.items():
            parameter.copy_(stored.get_tensor(f"weight/{name}").to(parameter.device))
            if f"exp_avg/{name}" in there:
                moments = {k: stored.get_tensor(f"{k}/{name}").to(parameter.device) for k in ("exp_avg", "exp_avg_sq")}
                optimizer.state[parameter] = {"step": torch.tensor(float(len(seen))), **moments}
    return seen


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
