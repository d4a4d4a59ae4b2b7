"""A model directory as it lies on disk: its weights, read one by one without a framework, and its digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.tensors import Weights, read_json

__all__ = ["Weights", "model_digest", "read_config", "read_json", "refuse_quantized", "refuse_whole_numbers",
           "template_digest", "tokenizer_digest", "weight_files"]  # fmt: skip

_WHOLE = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8")
#: What decides how a text is cut into tokens.
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
)  # fmt: skip
#: Settings that change how a tokenizer pads, cuts off or chats, but not how it cuts a text into tokens.
_NOT_CUTTING = (
    "chat_template", "name_or_path", "padding_side", "truncation_side", "model_max_length", "pad_token", "truncation",
    "padding", "model_input_names", "processor_class", "tokenizer_file", "max_length", "stride", "backend", "is_local",
    "local_files_only", "add_bos_token", "add_eos_token",  # no token is added to a text but by our own policy
)  # fmt: skip


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of the model, by name.

    Raises
    ------
    BadInput
        There are none, or one that the index names is missing.
    """
    index = path / "model.safetensors.index.json"
    if (path / "adapter_config.json").is_file() and (index.exists() or (path / "model.safetensors").is_file()):
        # transformers would apply the adapter if peft happens to be installed, and leave it out if not.
        raise BadInput(f"{path}: holds a whole model and an adapter; put the adapter into a directory of its own")
    if index.exists():
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        missing = [n for n in names if not (path / n).is_file()]
        if missing or not names:
            raise BadInput(f"{path}: the index names {missing[0] if missing else 'no file'}, which is not here")
        if any(Path(n).name != n for n in names):
            raise BadInput(f"{index}: names files outside of its directory")
        return [path / n for n in names]
    if (path / "model.safetensors").is_file():
        return [path / "model.safetensors"]
    if any(path.glob("pytorch_model*.bin")) or any(path.glob("*.pt")) or any(path.glob("*.pth")):
        raise BadInput(
            f"{path}: has pickle weights only, and those are never loaded, since opening one can run code; read them "
            f"without unpickling: probatum convert {path} {path}-safe"
        )
    if (path / "adapter_config.json").is_file():
        raise BadInput(f"{path}: is an adapter, not a model; open it with its base, or merge it into its base first")
    if any(path.glob("*.gguf")):
        raise BadInput(f"{path}: has GGUF weights only, which are quantized; open the model that they were made from")
    raise BadInput(f"{path}: no model.safetensors here; expected a Hugging Face model directory with safetensors")


def model_digest(path: Path, files: list[Path]) -> str:
    """SHA-256 over the contents of weights and configuration, whatever they are called."""
    whole = hashlib.sha256()
    extras = [path / name for name in ("config.json", "generation_config.json", "adapter_config.json")]
    for file in [*extras, *files, path / "adapter_model.safetensors"]:
        if file.is_file():
            with file.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        else:
            whole.update(b"absent")
    return whole.hexdigest()


def tokenizer_digest(path: Path) -> str:
    """SHA-256 over what decides how texts are cut into tokens.

    Raises
    ------
    BadInput
        There is no tokenizer here.
    """
    found = [path / name for name in _TOKENIZER_FILES if (path / name).is_file()]
    if not any(f.name not in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json") for f in found):
        raise BadInput(f"{path}: no tokenizer here; expected tokenizer.json (or vocab and merges) beside the weights")
    if (path / "tokenizer.json").is_file():  # the slow tokenizer's files beside it are not read
        found = [f for f in found if f.name.endswith(("tokenizer.json", "_config.json"))]
    whole = hashlib.sha256()
    for file in found:
        raw = file.read_bytes()
        if file.suffix == ".json" and file.name != "vocab.json":
            kept = {key: value for key, value in read_json(file).items() if key not in _NOT_CUTTING}
            raw = json.dumps(_as_it_cuts(kept), sort_keys=True).encode()
        whole.update(file.name.encode() + b"\0" + hashlib.sha256(raw).digest())
    return whole.hexdigest()


def template_digest(path: Path) -> str:
    """SHA-256 of the chat template, which no other digest covers; "" where there is none."""
    file, settings = path / "chat_template.jinja", path / "tokenizer_config.json"
    parts = [
        file.read_text(encoding="utf-8") if file.is_file() else None,
        read_json(settings).get("chat_template") if settings.is_file() else None,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest() if any(parts) else ""


def _as_it_cuts(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what libraries write anew when they save the same tokenizer: a fine-tune cuts texts as its base does."""
    after = settings.get("post_processor")
    if isinstance(after, dict) and after.get("type") == "TemplateProcessing":  # adds special tokens, which we never ask
        settings = {**settings, "post_processor": None}
    if settings.get("tokenizer_class") in ("PreTrainedTokenizerFast", "TokenizersBackend"):  # two names of one class
        settings = {**settings, "tokenizer_class": None}
    return {key: value for key, value in settings.items() if value is not None}


def read_config(path: Path) -> dict[str, Any]:
    """config.json, or a sentence saying that this is not a model directory."""
    if not (path / "config.json").is_file():
        raise BadInput(f"{path}: no config.json here; expected a Hugging Face model directory")
    return read_json(path / "config.json")


def refuse_quantized(path: Path, config: Mapping[str, Any]) -> None:
    """Quantized weights are packed: read as they lie they are not the model's, and opening them needs other libraries.

    Raises
    ------
    BadInput
        The configuration says that the weights are quantized.
    """
    text = config.get("text_config")
    for part in (config, text if isinstance(text, dict) else {}):
        found = part.get("quantization_config")
        if not isinstance(found, dict) or not found:
            continue
        method = str(found.get("quant_method") or "an unnamed method")
        bits = found.get("bits") or (4 if found.get("load_in_4bit") else 8 if found.get("load_in_8bit") else None)
        size = f", {bits} bits" if isinstance(bits, int) else ""
        raise BadInput(
            f"{path}: its weights are quantized ({method}{size}), and only weights in floating point are read; open "
            "the model that it was made from, or save it dequantized (model.dequantize(), then save_pretrained)"
        )


def refuse_whole_numbers(path: Path, weights: Weights) -> None:
    """Packed weights without a word of it in the configuration would be read as numbers that no training ever made.

    Raises
    ------
    BadInput
        A weight is stored as whole numbers.
    """
    packed = next((name for name in weights if name.endswith("weight") and weights.stored(name) in _WHOLE), None)
    if packed is not None:
        raise BadInput(
            f"{path}: {packed} is stored as whole numbers ({weights.stored(packed)}), as quantized weights are, and "
            "only weights in floating point are read; open the model that it was made from, or save it dequantized"
        )
