"""What the files of a model say about it, apart from its card: the other side of a claim."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.documents import Documents
from probatum.files.tensors import Weights

_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length", "seq_length")
#: Task of the hub → how the names of its architectures end.
TASKS = {
    "text-generation": ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"),
    "text-classification": ("ForSequenceClassification",),
    "token-classification": ("ForTokenClassification",),
    "question-answering": ("ForQuestionAnswering",),
    "fill-mask": ("ForMaskedLM",),
    "summarization": ("ForConditionalGeneration",),
    "translation": ("ForConditionalGeneration", "MTModel"),
    "text2text-generation": ("ForConditionalGeneration",),
    "image-classification": ("ForImageClassification",),
    "image-text-to-text": ("ForConditionalGeneration", "ForCausalLM"),
    "automatic-speech-recognition": ("ForCTC", "ForConditionalGeneration", "ForSpeechSeq2Seq"),
    "sentence-similarity": ("Model",),
    "feature-extraction": ("Model",),
}
_KEYS = re.compile(
    r"""^[\s-]*["']?(?P<key>dataset_name|datasets?|dataset_id|train_dataset|model_name_or_path|base_model|"""
    r"""base_model_name_or_path|_name_or_path)["']?\s*[:=]\s*["']?(?P<value>[\w./-]+)""",
    re.MULTILINE,
)


def stored_dtype(d: Documents) -> str | None:
    """The type of most numbers in the safetensors files, as torch calls it; None where there are none."""
    files = [d.folder / name for name in d.names if re.fullmatch(r"[^/]+\.safetensors", name)]
    try:
        found = Weights(files)
        return found.dtype if len(found) else None
    except (BadInput, OSError):
        return None


def context_length(d: Documents) -> int | None:
    """How many tokens the configuration lets the model read at once, rotary scaling included; None if it says none."""
    known = [v for key in _CONTEXT if isinstance(v := d.config.get(key), int) and not isinstance(v, bool) and v > 0]
    if not known:
        return None
    scaling = d.config.get("rope_scaling")
    scaling = scaling if isinstance(scaling, dict) else {}
    factor, original = scaling.get("factor", 1), scaling.get("original_max_position_embeddings", 0)
    if not isinstance(factor, (int, float)) or not isinstance(original, int) or not 1 <= factor <= 1e4:
        factor, original = 1, 0
    # Some configurations give the length before scaling and some after; the longer reading is the charitable one.
    return int(max(*known, original * factor, 0 if original else known[0] * factor))


def named_in_files(d: Documents, *keys: str) -> Iterator[tuple[str, int, str]]:
    """(file, line, name) of every data set or base model that a JSON, YAML or TOML file names under one of ``keys``."""
    for name in d.names:
        if not re.search(r"\.(?:json|ya?ml|toml)$", name) or re.search(
            r"(?:^|/)(?:tokenizer|vocab)|index\.json$", name
        ):
            continue
        text = d.read(name)
        for hit in _KEYS.finditer(text):
            if hit["key"] in keys:
                yield name, text.count("\n", 0, hit.start("key")) + 1, hit["value"]


def same_name(one: str, other: str) -> bool:
    """Whether two names can mean the same thing: the part after the owner, without case, one within the other."""
    a, b = (re.sub(r"[^a-z0-9]", "", name.rstrip("/").split("/")[-1].lower()) for name in (one, other))
    return bool(a and b) and (a.startswith(b) or b.startswith(a))


def is_path(name: str) -> bool:
    """Whether a name is a place on a disk rather than a name on a hub."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or bool(re.search(r"\.\w{2,7}$", name))


def claimed_results(d: Documents) -> list[tuple[str, float]]:
    """(metric, value) of every number in the card's model index."""
    found = []
    index = d.front.get("model-index")
    for model in _dicts(index):
        for result in _dicts(model.get("results")):
            for metric in _dicts(result.get("metrics")):
                value = metric.get("value")
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    found.append((str(metric.get("type", "")).lower(), float(value)))
    return found


def filed_results(d: Documents) -> Iterator[tuple[str, str, float]]:
    """(file, key, value) of the numbers at the top of the files of results."""
    for name in d.names:
        if re.search(r"(?:^|/)\w*results\w*\.json$", name):
            for key, value in d.json(name).items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    yield name, str(key).lower(), float(value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
