"""What a model claims, held against its own files: only what can be read without running anything.

A claim is what one document says and another place can answer: the card against the configuration, the configuration
against the tensors. What neither says is no claim, and what cannot be compared is left out.
"""

from __future__ import annotations

import re

from probatum.scan.finding import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probatum.scan.facts import Facts

_EMBEDDINGS = re.compile(r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|tok_embeddings|embed_in)\.weight$")
_LAYER = re.compile(r"^(.*?(?:^|\.)(?:layers|layer|h|blocks|block))\.(\d{1,5})\.")
_SCALE = {"k": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12}
_PARAMETERS = re.compile(
    r"(?<![\dx.×-])(\d{1,4}(?:\.\d{1,3})?)[ -]?(k|m|million|b|bn|billion|t|trillion)[ -](?:model )?param(?:eter)?s?\b",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"(?:context|sequence)[ -](?:length|window|size)[^\n\d]{0,40}?(\d{1,3}(?:,\d{3})+|\d{3,9}|\d{1,4} ?k)\b"
    r"|(\d{1,3}(?:,\d{3})+|\d{3,9}|\d{1,4} ?k)(?:[ -]tokens?)?[ -]context",
    re.IGNORECASE,
)
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "float": "F32", "half": "F16"}
_FLOATS = {"F64", "F32", "F16", "BF16"}
_LENGTHS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "n_ctx", "seq_length")
_WIDTHS = ("hidden_size", "n_embd", "d_model", "dim", "embedding_size", "word_embed_proj_dim")


class Claim:
    """One claim: what, what is said and where, what the other place says and where, and whether both agree."""

    __slots__ = ("by", "found", "holds", "place", "said", "what")

    def __init__(self, what: str, said: object, by: str, found: object, place: str, holds: bool) -> None:
        self.what, self.by, self.place, self.holds = what, by, place, holds
        self.said, self.found = _shown(said), _shown(found)

    def sentence(self) -> str:
        """The claim and the answer, for one line of a terminal."""
        return f"{self.what}: {self.by} says {self.said}, {self.place} {self.found}"

    def to_json(self) -> dict[str, Any]:
        names = ("what", "said", "by", "found", "place", "holds")
        return {name: getattr(self, name) for name in names}


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else printable(str(value)[:80])


def check(facts: Facts) -> list[Claim]:
    """All claims that can be compared, in a fixed order."""
    from probatum.scan.name_claims import name_claims

    parts = (_license, _parameters, name_claims, _dtype, _context, _vocabulary, _width, _layers, _index)
    return [claim for part in parts for claim in part(facts)]


def _license(facts: Facts) -> Iterator[Claim]:
    from probatum.scan.facts import texts

    name, known = facts.license_file
    said = [t.lower() for t in texts(facts.front.get("license"))]
    if said and known:
        family = known.split("-")[0]
        agrees = any(s.startswith(family) or (family == "openrail" and family in s) for s in said)
        yield Claim("license", ", ".join(said), "the card", known, printable(name), agrees)


def _parameters(facts: Facts) -> Iterator[Claim]:
    """A rounded number in words: right if it is within its last digit and ten percent of the count."""
    count = sum(facts.tensors.numbers.values())
    if not count or facts.tensors.dtype not in _FLOATS:  # packed types hold several numbers in one
        return
    found = _PARAMETERS.search(facts.card[:200_000])
    if found is not None:
        scale = _SCALE[found[2].lower()]
        digit = 10.0 ** -len(found[1].partition(".")[2])
        near = abs(float(found[1]) * scale - count) <= digit * scale / 2 + 0.1 * count
        yield Claim("parameters", f"{found[1]} {found[2]}", "the card", count, "the tensors hold", near)


def _dtype(facts: Facts) -> Iterator[Claim]:
    said = str(facts.config.get("dtype", facts.config.get("torch_dtype", ""))).removeprefix("torch.")
    if said in _DTYPES and facts.tensors.dtype and "quantization_config" not in facts.config:
        found = facts.tensors.dtype
        yield Claim("dtype", said, "config.json", found, "most tensors are", found == _DTYPES[said])


def _context(facts: Facts) -> Iterator[Claim]:
    length = facts.number(*_LENGTHS)
    if length is None:
        return
    found = _CONTEXT.search(facts.card[:200_000])
    if found is not None:
        said = _count(found[1] or found[2])
        near = abs(said - length) <= 0.05 * length or said <= length
        yield Claim("context length", said, "the card", length, "config.json", near)
    most = facts.tokenizer.get("model_max_length")
    if type(most) is int and 0 < most < 10**9:
        yield Claim("longest text", most, "tokenizer_config.json", length, "config.json", most <= length)


def _count(text: str) -> int:
    """ "128k" means 128 · 1024 to some and 128,000 to others: the smaller."""
    digits = text.lower().replace(",", "").replace(" ", "")
    return int(digits[:-1]) * 1000 if digits.endswith("k") else int(digits)


def _embedding(facts: Facts) -> tuple[int, int] | None:
    for name, shape in facts.tensors.shapes.items():
        if len(shape) == 2 and _EMBEDDINGS.search(name):
            return shape[0], shape[1]
    return None


def _vocabulary(facts: Facts) -> Iterator[Claim]:
    said, found = facts.number("vocab_size"), _embedding(facts)
    if said is not None and found is not None:
        yield Claim("vocabulary", said, "config.json", found[0], "the embedding has", said == found[0])


def _width(facts: Facts) -> Iterator[Claim]:
    widths = {n for key in _WIDTHS if (n := facts.number(key)) is not None}
    found = _embedding(facts)
    if widths and found is not None:
        said = ", ".join(f"{n:,}" for n in sorted(widths))
        yield Claim("width", said, "config.json", found[1], "the embedding has", found[1] in widths)


def _layers(facts: Facts) -> Iterator[Claim]:
    """The longest stack of numbered layers. An encoder and a decoder are two stacks, and are not compared."""
    said = facts.number("num_hidden_layers", "n_layer", "num_layers", "n_layers")
    stacks: dict[str, set[str]] = {}
    for name in facts.tensors.shapes:
        found = _LAYER.match(name)
        if found is not None:
            stacks.setdefault(found[1], set()).add(found[2])
    if said is None or len(stacks) != 1 or facts.config.get("is_encoder_decoder"):
        return
    count = len(next(iter(stacks.values())))
    extra = facts.number("num_nextn_predict_layers") or 0
    yield Claim("layers", said, "config.json", count, "the tensors make", count in (said, said + extra))


def _index(facts: Facts) -> Iterator[Claim]:
    weight_map, metadata = facts.index.get("weight_map"), facts.index.get("metadata")
    by = "model.safetensors.index.json"
    if isinstance(weight_map, dict):
        named = {str(name) for name in weight_map.values()}
        missing = sorted(named - set(facts.files))
        there = f"{len(named) - len(missing):,} of them"
        yield Claim("shards", f"{len(named):,} files", by, there, "there are", not missing)
        if not missing and set(facts.tensors.files) == named:
            lost = len(set(map(str, weight_map)) - set(facts.tensors.shapes))
            yield Claim("tensors", len(weight_map), by, len(weight_map) - lost, "the files hold", not lost)
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    if type(total) is int and facts.tensors.files:
        yield Claim("bytes", total, by, facts.tensors.size, "the tensors have", total == facts.tensors.size)
