"""Reports on a terminal: readable in ten seconds at 80 columns, without color, in any encoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probatum.core.access import AUDIENCES
from probatum.core.finding import DIMENSIONS, EstimateView, Finding, Outcome, sentence
from probatum.core.report import Report
from probatum.reports import text, view

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table
    from rich.text import Text

MARKS: dict[Outcome, str] = {"evidence": "◆", "no evidence": "○", "measured": "■", "inconclusive": "◐", "not run": "–"}
STYLES: dict[Outcome, str] = {
    "evidence": "bold red",
    "no evidence": "blue",
    "measured": "bold",
    "inconclusive": "yellow",
    "not run": "dim",
}
COLUMN = 20  #: least width of one subject, side by side
WIDE = 110  #: from this width on, a limit fits into one line
NARROW = 70  #: below this width only the outcomes are shown
_ASCII = str.maketrans(
    {"◆": "!", "○": "o", "■": "#", "◐": "?", "–": "-", "—": "-", "≥": ">=", "≤": "<=", "…": "...", "’": "'"}
)


@dataclass(frozen=True)
class Ink:
    """Makes text for one terminal: no control characters, no markup, and only what its encoding can show."""

    encoding: str

    @property
    def ascii(self) -> bool:
        return not self.encoding.lower().startswith("utf")

    def __call__(self, value: str, style: str = "") -> Text:
        from rich.text import Text

        shown = text.visible(value, lines=True)
        if self.ascii:
            shown = shown.translate(_ASCII).encode(self.encoding, "replace").decode(self.encoding)
        return Text(shown, style)


@dataclass(frozen=True)
class Fitted:
    """A renderable that is made once the width and the encoding of the terminal are known."""

    make: Callable[[Ink, int], list[RenderableType]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.make(Ink(options.encoding), options.max_width)


def summary(report: Report) -> Fitted:
    """One table: what was asked in each dimension, what came out, and what would have been missed."""
    return Fitted(lambda ink, width: [_head(report, ink), _summary(report, ink, width), *_tail(report, ink)])


def side_by_side(reports: Sequence[Report]) -> Fitted:
    """One line per dimension, one column per subject; as many tables below one another as the width asks for."""

    def make(ink: Ink, width: int) -> list[RenderableType]:
        room = max(1, (width - 16) // COLUMN)
        groups = [reports[k : k + room] for k in range(0, len(reports), room)]
        return [_side_by_side(group, ink) for group in groups]

    return Fitted(make)


def findings(report: Report) -> Fitted:
    """Every finding with its controls in words; what was not run comes last, a line each."""

    def make(ink: Ink, width: int) -> list[RenderableType]:
        lines: list[RenderableType] = [_head(report, ink)]
        for dimension, found in view.by_dimension(report).items():
            ran = [f for f in found if f.outcome != "not run"]
            lines += [ink(f"\n{dimension.upper()}", "bold")] if ran else []
            for who, group in view.by_audience(ran).items():
                if who and len(view.by_audience(ran)) > 1:
                    lines.append(ink(f"  what {who} could learn", "dim"))
                for f in group:
                    lines += _finding(f, ink)
        if view.not_run(report):
            lines.append(ink("\nNOT RUN", "bold"))
        lines += [_indented(ink(_one(f"{f.id}  {f.probe}: {f.reason}")), 2) for f in view.not_run(report)]
        return [*lines, *_tail(report, ink)]

    return Fitted(make)


def _one(value: str, most: int = 400) -> str:
    """A stranger's text on one line, its own line ends shown and not obeyed, cut where it would fill the screen."""
    shown = text.visible(value)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _others(line: view.Line) -> str:
    """``+5, 2 evidence``."""
    found = f", {line.counts['evidence']} evidence" if line.counts["evidence"] else ""
    return f"\n+{line.counts.total()}{found}" if line.counts else ""


def _head(report: Report, ink: Ink) -> Text:
    subject = report.subject
    return ink(_one(subject.name, 120), "bold").append_text(
        ink(f"  {_one(subject.kind)}  {_one(subject.digest, 20)}\n", "dim")
    )


def _table(ink: Ink, *headers: Text) -> Table:
    from rich import box
    from rich.table import Table

    ruled = box.Box("    \n    \n -- \n" + "    \n" * 5, ascii=True) if ink.ascii else box.SIMPLE_HEAD
    table = Table(box=ruled, show_edge=False, pad_edge=False, expand=True, padding=0, leading=1)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _summary(report: Report, ink: Ink, width: int) -> Table:
    sizes = {"Outcome": 15, "Estimate": 16, "Detection limit": 15}
    if width >= WIDE:
        sizes |= {"Estimate": 32, "Detection limit": 24}
    if width < NARROW:
        sizes = {"Outcome": 15}
    table = _table(ink, *(ink(header) for header in ("Dimension, question", *sizes)))
    table.columns[0].ratio = 1
    for column, size in zip(table.columns[1:], sizes.values(), strict=True):
        column.width = size
    for line in view.summary_lines(report):
        f = line.finding
        asked = ink(line.title, "bold").append_text(ink(f"\n{_one(f.question, 90)}", "dim"))
        shown = _outcome(f, ink).append_text(ink(_others(line), "dim"))
        why = ink(_one(f.reason, 90), "dim") if f.outcome == "not run" else _estimate(f.estimate, ink)
        cells = (asked, shown, why, ink(_one(text.limit(f.detection_limit))))
        table.add_row(*cells[: 1 + len(sizes)])
    return table


