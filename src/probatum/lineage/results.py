"""What the models of a collection claim and what audits measured, by model: the numbers beside popularity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.tensors import read_json
from probatum.statistics.intervals import clopper_pearson


def matched(name: str, models: Sequence[str]) -> str | None:
    """The model of a collection that a name means: the whole name, else a last part that no other has."""
    said = name.strip().strip("/").lower()
    whole = [m for m in models if m.lower() == said]
    last = said.rpartition("/")[2]
    short = [m for m in models if m.lower().rpartition("/")[2] == last and (("/" in m) + ("/" in said) < 2)]
    return whole[0] if whole else short[0] if len(short) == 1 else None


def claims(cards: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, float]]:
    """("accuracy on NAME", {model: value}): the result that most cards claim in their model index; ("", {}) if none."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for model, card in cards.items():
        for entry in _dicts(card.get("model-index")):
            for result in _dicts(entry.get("results")):
                about = result.get("dataset")
                about = about.get("name") or about.get("type") if isinstance(about, dict) else about
                for metric in _dicts(result.get("metrics")):
                    value = number(metric.get("value"))
                    if value is not None and metric.get("type"):
                        key = (str(metric["type"]).lower(), str(about or "?").lower())
                        found.setdefault(key, {}).setdefault(model, value)
    if not found:
        return "", {}
    (metric_, about_), values = max(found.items(), key=lambda item: (len(item[1]), item[0]))
    # Some write 91.2 for 0.912; that would turn the order round.
    scaled = max(values.values()) > 1 and min(values.values()) <= 1 and metric_ in ("accuracy", "f1")
    return f"{metric_} on {about_}", {m: v / 100 if scaled and v > 1 else v for m, v in values.items()}


def audits(folder: Path, models: Sequence[str]) -> tuple[dict[str, dict[str, float]], dict[str, Any] | None]:
    """({probe: {model: estimate}}, share of models whose card claims what is not so) of all report.json below.

    A report belongs to the model that its subject names, else to the one that its directory names.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: expected a directory with reports of audits, but there is none here")
    values: dict[str, dict[str, float]] = {}
    told: Counter[str] = Counter()
    for file in sorted(folder.rglob("report.json")):
        report = read_json(file)
        subject = report.get("subject")
        name = str(subject.get("name", "")) if isinstance(subject, dict) else ""
        model = matched(name, models) or matched(Path(name).name, models) or matched(file.parent.name, models)
        for finding in _dicts(report.get("findings")) if model else ():
            estimate, outcome = finding.get("estimate"), finding.get("outcome")
            if finding.get("probe") == "card_claims" and outcome in ("evidence", "no evidence"):
                told[str(outcome)] += 1
            value = number(estimate.get("value"), signed=True) if isinstance(estimate, dict) else None
            if value is not None and outcome not in ("inconclusive", "not run"):
                values.setdefault(str(finding.get("probe")), {}).setdefault(str(model), value)
    if not values and not told:
        raise BadInput(f"{folder}: no report.json below it is of one of the {len(models)} models")
    n = sum(told.values())
    if not n:
        return values, None
    rate = clopper_pearson(told["evidence"], n)
    return values, {"count": told["evidence"], "n": n, "rate": rate.value, "low": rate.low, "high": rate.high}


def number(raw: object, *, signed: bool = False) -> float | None:
    """A finite number, of a text too; not below 0 unless ``signed``."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) and (signed or value >= 0) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
