"""Opening a model with transformers: from this disk only, safetensors only, no random parts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput


def load(
    path: Path,
    dtype: str,
    device: str,
    trust_remote_code: bool,
    opener: str = "AutoModelForCausalLM",
    kind: str = "a causal language model",
) -> Any:
    """A model in evaluation mode on its device, without gradients; ``opener`` is a class of transformers.

    Raises
    ------
    BadInput
        transformers cannot open it as a model of this kind, or weights are missing that it would make up.
    """
    import torch
    import transformers

    if threads := os.environ.get("PROBATUM_THREADS"):
        torch.set_num_threads(int(threads))
    logging: Any = transformers.utils.logging
    bars, loud = logging.is_progress_bar_enabled(), logging.get_verbosity()
    # The session shows progress, and what is wrong with a model is said here, in one sentence.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        model, info = _open(getattr(transformers, opener), path, getattr(torch, dtype), trust_remote_code)
        model = model.to(device)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError) as error:
        if "ignore_mismatched_sizes" in str(error):
            raise BadInput(f"{path}: weights are of the wrong shape for config.json; copy both again") from error
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise BadInput(f"{path}: transformers cannot open it as {kind} ({first})") from error
    finally:
        logging.set_verbosity(loud)
        if bars:
            logging.enable_progress_bar()
    lost = [*info.get("missing_keys", ()), *(m[0] for m in info.get("mismatched_keys", ()))]
    if lost:
        raise BadInput(
            f"{path}: {len(lost)} weights are missing or of the wrong shape (such as {sorted(lost)[0]}), and random "
            f"ones would stand in for them; is it {kind}, and complete?"
        )
    if getattr(model.config, "is_encoder_decoder", False):
        raise BadInput(f"{path}: is an encoder with a decoder; expected {kind}")
    # Padding is ours, on the right and masked by causality; transformers warns of a start token that is also padding.
    logging.get_logger("transformers.modeling_utils").addFilter(_no_padding)
    return model.eval().requires_grad_(False)


def _no_padding(record: Any) -> bool:
    return "attention_mask" not in record.getMessage()


def _open(auto: Any, path: Path, dtype: Any, trust_remote_code: bool) -> tuple[Any, dict[str, Any]]:
    options = {
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": trust_remote_code,
        "dtype": dtype,
        "output_loading_info": True,
    }
    opener = auto.from_pretrained
    try:
        return opener(path, attn_implementation="sdpa", **options)  # type: ignore[no-any-return]
    except ValueError as error:
        if "scaled_dot_product_attention" not in str(error):
            raise
        return opener(path, attn_implementation="eager", **options)  # type: ignore[no-any-return]