def _side_by_side(reports: Sequence[Report], ink: Ink) -> Table:
    names = [ink(f"{_one(r.subject.name, 60)}\n{_one(r.subject.digest[-8:])}", "bold") for r in reports]
    table = _table(ink, ink(""), *names)
    table.columns[0].width = 15
    for column in table.columns[1:]:
        column.ratio = 1
    by_report = [{line.title: line for line in view.summary_lines(r)} for r in reports]
    for title in (t for t in (*DIMENSIONS, *AUDIENCES) if any(t in lines for lines in by_report)):
        cells = [ink("not audited", "dim")] * len(reports)
        for k, lines in enumerate(by_report):
            if title in lines:
                cells[k] = _cell(lines[title], ink)
        table.add_row(ink(title, "bold"), *cells)
    return table


def _cell(line: view.Line, ink: Ink) -> Text:
    f = line.finding
    cell = _outcome(f, ink).append_text(ink(f"\n{_one(f.probe)}\n", "dim"))
    cell.append_text(ink(_one(f.reason, 90), "dim") if f.outcome == "not run" else _estimate(f.estimate, ink))
    if f.outcome in ("evidence", "no evidence") and f.detection_limit is not None:
        cell.append_text(ink(f"\nlimit {_one(text.limit(f.detection_limit))}", "dim"))
    return cell.append_text(ink(_others(line), "dim"))


def _outcome(finding: Finding, ink: Ink) -> Text:
    shown = ink(f"{MARKS[finding.outcome]} {finding.outcome}", STYLES[finding.outcome])
    return shown.append_text(ink("".join(f"\n{remark}" for remark in view.remarks(finding)), "dim"))


def _estimate(estimate: EstimateView | None, ink: Ink) -> Text:
    if estimate is None or text.finite(estimate.value) is None:
        return ink("–")
    span = text.interval(estimate)
    return ink(f"{_one(estimate.metric)} {text.number(estimate.value)}" + (f"\n{span}" if span else ""))


def _finding(finding: Finding, ink: Ink) -> list[RenderableType]:
    f = finding
    options = "".join(f" {name}={value}" for name, value in f.options.items())
    first = ink(f"{MARKS[f.outcome]} {f.outcome}", STYLES[f.outcome]).append_text(ink(f"  {_one(f.probe + options)}"))
    lines = [_one(f.question), _one(sentence(f)), _controls(f)]
    if f.blind_baseline:
        blind = f.blind_baseline
        lines.append(f"Blind baseline: {_one(text.estimate(blind.estimate))}, p {text.p_value(blind.p_value)}.")
    if f.p_value is not None:
        how = f" ({f.adjusted_by})" if f.adjusted_by else ""
        adjusted = f", {text.p_value(f.adjusted_p_value)} adjusted{how}" if f.adjusted_p_value is not None else ""
        lines.append(f"p {text.p_value(f.p_value)} ({f.p_value_kind}){adjusted}.")
    if f.unscored:
        lines.append("Unscored: " + _one("; ".join(f"{count} {why}" for why, count in f.unscored.items())) + ".")
    return [first.append_text(ink(f"  {_one(f.id)}", "dim")), *(_indented(ink(line), 4) for line in lines)]


def _controls(finding: Finding) -> str:
    judged = [c for c in finding.controls if c.passed is not None]
    if not judged:
        return "No control was judged."
    failed = [f"{c.kind} on {_one(c.target)}" for c in judged if not c.passed]
    return f"Controls: {len(judged) - len(failed)} of {len(judged)} passed" + (
        f"; failed: {', '.join(failed)}." if failed else "."
    )


def _tail(report: Report, ink: Ink) -> list[RenderableType]:
    lines = [ink("")]
    if missing := view.not_audited(report):
        lines.append(ink(f"Not audited: {', '.join(missing)}.", "dim"))
    lines += [ink(_one(note)) for note in report.notes]
    if not report.complete:
        lines.append(ink("Incomplete: the audit was interrupted or a probe crashed.", "bold"))
    if report.policy:
        failed = ", ".join(map(_one, report.policy.failed))
        verdict = "passed" if report.policy.passed else f"failed by {failed}" if failed else "failed"
        lines.append(ink(f"Policy {_one(report.policy.name)}: {verdict}."))
    return list(lines)


def _indented(value: Text, by: int) -> RenderableType:
    from rich.padding import Padding

    return Padding(value, (0, 0, 0, by))
