"""What the views have in common: findings by dimension, and the one that stands for each in a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from probatum.core.access import AUDIENCES
from probatum.core.finding import DIMENSIONS, OUTCOMES, Dimension, Finding, LimitView, Outcome, limit_sentence
from probatum.core.report import Report

#: What each outcome means, in one sentence; shown as the legend.
MEANING: dict[Outcome, str] = {
    "evidence": "the question is answered yes; the test holds after correction for the number of tests",
    "no evidence": "not found, by a probe that finds planted cases down to its detection limit",
    "measured": "a quantity; only a policy judges it",
    "inconclusive": "a control or a validity condition failed, so nothing may be concluded",
    "not run": "access, data or budget was missing, or the probe crashed",
}


@dataclass(frozen=True)
class Line:
    """One dimension in a summary; in a report of one dimension, one audience: who could learn it."""

    title: str
    finding: Finding
    counts: Counter[Outcome]  #: outcomes of the other findings of that dimension, or audience

    @property
    def others(self) -> str:
        """``+2 evidence, 1 not run``, or nothing."""
        parts = [f"{self.counts[outcome]} {outcome}" for outcome in OUTCOMES if self.counts[outcome]]
        return "+" + ", ".join(parts) if parts else ""


def by_dimension(report: Report) -> dict[Dimension, list[Finding]]:
    """The findings of each dimension that has any, in the order of the dimensions."""
    groups = {d: [f for f in report.findings if f.dimension == d] for d in DIMENSIONS}
    return {d: findings for d, findings in groups.items() if findings}


def by_audience(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Findings by who could learn them, from the public to the trainer."""
    groups = {a: [f for f in findings if f.audience == a] for a in (*AUDIENCES, "")}
    return {a: found for a, found in groups.items() if found}


def summary_lines(report: Report) -> list[Line]:
    """One line for each dimension that was audited; for each audience where it is a single one."""
    groups: dict[str, list[Finding]] = {str(d): found for d, found in by_dimension(report).items()}
    named = {title: [report.primary[title]] if title in report.primary else [] for title in groups}
    if len(groups) == 1 and len(who := by_audience(report.findings)) > 1:
        groups, named = who, {title: list(report.declared) for title in who}
    lines = []
    for title, findings in groups.items():
        first = primary(findings, named[title])
        lines.append(Line(title, first, Counter(f.outcome for f in findings if f is not first)))
    return lines


def primary(findings: Sequence[Finding], probes: Sequence[str]) -> Finding:
    """The finding of the first named probe that ran; else of the first probe that ran. Never chosen by its result."""
    named = [f for probe in probes for f in findings if f.probe == probe]
    ran = [f for f in (*named, *findings) if f.outcome != "not run"]
    return (ran or named or list(findings))[0]


def remarks(finding: Finding) -> list[str]:
    """What stands beside the outcome: its severity, and that it points the wrong way round."""
    severity = [f"severity {finding.severity}"] if finding.severity not in (None, "none") else []
    return severity + (["reversed"] if finding.direction == "reversed" else [])


def not_audited(report: Report) -> list[Dimension]:
    """Dimensions of which the report says nothing."""
    return [d for d in DIMENSIONS if d not in by_dimension(report)]


def not_run(report: Report) -> list[Finding]:
    """Findings without a result, in report order."""
    return [f for f in report.findings if f.outcome == "not run"]


def limit_in_words(limit: LimitView) -> str:
    """The sentence that all views share, with the reason where the limit could not be established."""
    reason = f" {limit.reason[:1].upper()}{limit.reason[1:].rstrip('.')}." if limit.reason else ""
    if limit.value is None:
        return f"{limit_sentence(limit).rstrip('.')} on {limit.target}.{reason}"
    return limit_sentence(limit) + reason


def reproduce(report: Report, finding: Finding | None = None) -> str:
    """The command that makes the report, or one finding of it; empty where it was not recorded."""
    if not report.command or finding is None:
        return report.command
    return f"{report.command} --probe {finding.probe}"
