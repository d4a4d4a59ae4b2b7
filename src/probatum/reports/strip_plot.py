"""The estimate with its interval beside its controls: dots and whiskers, one line each."""

from __future__ import annotations

from typing import Any

from probatum.core.finding import ControlView, EstimateView, Finding
from probatum.reports.ink import ACCENT, INK, PAPER, SOFT, Drawing, Rows
from probatum.reports.text import clip, finite, number, visible

LABELS, PLOT, ROW = 128, 180, 24  #: widths of the labels and of the plot, height of a line
MOST = 14  #: so many lines at most
SHAPES = {
    "subject": "diamond",
    "positive": "triangle-up",
    "negative": "circle",
    "null responder": "M0,-1L0,1",
    "oracle": "cross",
    "reference": "square",
}


def draw(finding: Finding) -> Drawing | None:
    """The chart and its caption, or None where there is nothing to compare."""
    rows = _rows(finding)
    if len({row["line"] for row in rows}) < 2 or finding.estimate is None:
        return None
    import altair as alt

    metric = visible(finding.estimate.metric)
    ends = [v for row in rows for v in (row["low"], row["high"], row["value"]) if v is not None]
    margin = 0.05 * (max(ends) - min(ends)) or 0.5
    scale = alt.Scale(domain=[min(ends) - margin, max(ends) + margin], nice=False, zero=False)
    x = alt.X("value:Q", scale=scale, title=metric, axis=alt.Axis(tickCount=4, grid=True, format="~g"))
    count = 1 + max(row["line"] for row in rows)
    y = alt.Y("line:O", axis=None, scale=alt.Scale(domain=list(range(count))))
    base = alt.Chart(alt.NamedData("rows"))
    kinds = list(SHAPES)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=list(SHAPES.values())), legend=None)
    color = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[ACCENT, INK, INK, SOFT, SOFT, INK]), legend=None)
    filled = alt.Fill(
        "kind:N", scale=alt.Scale(domain=kinds, range=[ACCENT, INK, PAPER, PAPER, PAPER, PAPER]), legend=None
    )
    layers = [
        base.mark_rule(strokeWidth=1.5).encode(y, color, alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(size=52, strokeWidth=1.5, opacity=1).encode(x, y, shape, color, filled),
        base.mark_text(align="left", limit=LABELS - 8).encode(y, x=alt.value(-LABELS), text="label:N"),
    ]
    return Drawing(alt.layer(*layers), {"rows": rows}, _caption(finding, rows), PLOT, ROW * count)


def _rows(finding: Finding) -> Rows:
    """The subject, its parts, then the controls; null responders share one line."""
    if finding.estimate is None or finite(finding.estimate.value) is None:
        return []
    same = finding.estimate.metric
    rows = [_row(0, "subject", "this model", finding.estimate)]
    parts = [(name, part) for name, part in finding.breakdown.items() if _comparable(part, same)]
    for name, part in parts[: MOST - 5]:
        rows.append(_row(len(rows), "subject", f"  {visible(name)}", part))
    line = len(rows)
    order = ("positive", "negative", "null responder", "oracle", "reference")
    # The responders of a task ran on generated items too, as its controls; those on the items that were asked say more.
    asked = any(control.kind == "oracle" for control in finding.controls)
    controls = [c for c in finding.controls if not asked or c.kind in ("null responder", "oracle", "reference")]
    for control in sorted(controls, key=lambda c: (order.index(c.kind), -(finite(c.dose) or 0))):
        if control.estimate is None or not _comparable(control.estimate, same):
            continue
        shared = control.kind == "null responder" and rows[-1]["kind"] == control.kind
        if line >= MOST and not shared:
            continue
        label = "" if shared else _label(control)
        rows.append(_row(line - shared, control.kind, label, control.estimate))
        line += not shared
    return rows


def _comparable(view: EstimateView, metric: str) -> bool:
    return view.metric == metric and finite(view.value) is not None


def _row(line: int, kind: str, label: str, view: EstimateView) -> dict[str, Any]:
    value = finite(view.value)
    low, high = finite(view.low), finite(view.high)
    return {
        "line": line,
        "kind": kind,
        "label": clip(label, 60),
        "value": value,
        "low": value if low is None else low,
        "high": value if high is None else high,
    }


def _label(control: ControlView) -> str:
    if control.kind == "null responder":
        return "null responders"
    if control.kind in ("oracle", "reference"):
        return control.kind
    dose = f", {number(control.dose)} {visible(control.unit or '')}".rstrip() if control.dose else ""
    return f"{control.kind}{dose}" + (" ✗ failed" if control.passed is False else "")


def _caption(finding: Finding, rows: Rows) -> str:
    first = finding.estimate
    metric = first.metric if first else ""
    names = {"positive": "positive controls (triangles)", "negative": "negative controls (circles)"}
    names["null responder"] = "null responders, which know nothing of the question (strokes)"
    names["reference"] = "the reference model (square)"
    names["oracle"] = "an oracle, which gives the right answers (cross)"
    shown = [name for kind, name in names.items() if any(row["kind"] == kind for row in rows)]
    if any(row["kind"] == "subject" and row["line"] for row in rows):
        shown.insert(0, "its parts")
    beside = ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)
    value = number(first.value) if first else "–"
    return f"This model's {metric} is {value} (diamond), beside {beside}; whiskers are the intervals."
