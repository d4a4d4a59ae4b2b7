"""Differentially private training (DP-SGD, Abadi et al. 2016, arXiv 1607.00133; of language models Li et al. 2022,
arXiv 2110.05679): Poisson batches of privacy units, clipped sums, Gaussian noise, a divisor that no batch changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.clip_head import Loss
from probatum.engine.clip_plan import Unit
from probatum.engine.clipping import Clipping
from probatum.engine.private_noise import INSECURE, SECURE, Draws, checked_rate
from probatum.engine.private_probe import Sensitivity, sensitivity
from probatum.engine.private_state import Saved, load, save


@dataclass(frozen=True)
class PrivateRun:
    """What was done; nothing in it but ``sensitivity`` was computed from the data.

    Attributes
    ----------
    steps
        Steps whose noisy sum was applied, empty batches included: the T of the accountant.
    starts
        How often the run was started (1 without an interruption).
    divisor
        Expected units a batch, q·n, by which every noisy sum was divided.
    generator
        Where the noise came from, for the certificate.
    secure
        False where a user's seed was used: then no epsilon may be certified.
    sensitivity
        Of the probe on this model, loss and data; None where it was turned off.
    """

    steps: int
    starts: int
    units: int
    sample_rate: float
    noise_multiplier: float
    max_grad_norm: float
    divisor: float
    loss: str
    optimizer: str
    learning_rate: float
    autocast: str | None
    generator: str
    secure: bool
    sensitivity: Sensitivity | None


def private_steps(
    model: Any,
    units: Sequence[Unit],
    *,
    sample_rate: float,
    noise_multiplier: float,
    max_grad_norm: float,
    steps: int,
    learning_rate: float,
    optimizer: str = "adamw",
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    loss: str | Loss = "mean",
    autocast: str | None = None,
    byte_budget: int | None = None,
    tokens: int | None = None,
    state: Path | None = None,
    save_every: int = 10,
    insecure_seed: int | None = None,
    probe: bool = True,
    plant: Callable[[int, Mapping[str, Any]], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    name: str = "the model",
) -> PrivateRun:
    """Train the trainable parameters of ``model`` in place, privately with respect to one unit added or removed.

    Parameters
    ----------
    units
        Privacy units, each the token ids of its rows (one row for records, all rows of a person for users).
    sample_rate, noise_multiplier, max_grad_norm, steps
        q, σ, C and T: each unit is in each batch with probability q; noise of standard deviation σ·C.
    optimizer
        ``"adamw"`` or ``"sgd"`` (with ``momentum``); the learning rate is constant.
    loss, autocast, byte_budget, tokens
        As `Clipping` has them. A batch is any number of microbatches, whose clipped sums add up.
    state
        File to go on from and to save to, every ``save_every`` steps and at the end; removed by the caller.
    insecure_seed
        Makes batches and noise repeatable, for tests; the run is then no longer private.
    plant
        Called as ``plant(step, sums)``: adds to the clipped sums what depends on no record (`planting`).
    progress
        Called as ``progress(step, steps)``. No loss is told: that of private data is itself a release.

    Raises
    ------
    BadInput
        A number out of range, a parameter that cannot be clipped, a state of another run, or a clipped sum that one
        unit moves by more than C.
    """
    import torch

    _refuse(units, noise_multiplier, steps, learning_rate, save_every, optimizer)
    divisor = checked_rate(sample_rate) * len(units)
    clipping = Clipping(model, name=name, loss=loss, byte_budget=byte_budget, tokens=tokens, autocast=autocast)
    trainable = clipping.layers.trainable
    _refuse_half(trainable, name)
    made = _optimizer(torch, optimizer, list(trainable.values()), learning_rate, weight_decay, momentum)
    options = {
        "data": _digest(units),
        "sample_rate": sample_rate,
        "noise_multiplier": noise_multiplier,
        "max_grad_norm": max_grad_norm,
        "steps": steps,
        "learning_rate": learning_rate,
        "optimizer": [optimizer, weight_decay, momentum],
        "loss": _said(loss),
        "autocast": autocast,
        "insecure_seed": insecure_seed,
        "parameters": {key: list(p.shape) for key, p in trainable.items()},
    }
    saved = load(state, options, trainable, made) if state is not None else None
    saved = saved or Saved(0, 0, options, None)
    saved.starts += 1
    found = None
    if probe:
        found = sensitivity(clipping, units, max_grad_norm, np.random.default_rng())
        found.require()
    draws = Draws(torch, clipping.device, insecure_seed, saved.sampler_key)
    saved.sampler_key = draws.sampler_key if saved.step < steps else None
    if state is not None:
        save(state, saved, trainable, made)  # from here on batches are fixed
    sums = clipping.zeros()
    for step in range(saved.step, steps):
        batch = draws.batch(step, len(units), sample_rate)
        for total in sums.values():
            total.zero_()
        clipping([units[i] for i in batch], max_grad_norm, sums)
        if plant is not None:
            plant(step, sums)
        # Also when the batch is empty: a step without noise would tell that it was, and the accountant counts on both.
        draws.add_noise(step, sums, noise_multiplier * max_grad_norm)
        for key, parameter in trainable.items():
            parameter.grad = sums[key].div_(divisor)
        made.step()
        made.zero_grad(set_to_none=True)
        saved.step = step + 1
        if saved.step == steps:
            saved.sampler_key = None
        if state is not None and (saved.step == steps or saved.step % save_every == 0):
            save(state, saved, trainable, made)
        if progress is not None:
            progress(saved.step, steps)
    secure = insecure_seed is None
    return PrivateRun(saved.step, saved.starts, len(units), sample_rate, noise_multiplier, max_grad_norm, divisor,
                      _said(loss), optimizer, learning_rate, autocast, SECURE if secure else INSECURE, secure,
                      found)  # fmt: skip


def _refuse(units: Sequence[Unit], sigma: float, steps: int, rate: float, save_every: int, optimizer: str) -> None:
    if not units:
        raise BadInput("private training needs at least one privacy unit")
    if not sigma > 0:
        raise BadInput(f"noise_multiplier: expected a number above 0, got {sigma}; without noise nothing is private")
    if steps < 1 or save_every < 1:
        raise BadInput(f"steps and save_every: expected 1 or more, got {steps} and {save_every}")
    if not rate > 0:
        raise BadInput(f"learning_rate: expected a number above 0, got {rate}")
    if optimizer not in ("adamw", "sgd"):
        raise BadInput(f'optimizer: expected "adamw" or "sgd", got {optimizer!r}')


def _refuse_half(trainable: Mapping[str, Any], name: str) -> None:
    for key, parameter in trainable.items():
        if parameter.dtype.itemsize < 4:
            raise BadInput(
                f"{name}: {key} is trainable in {str(parameter.dtype).removeprefix('torch.')}, which swallows small "
                'steps; open the model in float32 and ask for autocast="bfloat16"'
            )


def _optimizer(torch: Any, kind: str, parameters: list[Any], rate: float, decay: float, momentum: float) -> Any:
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=momentum)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)


def _said(loss: str | Loss) -> str:
    per = "of −log p over the tokens of a row, summed over the rows of a unit"
    return f"{loss} {per}" if isinstance(loss, str) else f"{getattr(loss, '__qualname__', 'a function')} of a row"


def _digest(units: Sequence[Unit]) -> str:
    made = hashlib.sha256()
    for rows in units:
        made.update(len(rows).to_bytes(8, "big"))
        for row in rows:
            made.update(len(row).to_bytes(8, "big") + np.ascontiguousarray(row, np.int64).tobytes())
    return made.hexdigest()
