"""The ROC of a membership test on log-log axes: what it finds at few false alarms is at the left."""

from __future__ import annotations

import math

from probatum.core.finding import Curve, Finding
from probatum.reports.ink import ACCENT, INK, SOFT, Drawing, Rows
from probatum.reports.text import finite, number

POINTS = 60  #: at most so many of a curve are drawn, spread evenly over the log axis


def draw(finding: Finding) -> Drawing | None:
    """The chart and its caption, or None where the finding has no usable ``roc``."""
    curves = {curve.name: _points(curve) for curve in finding.curves if curve.name in ("roc", "blind")}
    roc, blind = curves.get("roc", []), curves.get("blind", [])
    alarms = [p["x"] for p in roc if p["x"] > 0]
    if len(roc) < 2 or not alarms:
        return None
    floor = 10.0 ** max(-6, math.floor(math.log10(min(0.1, *alarms))))
    import altair as alt

    scale = alt.Scale(type="log", domain=[floor, 1], clamp=True)
    decades = [10.0**k for k in range(round(math.log10(floor)), 1)]
    axis = alt.Axis(values=decades, format="~g", grid=True)
    x = alt.X("x:Q", scale=scale, title="false positive rate", axis=axis)
    y = alt.Y("y:Q", scale=scale, title="true positive rate", axis=axis)

    diagonal: Rows = [{"x": floor, "y": floor}, {"x": 1, "y": 1}]
    rows = {"chance": diagonal, "roc": _cut(roc, floor), "blind": _cut(blind, floor)}
    chance, solid, dotted = (alt.Chart(alt.NamedData(name)) for name in rows)
    layers = [chance.mark_line(color=SOFT, strokeWidth=1).encode(x, y)]
    banded = all("low" in p for p in roc)
    if banded:
        low = alt.Y("low:Q", scale=scale, axis=axis, title="true positive rate")
        layers.append(solid.mark_area(color=ACCENT, opacity=0.18).encode(x, low, y2="high:Q"))
    if len(blind) > 1:
        step = dotted.mark_line(color=INK, strokeWidth=1.25, strokeDash=[2, 3], interpolate="step-after")
        layers.append(step.encode(x, y))
    layers.append(solid.mark_line(color=ACCENT, strokeWidth=2, interpolate="step-after").encode(x, y))
    return Drawing(alt.layer(*layers), rows, _caption(roc, banded, len(blind) > 1))


def _points(curve: Curve) -> Rows:
    """The points with numbers, in order of the false positive rate."""
    columns = {"x": curve.x, "y": curve.y}
    if curve.low is not None and curve.high is not None:
        columns |= {"low": curve.low, "high": curve.high}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=False)]
    return sorted((r for r in rows if all(finite(v) is not None for v in r.values())), key=lambda r: (r["x"], r["y"]))


def _cut(points: Rows, floor: float) -> Rows:
    """The last point in each of `POINTS` cells of the log axis, nothing below ``floor``."""
    cell = -math.log(floor) / POINTS
    last = {int(math.log(max(p["x"], floor) / floor) / cell): p for p in points}
    return [{name: max(value, floor) for name, value in point.items()} for point in last.values()]


def _caption(roc: Rows, banded: bool, blind: bool) -> str:
    at = next((x for x in (0.001, 0.01, 0.1) if any(0 < p["x"] <= x for p in roc)), 0.1)
    found = max((p["y"] for p in roc if p["x"] <= at), default=0.0)
    parts = ["the solid curve is the probe" + (" with its pointwise confidence band" if banded else "")]
    if blind:
        parts.append("the dotted one a classifier that never saw the model")
    parts.append("the thin diagonal is chance")
    return (
        f"ROC: at a false positive rate of {number(at)} the probe finds {number(100 * found)} % of the positives; "
        f"{', '.join(parts)}."
    )
