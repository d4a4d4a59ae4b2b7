"""The part of the published schemas that our exports use, written down by hand: members, types, and allowed words.

Members that we do not write are not allowed here, so a wrong name is found. The exports were also checked against the
published schemas of SARIF 2.1.0 (errata 01) and CycloneDX 1.6, which are not part of this repository.
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
#: RFC 3986: a relative reference whose first segment holds no colon, as we write it.
URI: dict[str, Any] = {"type": "string", "pattern": r"^(?![A-Za-z0-9%._~-]*:)[A-Za-z0-9%._~/-]+$"}


def shape(members: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(required), "additionalProperties": False}


def many(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def among(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


BAG = {"type": "object"}
MESSAGE = shape({"text": TEXT, "markdown": TEXT}, "text")
LEVEL = among("none", "note", "warning", "error")
REGION = shape(
    {"startLine": {"type": "integer", "minimum": 1}, "byteOffset": {"type": "integer", "minimum": 0}}, "startLine"
)
PHYSICAL = shape(
    {"artifactLocation": shape({"uri": URI, "index": {"type": "integer", "minimum": 0}}, "uri"), "region": REGION},
    "artifactLocation",
)
LOGICAL = shape({"name": TEXT, "fullyQualifiedName": TEXT, "kind": TEXT})
LOCATION = shape({"physicalLocation": PHYSICAL, "logicalLocations": many(LOGICAL), "message": MESSAGE})
THREAD = shape({"locations": many(shape({"location": LOCATION}, "location"), minItems=1)}, "locations")
RULE = shape(
    {
        "id": TEXT,
        "name": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": shape({"level": LEVEL}, "level"),
        "properties": BAG,
    },
    "id",
)
RESULT = shape(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "kind": among("notApplicable", "pass", "fail", "review", "open", "informational"),
        "level": LEVEL,
        "message": MESSAGE,
        "locations": many(LOCATION, minItems=1, maxItems=1),
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "codeFlows": many(shape({"threadFlows": many(THREAD, minItems=1)}, "threadFlows")),
        "suppressions": many(
            shape({"kind": among("inSource", "external"), "status": among("accepted"), "justification": TEXT}, "kind")
        ),
        "properties": BAG,
    },
    "ruleId",
    "ruleIndex",
    "level",
    "message",
    "locations",
    "partialFingerprints",
)
ARTIFACT = shape(
    {
        "location": shape({"uri": URI}, "uri"),
        "roles": many(among("analysisTarget")),
        "length": {"type": "integer", "minimum": 0},
        "hashes": shape({"sha-256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}, "sha-256"),
        "properties": BAG,
    },
    "location",
)
RUN = shape(
    {
        "tool": shape(
            {"driver": shape({"name": TEXT, "version": TEXT, "rules": many(RULE), "properties": BAG}, "name")}, "driver"
        ),
        "invocations": many(shape({"executionSuccessful": {"type": "boolean"}}, "executionSuccessful")),
        "artifacts": many(ARTIFACT, uniqueItems=True),
        "results": many(RESULT),
        "columnKind": among("utf16CodeUnits", "unicodeCodePoints"),
    },
    "tool",
    "results",
)
SARIF = shape(
    {"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": many(RUN, minItems=1, maxItems=1)}, "version", "runs"
)

PROPERTY = shape({"name": TEXT, "value": {"type": "string"}}, "name")
HASH = shape({"alg": among("SHA-256"), "content": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}, "alg", "content")
ADDRESS = {"type": "string", "pattern": "^https?://[!-~]+$"}
LICENSE = {
    **shape({"id": TEXT, "name": TEXT, "url": ADDRESS}),
    "oneOf": [{"required": ["id"]}, {"required": ["name"]}],
}
DATA = shape({"type": among("dataset"), "name": TEXT, "contents": shape({"url": TEXT})}, "type")
METRIC = shape({"type": {"type": "string"}, "value": {"type": "string"}, "slice": {"type": "string"}})
CARD = shape(
    {
        "modelParameters": shape(
            {
                "task": TEXT,
                "architectureFamily": TEXT,
                "modelArchitecture": TEXT,
                "datasets": many(shape({"ref": TEXT}, "ref")),
            }
        ),
        "quantitativeAnalysis": shape({"performanceMetrics": many(METRIC)}),
        "properties": many(PROPERTY),
    }
)
COMPONENT: dict[str, Any] = shape(
    {
        "type": among("application", "library", "file", "machine-learning-model", "data"),
        "bom-ref": TEXT,
        "name": TEXT,
        "version": TEXT,
        "hashes": many(HASH),
        "licenses": many(shape({"license": LICENSE}, "license")),
        "purl": {"type": "string", "pattern": "^pkg:(huggingface|pypi)/[A-Za-z0-9%._~/@-]+$"},
        "externalReferences": many(shape({"type": among("distribution"), "url": ADDRESS}, "type", "url")),
        "pedigree": shape({"ancestors": many({"type": "object", "required": ["type", "name"]})}),
        "modelCard": CARD,
        "data": many(DATA),
        "properties": many(PROPERTY),
    },
    "type",
    "name",
)
BOM = shape(
    {
        "$schema": TEXT,
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "serialNumber": {
            "type": "string",
            "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        },
        "version": {"const": 1},
        "metadata": shape(
            {
                "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "tools": shape({"components": many(COMPONENT)}),
                "component": COMPONENT,
            },
            "component",
        ),
        "components": many(COMPONENT, uniqueItems=True),
        "dependencies": many(shape({"ref": TEXT, "dependsOn": many(TEXT, uniqueItems=True)}, "ref"), uniqueItems=True),
        "compositions": many(
            shape(
                {
                    "aggregate": among("complete", "incomplete", "unknown"),
                    "assemblies": many(TEXT, uniqueItems=True),
                    "dependencies": many(TEXT, uniqueItems=True),
                },
                "aggregate",
            )
        ),
        "properties": many(PROPERTY),
    },
    "bomFormat",
    "specVersion",
    "serialNumber",
    "metadata",
    "components",
    "dependencies",
)


def check_sarif(said: dict[str, Any]) -> None:
    """The shape, and what a shape cannot say: indexes fit, and only kind "fail" has a level."""
    jsonschema.Draft202012Validator(SARIF).validate(said)
    run = said["runs"][0]
    rules, artifacts = run["tool"]["driver"]["rules"], run.get("artifacts", [])
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result.get("kind", "fail") == "fail" or result["level"] == "none"
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        if "index" in place:
            assert artifacts[place["index"]]["location"]["uri"] == place["uri"]
    _clean(said)


def check_bom(said: dict[str, Any]) -> None:
    """The shape; references lead somewhere and stand once."""
    jsonschema.Draft202012Validator(BOM).validate(said)
    refs = [component["bom-ref"] for component in said["components"]]
    assert len(refs) == len(set(refs))
    known = {*refs, said["metadata"]["component"]["bom-ref"]}
    for entry in said["dependencies"]:
        assert {entry["ref"], *entry.get("dependsOn", ())} <= known
    for entry in said["compositions"]:
        assert {*entry.get("assemblies", ()), *entry.get("dependencies", ())} <= known
    card = said["metadata"]["component"]["modelCard"]
    assert {d["ref"] for d in card["modelParameters"].get("datasets", ())} <= known
    _clean(said)


def _clean(value: Any) -> None:
    """No text holds what a terminal or a page would act on."""
    if isinstance(value, dict):
        for key, inside in value.items():
            _clean(key)
            _clean(inside)
            if key == "text":  # of a message: no link that a viewer would make
                assert not re.search(r"(?<!\\)\[[^\]]*[^\\]\]\(", inside), inside
    elif isinstance(value, list):
        for inside in value:
            _clean(inside)
    elif isinstance(value, str):
        assert all(line.isprintable() for line in value.split("\n")), value
        value.encode()  # no lone surrogates
