"""SARIF 2.1.0 (OASIS): one result for one finding.

The level is the severity of the rule. A finding in a file itself has its byte offset as region; one inside an archive
names the member as logical location. Names of files come from strangers: URIs are percent-encoded, texts printable.
"""

from __future__ import annotations

import hashlib
import json
import re

from probatum.scan.exports.places import uri
from probatum.scan.finding import DANGEROUS, INERT, NOT_COVERED, UNKNOWN_CODE, printable
from probatum.scan.rules import RULES, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from probatum.scan.exports.places import Places
    from probatum.scan.finding import FileResult, Finding, Result
    from probatum.scan.policy import Judged

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What viewers sort by: the scale of CVSS, one number for each verdict.
SECURITY = {DANGEROUS: "9.0", UNKNOWN_CODE: "7.0", NOT_COVERED: "4.0", INERT: "0.0"}
#: The rule of a requirement of the policy that is not met.
POLICY = "policy"

_LINE = re.compile(r"line (\d{1,9})\b")
_LINK = re.compile(r"\[[^\]]*\]\s*\(")


def text(said: str) -> dict[str, str]:
    """A message. Brackets that a viewer would turn into a link are escaped, as section 3.11.6 has it."""
    said = "\n".join(printable(line) for line in said.split("\n"))
    if _LINK.search(said):
        said = said.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": said}


def fingerprint(*parts: str) -> str:
    """32 hex digits that stay the same while the parts do."""
    raw = "\0".join(part.replace("\0", "\\0") for part in parts)
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def document(driver: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> str:
    """The whole file, with one run."""
    run = {"tool": {"driver": driver}, **more, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def sarif(
    result: Result, places: Places, judged: Judged | None = None, files: Mapping[str, tuple[int, str]] | None = None
) -> str:
    """A scan as SARIF.

    Parameters
    ----------
    judged
        The same under a policy: what it relaxes is a suppressed result, what it misses a result of rule ``policy``.
    files
        path -> (size, sha256), where they were hashed.
    """
    used = sorted({finding.rule for file in result.files for finding in file.findings})
    index = {rule: n for n, rule in enumerate(used)}
    rules = [_rule(rule) for rule in used]
    results = [
        _result(file, number, finding, index, places, judged)
        for number, file in enumerate(result.files)
        for finding in file.findings
    ]
    if judged is not None and judged.failed:
        index[POLICY] = len(rules)
        rules.append({"id": POLICY, "shortDescription": text("a requirement of the policy is not met")})
        root = {"physicalLocation": {"artifactLocation": {"uri": uri(places.root)}, "region": {"startLine": 1}}}
        for said in judged.failed:
            marks = {"primaryLocationLineHash": fingerprint(POLICY, said)}
            one = {"ruleId": POLICY, "ruleIndex": index[POLICY], "level": "error", "message": text(said)}
            results.append(one | {"locations": [root], "partialFingerprints": marks})
    driver: dict[str, Any] = {"name": "Probatum scan", "version": result.versions["ruleset"], "rules": rules}
    driver["properties"] = dict(result.versions)
    artifacts = [_artifact(file, places, judged, (files or {}).get(file.path)) for file in result.files]
    return document(driver, results, invocations=[{"executionSuccessful": True}], artifacts=artifacts)


def _rule(id: str) -> dict[str, Any]:
    rule = RULES[id]
    parts = (("Why it matters", rule.matters), ("Example", rule.example), ("What to do", rule.do))
    markdown = f"{rule.means}\n\n" + "\n\n".join(f"**{name}** {_plain(said)}" for name, said in parts)
    return {
        "id": id,
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", rule.title)),
        "shortDescription": text(rule.title),
        "fullDescription": text(f"{rule.means} {rule.matters}"),
        "help": text(explain(id)) | {"markdown": markdown},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["security"], "security-severity": SECURITY[rule.verdict], "verdict": rule.verdict},
    }


def _plain(said: str) -> str:
    """Our own text inside Markdown: nothing of it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", said)


def _artifact(file: FileResult, places: Places, judged: Judged | None, known: tuple[int, str] | None) -> dict[str, Any]:
    one: dict[str, Any] = {
        "location": {"uri": uri(places.shown(file.path))},
        "roles": ["analysisTarget"],
        "properties": {"format": printable(file.format), "verdict": file.verdict, "covered": file.covered},
    }
    if judged is not None:
        one["properties"]["verdictUnderPolicy"] = judged.verdict(file)
    if known is not None:
        one["length"], one["hashes"] = known[0], {"sha-256": known[1]}
    return one


def _result(
    file: FileResult, number: int, finding: Finding, index: dict[str, int], places: Places, judged: Judged | None
) -> dict[str, Any]:
    shown = places.shown(file.path)
    # Viewers of code want a line; of what is no text the first one stands for the file, and the offset is exact.
    line = _LINE.match(finding.message) if not finding.member else None
    region: dict[str, Any] = {"startLine": max(1, int(line[1])) if line else 1}
    if finding.offset is not None and not finding.member:
        region["byteOffset"] = finding.offset
    physical = {"artifactLocation": {"uri": uri(shown), "index": number}, "region": region}
    location: dict[str, Any] = {"physicalLocation": physical}
    place = ""
    if finding.member:
        member = printable(finding.member)
        at = f" at byte {finding.offset}" if finding.offset is not None else ""
        place = f" (in {member}{at})"
        logical = {"name": member.rpartition("/")[2] or member, "fullyQualifiedName": member, "kind": "member"}
        location["logicalLocations"] = [logical]
    same = fingerprint(finding.rule, shown, finding.member, finding.message)
    one: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.severity,
        "message": text(finding.message + place),
        "locations": [location],
        # The second is the name that code hosts look for; both leave the offset out, which moves with every change.
        "partialFingerprints": {"probatumFinding/v1": same, "primaryLocationLineHash": same},
        "properties": {"verdict": finding.verdict, "member": printable(finding.member), "offset": finding.offset},
    }
    if finding.trace:
        steps = [{"location": {"physicalLocation": physical, "message": text(step)}} for step in finding.trace]
        one["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if judged is not None:
        allow = judged.allows(finding)
        said = f"policy {printable(judged.name)}, relaxation {allow.number}: {allow.reason}" if allow else ""
        one["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}] if allow else []
    return one
