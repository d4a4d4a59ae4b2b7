"""LoRA around a model that is to be tuned in little memory; peft does the work, and is asked for only here."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from probatum.core.errors import BadInput, NotOffered

RANK = 16


def adapted(model: Any, *, seed: int, rank: int = RANK) -> Any:
    """The model with pairs of matrices of ``rank`` beside all its linear layers but the output; only these are trained.

    Raises
    ------
    BadInput
        peft is not installed.
    NotOffered
        peft does not know how to adapt this architecture.
    """
    import torch

    try:
        peft: Any = importlib.import_module("peft")
    except ImportError as error:
        raise BadInput(
            "tuning with LoRA needs the extra probatum[train] (peft); install it, or give more memory or time for "
            "tuning all weights"
        ) from error
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear")
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that Conv1D is stored the other way round, which peft then heeds
        torch.manual_seed(seed)
        try:
            return peft.get_peft_model(model, config)
        except (ValueError, RuntimeError, TypeError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise NotOffered(f"peft cannot adapt this model ({first})") from error


def merged(model: Any) -> Any:
    """The model with what was learned added to its weights."""
    return model.merge_and_unload()
