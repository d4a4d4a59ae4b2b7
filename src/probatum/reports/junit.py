"""The findings of an audit as JUnit XML: one test case for each.

``evidence`` fails, and under a policy whatever the policy names fails, and only that. ``inconclusive`` and ``not run``
are skipped, with the reason: a skipped case is shown apart by every reader and never counts as passed, and a failure
would say more than was found. A probe that crashed is an error.
"""

from __future__ import annotations

from probatum.core.finding import Finding, sentence
from probatum.core.report import Report
from probatum.scan.exports.junit import Case, document


def junit(report: Report) -> str:
    """The whole file; the same report gives the same bytes."""
    failed = report.policy.failed if report.policy is not None else None
    return document(f"probatum audit {report.subject.name}", [_case(f, failed) for f in report.findings])


def _case(finding: Finding, failed: dict[str, str] | None) -> Case:
    options = ", ".join(f"{key}={value}" for key, value in sorted(finding.options.items()))
    name = f"{finding.probe}({options})" if options else finding.probe
    where, said = f"probatum.{finding.dimension}", sentence(finding)
    details = (finding.question, said)
    if finding.outcome == "not run" and finding.reason.startswith("crashed"):
        kind, message = "error", said
    elif failed is not None and finding.id in failed:
        kind, message = "failure", failed[finding.id]
    elif finding.outcome in ("inconclusive", "not run"):
        kind, message = "skipped", said
    elif finding.outcome == "evidence" and failed is None:
        kind, message = "failure", said
    else:
        kind, message = "", ""
    seconds = finding.seconds if finding.seconds == finding.seconds else None  # a report may hold null for a time
    return Case(name, where, kind, message, details, finding.outcome, seconds)
