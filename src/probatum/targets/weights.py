"""A model directory as it lies on disk: its weights, read one by one without a framework, and its digests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.errors import BadInput

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U8": "<u1", "BOOL": "<u1",
}  # fmt: skip
_WHOLE = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8")
_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
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
            f"{path}: has pickle weights only, and pickle weights are never loaded because opening one runs code; "
            "convert the model with save_pretrained(..., safe_serialization=True) where you trust it"
        )
    if (path / "adapter_config.json").is_file():
        raise BadInput(f"{path}: is an adapter, not a model; open it with its base, or merge it into its base first")
    if any(path.glob("*.gguf")):
        raise BadInput(f"{path}: has GGUF weights only, which are quantized; open the model that they were made from")
    raise BadInput(f"{path}: no model.safetensors here; expected a Hugging Face model directory with safetensors")


class Weights(Mapping[str, np.ndarray]):
    """Parameters by name; each is read from disk when it is touched, as float32 (whole numbers as they are)."""

    def __init__(self, files: list[Path]):
        self._entries: dict[str, tuple[Path, int, dict[str, Any]]] = {}
        for file in files:
            data, header = _header(file)
            self._entries.update((name, (file, data, entry)) for name, entry in header.items())

    def __getitem__(self, name: str) -> np.ndarray:
        file, data, entry = self._entries[name]
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in _DTYPES:
            raise BadInput(f"{file}: {name} has type {entry['dtype']}, which cannot be read as numbers")
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        if begin == end:
            return np.zeros(shape, np.float32)
        raw = np.memmap(file, dtype, "r", data + begin, shape or (1,)).reshape(shape)
        if entry["dtype"] == "BF16":  # the upper half of a float32
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return np.array(raw, np.float32 if dtype.kind == "f" else dtype)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def parameter_count(self) -> int:
        """Numbers on disk; tensors that are tied are saved, and counted, once."""
        return sum(math.prod(entry["shape"]) for _, _, entry in self._entries.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every tensor; reads none."""
        return {name: tuple(entry["shape"]) for name, (_, _, entry) in self._entries.items()}

    def stored(self, name: str) -> str:
        """The type of a tensor as safetensors calls it, such as BF16."""
        return str(self._entries[name][2]["dtype"])

    @property
    def dtype(self) -> str:
        """The type of most of the numbers, as torch calls it."""
        counts: dict[str, int] = {}
        for _, _, entry in self._entries.values():
            name = _NAMES.get(entry["dtype"], "float32")
            counts[name] = counts.get(name, 0) + math.prod(entry["shape"])
        return max(counts, key=lambda name: counts[name], default="float32")


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


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object, or a sentence saying what is wrong with the file."""
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise BadInput(f"{file}: expected a JSON object, got {type(value).__name__}")
    return value


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where the data begins, and {tensor: entry}; checks that every tensor lies within the file."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > size - 8:
            raise BadInput(
                f"{file}: is truncated or not safetensors ({size} bytes, a header of {length}); copy it again"
            )
        try:
            header = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            last = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
            whole = all(
                0 <= e["data_offsets"][0] <= e["data_offsets"][1]
                and isinstance(e["dtype"], str)
                and isinstance(e["shape"], list)
                for e in header.values()
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(f"{file}: its header is not that of a safetensors file; copy it again") from error
    if not whole or 8 + length + last > size:
        raise BadInput(
            f"{file}: is truncated: {size} bytes here, its header promises {8 + length + last}; copy it again"
        )
    return 8 + length, header
