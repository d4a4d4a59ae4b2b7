"""JUnit XML, as continuous integration reads it: one test case for each file.

A file that is not proved inert fails, `not covered` too: what was not read was not shown to be harmless. What a
policy relaxes is skipped, with the reason, so that it stays visible. No time and no host: the same scan gives the same
bytes.
"""

from __future__ import annotations

from html import escape

from probatum.scan.finding import INERT, VERDICTS, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from probatum.scan.exports.places import Places
    from probatum.scan.finding import FileResult, Finding, Result
    from probatum.scan.policy import Judged

#: What a case may be beside passed.
KINDS = ("failure", "error", "skipped")


class Case:
    """One test case. ``kind`` is "" for passed, or one of `KINDS`; ``details`` are lines; ``seconds`` only if known."""

    __slots__ = ("classname", "details", "kind", "message", "name", "seconds", "type")

    def __init__(
        self, name: str, classname: str, kind: str = "", message: str = "", details: Sequence[str] = (),
        type: str = "", seconds: float | None = None,
    ) -> None:  # fmt: skip
        self.name, self.classname, self.kind, self.message = name, classname, kind, message
        self.details, self.type, self.seconds = details, type or kind, seconds


def document(suite: str, cases: Sequence[Case]) -> str:
    """The whole file, with one suite. Characters that XML cannot hold are written as escapes."""
    counts = {kind: sum(case.kind == kind for case in cases) for kind in KINDS}
    total = f'tests="{len(cases)}" failures="{counts["failure"]}" errors="{counts["error"]}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="probatum" {total}>']
    lines.append(f'  <testsuite name="{_safe(suite)}" {total} skipped="{counts["skipped"]}">')
    for case in cases:
        head = f'    <testcase classname="{_safe(case.classname)}" name="{_safe(case.name)}"'
        head += f' time="{case.seconds:.3f}"' if case.seconds is not None else ""
        body = "\n".join(_safe(line) for line in case.details)
        if not case.kind and not body:
            lines.append(head + "/>")
            continue
        lines.append(head + ">")
        if not case.kind:
            lines.append(f"      <system-out>{body}</system-out>")
        else:
            said = f'message="{_safe(case.message)}"'
            said += f' type="{_safe(case.type)}"' if case.kind != "skipped" else ""
            lines.append(f"      <{case.kind} {said}>{body}</{case.kind}>" if body else f"      <{case.kind} {said}/>")
        lines.append("    </testcase>")
    lines += ["  </testsuite>", "</testsuites>", ""]
    return "\n".join(lines)


def _safe(said: str) -> str:
    return escape(printable(said), quote=True)


def junit(result: Result, places: Places, judged: Judged | None = None) -> str:
    """A scan as JUnit XML; every requirement of a policy that is not met is a failed case of its own."""
    cases = [_case(file, places, judged) for file in result.files]
    for said in judged.failed if judged is not None else ():
        cases.append(Case(said, "probatum.policy", "failure", said, type="policy"))
    return document("probatum scan", cases)


def _case(file: FileResult, places: Places, judged: Judged | None) -> Case:
    name, kind = places.shown(file.path), f"probatum.scan.{file.format.replace('.', ' ')}"
    worst_first = sorted(file.findings, key=lambda f: -VERDICTS.index(f.verdict))
    details = [_line(finding, judged) for finding in worst_first]
    verdict = judged.verdict(file) if judged is not None else file.verdict
    if verdict != INERT:
        standing = [f for f in worst_first if judged is None or judged.allows(f) is None]
        return Case(name, kind, "failure", f"{verdict}: {standing[0].message}", details, verdict)
    if file.verdict != INERT:
        return Case(name, kind, "skipped", f"{file.verdict}, relaxed by the policy", details)
    return Case(name, kind, details=details)


def _line(finding: Finding, judged: Judged | None) -> str:
    place = finding.member + (f" at byte {finding.offset}" if finding.offset is not None else "")
    allow = judged.allows(finding) if judged is not None else None
    relaxed = f"  relaxed: {allow.reason}" if allow is not None else ""
    return f"{finding.rule} {finding.severity}: {finding.message}" + (f"  [{place.strip()}]" if place else "") + relaxed
