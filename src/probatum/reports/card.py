"""The Markdown section that one pastes into a model card: every number with the evidence behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from probatum.core.finding import Finding, sentence
from probatum.core.report import Report
from probatum.reports import text, view

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$^])")


def card(report: Report) -> str:
    """Heading, one table per dimension, the limits in words, what was not run, how to reproduce."""
    parts = [
        "## Audit",
        _opening(report),
        *(_dimension(name, findings) for name, findings in view.by_dimension(report).items()),
        _limits(report),
        _not_run(report),
        _reproduce(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(value: str) -> str:
    """Text that Markdown shows as it is: no markup, no link, no mention, no line end, nothing hidden."""
    shown = _SPECIAL.sub(r"\\\1", text.visible(value)).replace("@", "&#64;")
    shown = re.sub(r"\b(https?|ftp|mailto|xmpp):", r"\1&#58;", shown, flags=re.IGNORECASE)
    shown = re.sub(r"\bwww\.", "www&#46;", shown, flags=re.IGNORECASE)
    shown = re.sub(r"^ +", lambda blank: "&#32;" * len(blank.group()), shown)
    return re.sub(r"^(\d*)([-=.])", r"\1\\\2", shown)  # no list, no rule, no heading of the line before


def code(value: str) -> str:
    """A code block that its content cannot end."""
    shown = text.visible(value)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{fence}sh\n{shown}\n{fence}"


def _opening(report: Report) -> str:
    subject = report.subject
    lines = [
        f"{plain(subject.name)} was audited with [Probatum](report.html) on {plain(report.created)}, probes beside"
        f" planted controls. Digest: {plain(subject.digest)}."
        f" Access: {plain(', '.join(subject.access)) or 'none'}."
    ]
    if not report.complete:
        lines.append("**The audit is incomplete:** it was interrupted, or a probe crashed.")
    if report.policy:
        verdict = "passed" if report.policy.passed else "failed"
        reasons = [f"{_link(id)} {plain(why)}" for id, why in report.policy.failed.items()]
        lines.append(f"Policy {plain(report.policy.name)}: **{verdict}**{_tail(reasons)}.")
    if missing := view.not_audited(report):
        lines.append(f"Not audited: {', '.join(missing)}.")
    lines += [plain(note) for note in report.notes]
    return "\n\n".join(lines)


def _tail(reasons: list[str]) -> str:
    return f" ({'; '.join(reasons)})" if reasons else ""


def _dimension(name: str, findings: Iterable[Finding]) -> str:
    rows = [
        [
            f"{plain(f.question)} {plain(_label(f))}",
            plain(f.audience) or "–",
            ", ".join([f"**{f.outcome}**", *map(plain, view.remarks(f))]),
            plain(text.estimate(f.estimate)),
            plain(text.limit(f.detection_limit)),
            _link(f.id),
        ]
        for group in view.by_audience(list(findings)).values()
        for f in group
        if f.outcome != "not run"
    ]
    if not rows:
        return ""
    head = ["Finding", "Who", "Outcome", "Estimate", "Detection limit", "Evidence"]
    table = [head, ["---"] * len(head), *rows]
    return f"### {name.capitalize()}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in table)


def _limits(report: Report) -> str:
    lines = [
        f"- {plain(_label(f))} {_link(f.id)}: {plain(_limit(f))}"
        for f in report
        if f.outcome == "inconclusive" or (f.outcome == "no evidence" and f.detection_limit)
    ]
    intro = "Finding nothing says no more than the probe could have seen."
    return f"### Limits\n\n{intro}\n\n" + "\n".join(lines) if lines else ""


def _limit(finding: Finding) -> str:
    if finding.outcome == "inconclusive" or finding.detection_limit is None:
        return sentence(finding)
    return view.limit_in_words(finding.detection_limit)


def _not_run(report: Report) -> str:
    lines = [f"- {plain(_label(f))} {_link(f.id)}: {plain(text.clip(f.reason, 300))}" for f in view.not_run(report)]
    return "### Not run\n\n" + "\n".join(lines) if lines else ""


def _reproduce(report: Report) -> str:
    if not report.command:
        return ""
    versions = ", ".join(f"{plain(name)} {plain(version)}" for name, version in report.versions.items())
    return f"### How to reproduce\n\n{code(report.command)}" + (f"\n\nWith {versions}." if versions else "")


def _label(finding: Finding) -> str:
    """``min_k_plus_plus (k=0.2)``."""
    options = ", ".join(f"{name}={value}" for name, value in finding.options.items())
    return finding.probe + (f" ({options})" if options else "")


def _link(id: str) -> str:
    return f"[{plain(id)}](report.html#{quote(id, safe='')})"
