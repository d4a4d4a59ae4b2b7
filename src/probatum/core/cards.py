"""The checkable claims of a model card, as hubs write them: YAML front matter, a model index, and a few plain lines."""

from __future__ import annotations

import re
from typing import Any

from probatum.core.data import Claims


def read_claims(text: str) -> Claims:
    """The claims of a README.md.

    ``license:`` of the front matter (a card without one claims nothing, which is itself counted), every ``accuracy``
    of ``model-index``, and lines such as ``Parameters: 1.3B`` and ``Not trained on: NAME``.
    """
    rows: list[dict[str, Any]] = []
    front, body = {}, text
    found = re.match(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", text, re.DOTALL)
    if found:
        import yaml

        body = text[found.end() :]
        try:
            front = yaml.safe_load(found[1])
        except (yaml.YAMLError, ValueError):  # a date such as 2024-13-01 is a ValueError
            front = {}
        front = front if isinstance(front, dict) else {}
    rows.append({"id": "license", "kind": "license", "value": front.get("license")})
    for model in _list(front.get("model-index")):
        for result in _list(model.get("results")):
            dataset = result.get("dataset")
            name = dataset.get("name") if isinstance(dataset, dict) else dataset
            for metric in _list(result.get("metrics")):
                if str(metric.get("type")).lower() in ("accuracy", "acc") and metric.get("value") is not None:
                    said = {"kind": "accuracy", "about": name, "value": metric["value"]}
                    rows.append({"id": f"accuracy on {name}", **said})
    for line in body.splitlines():
        plain = re.sub(r"[*_`|]", " ", line).strip(" -\t")
        if stated := re.match(r"(?:number of )?parameters\s*:?\s+(\d.*)$", plain, re.IGNORECASE):
            rows.append({"id": "parameters", "kind": "parameters", "value": stated[1].strip()})
        elif stated := re.match(r"not trained on\s*:?\s+(.+?)\.?$", plain, re.IGNORECASE):
            rows.append({"id": f"not trained on {stated[1]}", "kind": "not trained on", "about": stated[1].strip()})
    unique = {str(row["id"]): row for row in rows}
    return Claims.from_rows(unique.values(), "the model card", name="card")


def _list(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
