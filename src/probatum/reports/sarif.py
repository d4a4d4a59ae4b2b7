"""The findings of an audit as SARIF 2.1.0: one finding, one result; the rules are the probes.

Only evidence, and what a policy names, is of kind ``fail`` and has a level. The other outcomes keep their meaning:
``no evidence`` is ``pass``, ``measured`` informational, ``inconclusive`` open, ``not run`` not applicable. Samples stay
out: a viewer of findings is no place for what leaked.
"""

from __future__ import annotations

import json
from typing import Any

from probatum.core.finding import Finding, sentence
from probatum.core.report import Report
from probatum.scan.exports.places import uri
from probatum.scan.exports.sarif import document, fingerprint, text
from probatum.scan.finding import printable

KINDS = {
    "no evidence": "pass",
    "measured": "informational",
    "inconclusive": "open",
    "not run": "notApplicable",
}
LEVELS = {"high": "error", "medium": "warning", "low": "note", "none": "note"}


def sarif(report: Report) -> str:
    """The whole file; the same report gives the same bytes."""
    probes: dict[str, Finding] = {}
    for finding in report.findings:
        probes.setdefault(finding.probe, finding)
    index = {probe: n for n, probe in enumerate(probes)}
    driver = {
        "name": "Probatum",
        "version": report.versions.get("probatum", "unknown"),
        "rules": [_rule(finding) for finding in probes.values()],
        "properties": {printable(name): printable(version) for name, version in report.versions.items()},
    }
    failed = report.policy.failed if report.policy is not None else None
    results = [_result(finding, index, report.subject.name, failed) for finding in report.findings]
    return document(driver, results, invocations=[{"executionSuccessful": report.complete}])


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": printable(finding.probe),
        "shortDescription": text(finding.question),
        "help": text(
            f"{finding.question}\n{finding.paper}\n`probatum explain {finding.probe}` says how it is computed."
        ),
        "properties": {"tags": [finding.dimension], "paper": finding.paper},
    }


def _result(finding: Finding, index: dict[str, int], subject: str, failed: dict[str, str] | None) -> dict[str, Any]:
    over = failed is not None and finding.id in failed
    said = sentence(finding)
    if over and failed is not None:
        kind, level, said = "fail", "error", f"{failed[finding.id]}. {said}"
    elif finding.outcome == "evidence":
        kind, level = "fail", LEVELS.get(finding.severity or "", "warning")
    else:
        kind, level = KINDS[finding.outcome], "none"
    options = json.dumps(finding.options, sort_keys=True, default=str)
    same = fingerprint(finding.probe, options, subject)
    name = text(subject)["text"]
    physical = {"artifactLocation": {"uri": uri(subject) or "."}, "region": {"startLine": 1}}
    logical = {"name": name, "fullyQualifiedName": f"{name}#{finding.probe}", "kind": "model"}
    one: dict[str, Any] = {
        "ruleId": printable(finding.probe),
        "ruleIndex": index[finding.probe],
        "kind": kind,
        "level": level,
        "message": text(said),
        "locations": [{"physicalLocation": physical, "logicalLocations": [logical]}],
        "partialFingerprints": {"probatumProbe/v1": same, "primaryLocationLineHash": same},
        "properties": {"id": printable(finding.id), "outcome": finding.outcome, "dimension": finding.dimension},
    }
    if failed is not None and finding.outcome == "evidence" and not over:
        one["suppressions"] = [{"kind": "external", "status": "accepted", "justification": "within the policy"}]
    return one
