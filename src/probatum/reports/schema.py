"""The shape of report.json, made from the dataclasses themselves, and a check against it."""

from __future__ import annotations

import json
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.report import SCHEMA_VERSION, Report
from probatum.reports.schema_words import WORDS

SHOWN_PROBLEMS = 3


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json. Unknown keys are allowed: a newer minor version may add some."""
    from pydantic import TypeAdapter

    schema = _nullable(TypeAdapter(Report).json_schema(mode="serialization"))
    for name, part in (("Report", schema), *schema["$defs"].items()):
        for key, shape in part["properties"].items():
            shape.pop("title", None)
            shape["description"] = WORDS[name][key]
    schema["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Probatum report"}


def check(text: str) -> Report:
    """Read a report that may come from a stranger. Raises `BadInput` where a value has the wrong type."""
    from pydantic import TypeAdapter, ValidationError

    try:
        report = Report.from_json(text)
    except AttributeError as error:  # a list where a mapping must stand
        raise BadInput(f"not a report: {error}") from error
    try:
        # pydantic takes no lone surrogates, and a broken text from a model may hold one.
        clean = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
        TypeAdapter(Report).validate_json(clean, strict=True)
    except ValidationError as error:
        # A number that was not finite is written as null, wherever it stood.
        wrong = [e for e in error.errors() if not (e["type"] == "float_type" and e["input"] is None)]
        if wrong:
            places = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong[:SHOWN_PROBLEMS]]
            raise BadInput(f"not a report: {'; '.join(places)}") from error
    return report


def _nullable(shape: Any) -> Any:
    """The same schema, with null wherever a number may stand."""
    if isinstance(shape, list):
        return [_nullable(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    if shape.get("type") == "number":
        return shape | {"type": ["number", "null"]}
    return {key: _nullable(part) for key, part in shape.items()}
