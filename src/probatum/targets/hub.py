"""A model named on the hub, fetched only because the user named it."""

from __future__ import annotations

from pathlib import Path

from probatum.core.errors import BadInput


def download(name: str) -> Path:
    """The local snapshot of ``ORG/NAME``: safetensors, configuration, tokenizer and card; no code, no pickles."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(name, allow_patterns=["*.safetensors", "*.json", "*.txt", "*.model", "README.md"])
        )
    except Exception as error:  # the hub client raises a dozen kinds; the user needs its one sentence
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"hf:{name} could not be fetched from the hub: {reason}") from error
