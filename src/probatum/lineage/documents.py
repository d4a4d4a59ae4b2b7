"""What two model directories say beside their weights: configuration, tokenizer, template, card, license, files."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.tensors import read_json
from probatum.lineage.licenses import license_of
from probatum.lineage.model import front_matter

#: Settings that say how a model was saved or is run by default; the others make its architecture.
SAVED = (
    "transformers_version", "torch_dtype", "dtype", "_name_or_path", "name_or_path", "use_cache", "return_dict",
    "output_attentions", "output_hidden_states", "initializer_range", "initializer_factor", "gradient_checkpointing",
    "pretraining_tp", "_attn_implementation", "_attn_implementation_autoset", "torchscript", "quantization_config",
)  # fmt: skip
#: Settings of what goes in and comes out.
IO = ("vocab_size", "id2label", "label2id", "num_labels", "problem_type", "bos_token_id", "eos_token_id",
      "pad_token_id", "max_position_embeddings", "n_positions", "image_size", "num_channels")  # fmt: skip
#: P173's categories (arXiv 2411.09645) of what a file or a change touches; the first pattern that fits counts.
CATEGORIES = (
    ("training", ("training_args*", "trainer_state*", "optimizer*", "scheduler*", "rng_state*", "*.log", "runs/*",
                  "events.out*", "all_results.json", "train_results.json")),
    ("parameters", ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf", "*.h5",
                    "*.onnx", "*.msgpack", "*.bin.index.json")),
    ("preprocessing", ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt",
                       "spiece.model", "sentencepiece*", "chat_template*", "preprocessor_config.json",
                       "processor_config.json")),
    ("structure", ("config.json", "adapter_config.json", "modules.json", "*_config.yaml", "model_index.json")),
    ("inference settings", ("generation_config.json",)),
    ("sharing", ("license*", "notice*", "usage_policy*", ".gitattributes", "copying*")),
    ("documentation", ("readme*", "*.md", "*.png", "*.jpg", "*.svg", "*.pdf")),
    ("dependencies", ("requirements*.txt", "environment.y*ml", "pyproject.toml", "setup.py", "dockerfile*")),
    ("code", ("*.py", "*.sh", "*.ipynb", "*.cpp", "*.cu")),
    ("data", ("*.jsonl", "*.csv", "*.parquet", "*.arrow", "dataset*")),
)  # fmt: skip
_LARGEST = 256 << 20  #: bytes of a file that is not weights, beyond which only sizes are compared


@dataclass(frozen=True)
class Change:
    """One difference: ``area`` is its place in the table, ``category`` P173's word, ``a`` and ``b`` the two sides."""

    area: str
    category: str
    what: str
    a: str
    b: str


def document_changes(a: Path, b: Path) -> list[Change]:
    """Everything that differs but the weights, in the order in which a reader wants it.

    The header of a GGUF holds configuration, tokenizer and template, under other names: they are not compared then.
    """
    if any(not (f / "config.json").is_file() and any(f.glob("*.gguf")) for f in (a, b)):
        inside = ("structure", "preprocessing", "inference settings")
        return [*_card(a, b), *(c for c in _files(a, b) if c.category not in inside)]
    return [*_configs(a, b), *_tokenizer(a, b), *_templates(a, b), *_generation(a, b), *_card(a, b), *_files(a, b)]


def category(name: str) -> str:
    """P173's category of a file, by its name."""
    low = name.lower()
    return next((c for c, patterns in CATEGORIES if any(fnmatch.fnmatch(low, p) for p in patterns)), "other")


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if path.stat().st_size > _LARGEST:
        raise BadInput(f"{path}: is too large for a configuration ({path.stat().st_size:,} bytes)")
    return read_json(path)


