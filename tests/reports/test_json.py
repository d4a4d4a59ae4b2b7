import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import example
import pytest
from example_parts import HOSTILE, estimate

from probatum.core.errors import BadInput
from probatum.core.finding import OUTCOMES
from probatum.core.report import Report
from probatum.reports.schema import check, json_schema

KEYS = Path(__file__).with_name("keys.txt")


def key_tree(schema: dict[str, Any]) -> str:
    """``Finding.id string`` and so on, one key a line."""
    parts = {"Report": schema, **schema["$defs"]}
    return "".join(f"{name}.{key}\n" for name in sorted(parts) for key in parts[name]["properties"])


def test_the_example_covers_what_it_promises() -> None:
    report = example.report()
    assert len(report.findings) == 20
    assert len({f.id for f in report}) == 20
    assert {f.outcome for f in report} == set(OUTCOMES)
    assert len({f.dimension for f in report}) == 8
    assert len({f.detection_limit.status for f in report if f.detection_limit}) == 4


def test_round_trip() -> None:
    report = example.plain()
    assert Report.from_json(report.to_json()) == report
    assert check(report.to_json()) == report


def test_bytes_are_canonical() -> None:
    first = example.report().to_json()
    options = {"delta": 2.0, "gamma": 0.25, "key": "sha256:77aa"}
    turned = tuple(
        replace(f, options=dict(reversed(options.items()))) if f.probe == "kgw_detect" else f for f in example.report()
    )
    assert replace(example.report(), findings=turned).to_json() == first
    assert Report.from_json(first).to_json() == first
    raw = next(f for f in json.loads(first)["findings"] if f["probe"] == "kgw_detect")
    assert list(raw["options"]) == sorted(options)


def test_no_number_is_not_finite() -> None:
    broken = replace(example.report().findings[0], estimate=estimate("AUROC", (math.nan, -math.inf, math.inf)))
    text = replace(example.report(), findings=(broken,)).to_json()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    raw = json.loads(text, parse_constant=refuse)
    assert raw["findings"][0]["estimate"]["value"] is None
    assert check(text).findings[0].estimate is not None


def test_keys_are_stable() -> None:
    """A missing line breaks every reader: raise SCHEMA_VERSION. A new line: add it to keys.txt."""
    assert key_tree(json_schema()) == KEYS.read_text()


def test_every_key_is_described() -> None:
    schema = json_schema()
    assert schema["properties"]["schema_version"]["const"] == 1
    for part in (schema, *schema["$defs"].values()):
        assert part["description"]
        assert all(shape["description"] for shape in part["properties"].values())


def test_the_example_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(json_schema())
    raw = json.loads(example.report().to_json())
    assert not list(checker.iter_errors(raw))
    raw["findings"][0]["outcome"] = "safe"
    assert [error.json_path for error in checker.iter_errors(raw)] == ["$.findings[0].outcome"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("findings", 0, "outcome"), "perfect"),
        (("findings", 0, "id"), 7),
        (("findings", 0, "breakdown"), []),
        (("findings", 0, "estimate", "value"), HOSTILE),
        (("subject",), "x"),
        (("cost", "seconds"), "long"),
    ],
)
def test_a_strangers_report_is_refused_in_one_sentence(path: tuple[Any, ...], value: Any) -> None:
    raw = json.loads(example.plain().to_json())
    place = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadInput, match="not a report"):
        check(json.dumps(raw))
