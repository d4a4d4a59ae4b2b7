"""What the files of a model say about it: card, configuration, requirements. Claims, not findings.

Everything here was written by a stranger: only texts of a bounded length are taken, and printed characters only.
"""

from __future__ import annotations

import json
import os
import re

from probatum.scan.finding import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

LONGEST = 300
MOST = 500  # entries that are taken of any list

#: ``org/name`` or ``name`` as a hub has them: no path of a machine, no URL.
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(.*)")
_PINNED = re.compile(r"===?\s*([\w.!+-]+)\s*(?:;.*)?")


class Declared:
    """``models`` and ``libraries`` are (name, what, said where); the other names are those of the card's front matter.

    ``unclear`` names the documents that could not be understood.
    """

    def __init__(self) -> None:
        self.family = self.architecture = self.task = self.license = self.license_name = self.license_link = ""
        self.datasets: list[str] = []
        self.models: list[tuple[str, str, str]] = []
        self.libraries: list[tuple[str, str, str]] = []
        self.metrics: list[tuple[str, str, str]] = []  # (metric, value, data set)
        self.unclear: list[str] = []


def declared(documents: Mapping[str, bytes]) -> Declared:
    """Read the documents of one model, path -> bytes. Those in the uppermost folder speak for the model."""
    out = Declared()
    order = sorted(documents, key=lambda path: (path.replace(os.sep, "/").count("/"), path))
    seen = set()
    for path in order:
        name = os.path.basename(path).lower()
        try:
            said = documents[path].decode("utf-8-sig")
            if name == "requirements.txt":
                _requirements(out, said, name)
            elif name not in seen:  # a second config.json is that of a part
                seen.add(name)
                READERS[name](out, said, name)
        except (ValueError, IndexError, RecursionError):
            out.unclear.append(name)
    return out


def _card(out: Declared, said: str, where: str) -> None:
    from probatum.scan.yaml.reader import Reader

    parts = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)", said, re.DOTALL)
    if parts is None:
        return
    reader = Reader(parts[1])
    reader.read()
    card = reader.documents[0] if reader.documents else {}
    if not isinstance(card, dict):
        raise ValueError
    out.license = _one(card.get("license"))
    out.license_name, out.license_link = _one(card.get("license_name")), _one(card.get("license_link"))
    out.task = _one(card.get("pipeline_tag"))
    out.datasets += _many(card.get("datasets"))
    relation = _one(card.get("base_model_relation")) or "base"
    out.models += [(name, relation, f"{where}: base_model") for name in _many(card.get("base_model"))]
    out.libraries += [(name, "", f"{where}: library_name") for name in _many(card.get("library_name"))]
    out.metrics += _metrics(card.get("model-index"))


def _metrics(index: Any) -> Iterator[tuple[str, str, str]]:
    for model in index if isinstance(index, list) else ():
        for result in _items(model, "results"):
            data = result.get("dataset")
            name = _one(data.get("name")) if isinstance(data, dict) else ""
            for metric in _items(result, "metrics"):
                if kind := _one(metric.get("type") or metric.get("name")):
                    yield kind, _one(metric.get("value")), name


def _config(out: Declared, said: str, where: str) -> None:
    config = _object(said)
    out.family = out.family or _one(config.get("model_type"))
    out.architecture = out.architecture or next(iter(_many(config.get("architectures"))), "")
    out.models += [(name, "loaded from", f"{where}: _name_or_path") for name in _many(config.get("_name_or_path"))]
    if version := _one(config.get("transformers_version")):
        out.libraries.append(("transformers", version, f"{where}: transformers_version"))


def _adapter(out: Declared, said: str, where: str) -> None:
    config = _object(said)
    key = "base_model_name_or_path"
    out.models += [(name, "adapter", f"{where}: {key}") for name in _many(config.get(key))]


def _tokenizer(out: Declared, said: str, where: str) -> None:
    config = _object(said)
    out.models += [(name, "tokenizer", f"{where}: name_or_path") for name in _many(config.get("name_or_path"))]


def _requirements(out: Declared, said: str, where: str) -> None:
    for line in said.splitlines()[:MOST]:
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        match = _REQUIREMENT.fullmatch(line[:LONGEST])
        if match is None or line.startswith("-") or "://" in match[1]:
            continue  # options and bare URLs: the scan itself speaks of them
        pinned = _PINNED.fullmatch(match[2].strip())
        out.libraries.append((match[1], pinned[1] if pinned else "", f"{where}: {printable(line[:LONGEST])}"))


READERS = {
    "readme.md": _card,
    "config.json": _config,
    "adapter_config.json": _adapter,
    "tokenizer_config.json": _tokenizer,
}


def _object(said: str) -> dict[str, Any]:
    value = json.loads(said)
    if not isinstance(value, dict):
        raise ValueError
    return value


def _one(value: Any) -> str:
    """A text or number as text; "" for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    try:
        return printable(str(value).strip()[:LONGEST])
    except ValueError:  # a number of more digits than Python writes
        return ""


def _many(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [said for v in values[:MOST] if (said := _one(v))]


def _items(value: Any, key: str) -> list[dict[str, Any]]:
    inside = value.get(key) if isinstance(value, dict) else None
    return [v for v in inside[:MOST] if isinstance(v, dict)] if isinstance(inside, list) else []
