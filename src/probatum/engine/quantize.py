"""Rounding of weights to few bits: to the nearest level, one step per output channel, embeddings included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probatum.core.errors import BadInput


def matrices(model: Any) -> Iterator[tuple[str, Any, int]]:
    """(name, parameter, axis of the output channels) of every parameter with two axes or more, tied ones once.

    A row of an embedding is a channel, as it is where the same matrix is the output layer.
    """
    from transformers.pytorch_utils import Conv1D

    seen: set[int] = set()
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.dim() >= 2 and id(parameter) not in seen:
                seen.add(id(parameter))
                yield f"{path}.{name}", parameter, 1 if isinstance(module, Conv1D) else 0


def step_of(weight: Any, axis: int, bits: int) -> Any:
    """What two neighboring levels of each channel differ by, broadcastable: max |w| / (2^(bits − 1) − 1)."""
    if not 2 <= bits <= 16:
        raise BadInput(f"weights are rounded to 2 to 16 bits, got {bits}")
    others = [a for a in range(weight.dim()) if a != axis]
    return weight.detach().abs().amax(dim=others, keepdim=True) / (2 ** (bits - 1) - 1)


def levels(weight: Any, step: Any) -> Any:
    """Every weight at its nearest level; a channel of zeros stays."""
    import torch

    scale = torch.where(step > 0, step, torch.ones_like(step))
    return torch.round(weight.detach() / scale) * scale


def quantize(model: Any, bits: int) -> int:
    """Round all matrices of the model in place, and say how many there are; biases and norms stay as they are.

    Symmetric levels, no calibration data: what the simplest of quantizers does to a model that is handed on.
    """
    import torch

    count = 0
    with torch.no_grad():
        for _, weight, axis in matrices(model):
            weight.copy_(levels(weight, step_of(weight, axis, bits)))
            count += 1
    return count
