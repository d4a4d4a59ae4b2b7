"""The eight dimensions at one look: every finding as an interval on its own scale, and what knows nothing beside it.

There is no total score: a mean over dimensions would hide what each of them says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probatum.core.finding import DIMENSIONS, ControlView, EstimateView, Finding, best_null
from probatum.core.report import Report
from probatum.reports import text

MOST = 14  #: findings of one dimension that are drawn; the others stand below, with everything else
LEFT, RIGHT = 6.0, 154.0  #: where the scale begins and ends, in a drawing 160 wide

#: Metrics that live between 0 and 1 are drawn there, whatever was measured.
UNIT = ("accuracy", "share", "rate", "AUROC", "F1", "consistency", "agreement")


@dataclass(frozen=True)
class Mark:
    """One tick or point: its place in the drawing, and what it stands for."""

    x: float
    what: str


@dataclass(frozen=True)
class Strip:
    """One finding: where its interval, its value and the ticks stand; ``words`` says all of it."""

    finding: Finding
    words: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ends: tuple[str, str] = ("", "")
    null: Mark | None = None
    oracle: Mark | None = None
    reference: Mark | None = None

    @property
    def gray(self) -> bool:
        """Whether nothing may be read off it."""
        return self.finding.outcome in ("inconclusive", "not run")


@dataclass(frozen=True)
class Dimension:
    """A dimension with its strips; ``more`` findings are not drawn, ``missing`` ones were not run."""

    name: str
    strips: tuple[Strip, ...]
    more: int
    missing: int


def overview(report: Report) -> list[Dimension]:
    """All eight dimensions in their order, those without a finding too; empty for a report of a single one."""
    if len({f.dimension for f in report.findings}) < 2:
        return []
    out = []
    for name in DIMENSIONS:
        found = [f for f in report.findings if f.dimension == name]
        ran = [f for f in found if f.outcome != "not run"]
        first = [f for f in ran if f.probe in report.declared]
        shown = [*first, *(f for f in ran if f not in first)][:MOST]
        strips = tuple(strip(f) for f in sorted(shown, key=ran.index))
        out.append(Dimension(name, strips, len(ran) - len(shown), len(found) - len(ran)))
    return out


def strip(finding: Finding) -> Strip:
    """One finding on its own scale."""
    e = finding.estimate
    if e is None or text.finite(e.value) is None:
        return Strip(finding, f"{finding.probe}: {finding.outcome}")
    null, oracle = best_null(finding), _control(finding, "oracle", e)
    reference = _control(finding, "reference", e)
    beside = [c.estimate.value for c in (null, oracle, reference) if c is not None and c.estimate is not None]
    low, high = _scale(e, [v for v in beside if v is not None])

    def place(value: float | None) -> float | None:
        if value is None or text.finite(value) is None:
            return None
        return round(LEFT + (RIGHT - LEFT) * min(max((value - low) / (high - low), 0.0), 1.0), 1)

    def mark(control: ControlView | None, what: str) -> Mark | None:
        at = None if control is None or control.estimate is None else place(control.estimate.value)
        number = text.number(control.estimate.value) if control is not None and control.estimate is not None else ""
        return None if at is None else Mark(at, f"{what} {number}")

    marks = (
        mark(null, f"null responder {null.target}" if null and null.kind == "null responder" else "clean control"),
        mark(oracle, "oracle"),
        mark(reference, "reference"),
    )
    words = "; ".join(
        [f"{finding.probe}: {finding.outcome}, {text.estimate(e)}"] + [m.what for m in marks if m is not None]
    )
    ends = (end_of_scale(low, high - low), end_of_scale(high, high - low))
    return Strip(finding, words, place(e.value), place(e.low), place(e.high), ends, *marks)


def _control(finding: Finding, kind: str, estimate: EstimateView) -> ControlView | None:
    same = [c for c in finding.controls if c.kind == kind and c.estimate and c.estimate.metric == estimate.metric]
    return same[0] if same else None


def _scale(e: EstimateView, beside: Sequence[float]) -> tuple[float, float]:
    values = [v for v in (e.value, e.low, e.high, *beside) if v is not None and text.finite(v) is not None]
    low, high = min(values), max(values)
    if low >= 0 and high <= 1 and any(word in e.metric for word in UNIT):
        return 0.0, 1.0
    low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high > low else (low, low + 1)


def end_of_scale(x: float, span: float) -> str:
    """The end of a scale, short: what is next to nothing beside its length is 0."""
    if abs(x) < 0.005 * span:
        return "0"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.2g}"
