"""What a model card says, as hubs write it: YAML front matter, and the claims in it and in a few plain lines."""

from __future__ import annotations

import re
from typing import Any

from probatum.core.data import Claims

#: Front matter is read up to so many characters, with so many aliases (a bomb is made of them), and so deep.
LARGEST, ALIASES, DEEPEST = 1 << 20, 20, 50
DTYPES = {
    "float32": ("float32", "fp32", "f32"),
    "float16": ("float16", "fp16", "f16", "half"),
    "bfloat16": ("bfloat16", "bf16"),
    "float64": ("float64", "fp64", "f64"),
}
_METRICS = {"accuracy": "accuracy", "acc": "accuracy", "f1": "f1"}
_FRONT = re.compile(r"\A\ufeff?---[ \t\r]*\n(.*?)\n---[ \t\r]*(?:\n|\Z)", re.DOTALL)
_TYPES = "|".join(word for known in DTYPES.values() for word in known)
_LINES = {
    "dtype": re.compile(
        rf"(?:torch dtype|dtype|tensor type|weights? type)\s*:?\s+(?:torch\.)?({_TYPES})\.?$", re.IGNORECASE
    ),
    "context length": re.compile(
        r"(?:max(?:imum)? )?(?:context|sequence) (?:length|window|size)\s*:?\s+(?:of )?"
        r"(\d[\d,.]*\s*[km]?)(?: tokens)?\.?$",
        re.IGNORECASE,
    ),
}


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """(front matter, body) of a card; what is no YAML mapping, too large, or a bomb of aliases is an empty one.

    Only plain YAML is read (numbers, texts, lists, mappings); tags that build objects are refused by the reader.
    """
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    front = _mapping(found[1]) if len(found[1]) <= LARGEST else {}
    return front, text[found.end() :]


def _mapping(text: str) -> dict[str, Any]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = aliases = 0
        for event in yaml.parse(text, loader):  # stops at the first step too deep: the reader slows with depth
            aliases += isinstance(event, yaml.events.AliasEvent)
            depth += isinstance(event, yaml.events.CollectionStartEvent)
            depth -= isinstance(event, yaml.events.CollectionEndEvent)
            if aliases > ALIASES or depth > DEEPEST:
                return {}
        found = yaml.load(text, loader)  # a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):  # a date such as 2024-13-01 is a ValueError
        return {}
    return found if isinstance(found, dict) else {}


def read_claims(text: str) -> Claims:
    """The claims of a README.md.

    ``license:`` of the front matter (a card without one claims nothing, which is itself counted) and its ``datasets:``,
    every ``accuracy`` and ``f1`` of ``model-index``, and lines such as ``Parameters: 1.3B``, ``Tensor type: BF16``,
    ``Context length: 8k`` and ``Not trained on: NAME``.
    """
    front, body = front_matter(text)
    rows: list[dict[str, Any]] = [{"id": "license", "kind": "license", "value": front.get("license")}]
    datasets = front.get("datasets")
    for name in [datasets] if isinstance(datasets, str) else datasets if isinstance(datasets, list) else []:
        if isinstance(name, str) and name.strip():
            rows.append({"id": f"dataset {name}", "kind": "dataset", "value": name})
    for model in _list(front.get("model-index")):
        for result in _list(model.get("results")):
            dataset = result.get("dataset")
            name = dataset.get("name") if isinstance(dataset, dict) else dataset
            for metric in _list(result.get("metrics")):
                kind = _METRICS.get(str(metric.get("type")).lower())
                if kind is not None and metric.get("value") is not None:
                    rows.append({"id": f"{kind} on {name}", "kind": kind, "about": name, "value": metric["value"]})
    for line in body.splitlines():
        plain = re.sub(r"[*_`|]", " ", line[:500]).strip(" -\t")
        plain = re.sub(r"\s+", " ", plain)
        if stated := re.match(r"(?:number of )?parameters\s*:?\s+(\d.*)$", plain, re.IGNORECASE):
            rows.append({"id": "parameters", "kind": "parameters", "value": stated[1].strip()})
        elif stated := re.match(r"not trained on\s*:?\s+(.+?)\.?$", plain, re.IGNORECASE):
            rows.append({"id": f"not trained on {stated[1]}", "kind": "not trained on", "about": stated[1].strip()})
        else:
            for kind, pattern in _LINES.items():
                if stated := pattern.match(plain):
                    rows.append({"id": kind, "kind": kind, "value": stated[1].strip()})
    unique = {str(row["id"]): row for row in rows}
    return Claims.from_rows(unique.values(), "the model card", name="card")


def _list(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