def _show(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _keys(area: str, kind: str, x: dict[str, Any], y: dict[str, Any], skip: tuple[str, ...] = ()) -> list[Change]:
    names = [n for n in [*x, *(k for k in y if k not in x)] if n not in skip and x.get(n) != y.get(n)]
    return [Change(area, kind, n, _show(x.get(n)), _show(y.get(n))) for n in names]


def _configs(a: Path, b: Path) -> list[Change]:
    out = []
    x, y = _json(a / "config.json"), _json(b / "config.json")
    for change in _keys("architecture", "structure", x, y):
        area = "saved with" if change.what in SAVED or change.what.endswith(("dropout", "_pdrop")) else "architecture"
        area = "input and output" if change.what in IO else area
        out.append(Change(area, "structure", *(getattr(change, f) for f in ("what", "a", "b"))))
    return out


def _tokenizer(a: Path, b: Path) -> list[Change]:
    x, y = _json(a / "tokenizer.json"), _json(b / "tokenizer.json")
    out = []
    own, other = _vocabulary(x), _vocabulary(y)
    if x and y and own != other:
        moved = sum(own[t] != other[t] for t in own.keys() & other.keys())
        parts = (
            ("tokens only here", own.keys() - other.keys(), other.keys() - own.keys()),
            ("tokens of another id", moved, moved),
        )
        for what, mine, theirs in parts:
            if mine or theirs:
                out.append(Change("tokenizer", "preprocessing", what, _tokens(mine), _tokens(theirs)))
    if x and y and (merges := [_merges(x), _merges(y)])[0] != merges[1]:
        mine, theirs = set(merges[0]), set(merges[1])
        what = "merges only here" if mine != theirs else "merges, in another order"
        sizes = (mine - theirs, theirs - mine) if mine != theirs else (mine, theirs)
        out.append(Change("tokenizer", "preprocessing", what, f"{len(sizes[0]):,}", f"{len(sizes[1]):,}"))
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        if x and y and x.get(part) != y.get(part):
            out.append(Change("tokenizer", "preprocessing", part, _show(x.get(part)), _show(y.get(part))))
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"):
        skip = ("chat_template", "name_or_path", "tokenizer_file", "transformers_version")
        out += _keys("tokenizer", "preprocessing", _json(a / name), _json(b / name), skip)
    for name in ("vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "tokenizer.json"):
        sides = [_digest(f / name) for f in (a, b)]
        if sides[0] != sides[1] and (name != "tokenizer.json" or not (x and y)):
            out.append(Change("tokenizer", "preprocessing", name, *(s[:12] or "–" for s in sides)))
    return out


def _vocabulary(tokenizer: dict[str, Any]) -> dict[str, int]:
    model = tokenizer.get("model")
    raw = model.get("vocab") if isinstance(model, dict) else None
    out: dict[str, int] = {}
    if isinstance(raw, dict):
        out = {str(t): i for t, i in raw.items()}
    elif isinstance(raw, list):  # Unigram: [[token, score], …]
        out = {str(e[0]): i for i, e in enumerate(raw) if isinstance(e, list) and e}
    added = tokenizer.get("added_tokens")
    for entry in added if isinstance(added, list) else ():
        if isinstance(entry, dict) and "content" in entry:
            out[str(entry["content"])] = entry.get("id", -1)
    return out


def _merges(tokenizer: dict[str, Any]) -> list[str]:
    model = tokenizer.get("model")
    raw = model.get("merges") if isinstance(model, dict) else None
    return [m if isinstance(m, str) else " ".join(map(str, m)) for m in raw] if isinstance(raw, list) else []


def _tokens(found: Any) -> str:
    if isinstance(found, int):
        return f"{found:,}"
    some = ", ".join(json.dumps(t, ensure_ascii=False) for t in sorted(found)[:3])
    return f"{len(found):,}" + (f" ({some}{', …' if len(found) > 3 else ''})" if found else "")


def _templates(a: Path, b: Path) -> list[Change]:
    sides = []
    for folder in (a, b):
        found = _json(folder / "tokenizer_config.json").get("chat_template")
        for name in ("chat_template.jinja", "chat_template.json"):
            if (folder / name).is_file():
                found = _text(folder / name)
        sides.append(found)
    if sides[0] == sides[1]:
        return []
    size = [f"{len(s):,} characters" if isinstance(s, str) else _show(s) for s in sides]
    if size[0] == size[1]:
        size = [f"{n}, {hashlib.sha256(str(s).encode()).hexdigest()[:8]}" for n, s in zip(size, sides, strict=True)]
    return [Change("chat template", "preprocessing", "chat template", size[0], size[1])]


def _generation(a: Path, b: Path) -> list[Change]:
    name = "generation_config.json"
    return _keys("generation", "inference settings", _json(a / name), _json(b / name), ("transformers_version",))


def _card(a: Path, b: Path) -> list[Change]:
    x, y = front_matter(a / "README.md"), front_matter(b / "README.md")
    out = []
    if license_of(x) != license_of(y):
        sides = (" and ".join(license_of(s)) or "–" for s in (x, y))
        out.append(Change("license", "sharing", "license of the card", *sides))
    for change in _keys("card", "metadata", x, y, ("license",)):
        kind = "data" if change.what in ("datasets", "dataset") else "metadata"
        out.append(Change("card", kind, change.what, change.a, change.b))
    texts = [_text(f / "README.md") for f in (a, b)]
    if texts[0] != texts[1]:
        words = (f"{len(t.split()):,} words" if t else "–" for t in texts)
        out.append(Change("card", "documentation", "README.md", *words))
    return out


def _files(a: Path, b: Path) -> list[Change]:
    own, other = _listing(a), _listing(b)
    out = []
    for name in sorted(own.keys() | other.keys()):
        if name not in own or name not in other:
            sides = (f"{s[name]:,} bytes" if name in s else "–" for s in (own, other))
            out.append(Change("files", category(name), name, *sides))
        elif category(name) != "parameters" and (own[name] != other[name] or _digest(a / name) != _digest(b / name)):
            out.append(Change("files", category(name), name, f"{own[name]:,} bytes", f"{other[name]:,} bytes, changed"))
    return out


def _listing(folder: Path) -> dict[str, int]:
    """{relative name: size} of files; links are named, never followed out of the directory."""
    out: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] in (".git", ".cache", "__pycache__") or len(parts) > 8 or (path.is_symlink() and path.is_dir()):
            continue
        if path.is_file():
            out["/".join(parts)] = path.stat().st_size
    return out


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    if path.stat().st_size > _LARGEST:
        return f"{path.stat().st_size} bytes"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(1 << 20).decode("utf-8", "replace")
