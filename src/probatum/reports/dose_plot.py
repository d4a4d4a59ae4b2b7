"""Dose–response: which share of the planted records the probe finds at each dose, and its detection limit."""

from __future__ import annotations

from typing import Any

from probatum.core.finding import DoseRate, Finding, LimitView
from probatum.reports.ink import ACCENT, INK, PAPER, SOFT, Drawing, Rows
from probatum.reports.text import finite, interval, number, visible

POWER = 0.8


def draw(finding: Finding) -> Drawing | None:
    """The chart and its caption, or None where no dose was planted."""
    limit = finding.detection_limit
    rates = [r for r in limit.rates if r.n > 0 and finite(r.dose) is not None] if limit else []
    if limit is None or len(rates) < 2:
        return None
    import altair as alt

    rates = sorted(rates, key=lambda r: r.dose)
    zero = _zero(rates)
    found = [_row(rate, zero) for rate in rates]
    ticks = [row["dose"] for row in found]
    rows = {"found": found, "power": [{"rate": POWER}], "limit": _limit_rows(limit, ticks)}
    data, power, mark = (alt.Chart(alt.NamedData(name)) for name in rows)
    scale = alt.Scale(type="log", base=2, nice=False, padding=12) if zero else alt.Scale(zero=False, padding=12)
    labels = f"datum.value <= {zero} ? '0' : format(datum.value, '~g')" if zero else "format(datum.value, '~g')"
    x_axis = alt.Axis(values=ticks, labelExpr=labels, labelOverlap="greedy")
    x = alt.X("dose:Q", scale=scale, axis=x_axis, title=f"dose, {visible(limit.unit)}")
    y_axis = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], labelExpr="format(100 * datum.value, '~g') + ' %'")
    y, low = (
        alt.Y(name, scale=alt.Scale(domain=[0, 1]), axis=y_axis, title="share found") for name in ("rate:Q", "low:Q")
    )
    text = mark.mark_text(align="left", dx=5, dy=-6, baseline="bottom", color=INK)
    layers = [
        power.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(y),
        mark.mark_rect(color=SOFT, opacity=0.16).encode(alt.X("from:Q"), x2="to:Q"),
        mark.mark_rule(color=INK, strokeWidth=1.25).encode(x),
        text.encode(x, y, alt.Text("label:N")),
        data.mark_line(color=ACCENT, strokeWidth=1, opacity=0.5).encode(x, y),
        data.mark_rule(color=ACCENT, strokeWidth=1.5).encode(x, low, y2="high:Q"),
        data.mark_point(color=ACCENT, fill=PAPER, size=46, strokeWidth=1.75, opacity=1).encode(x, y),
    ]
    return Drawing(alt.layer(*layers), rows, _caption(limit, rates))


def _zero(rates: list[DoseRate]) -> float:
    """Where blanks (dose 0) stand on a log axis: an octave left of the lowest dose. 0 for a linear axis."""
    planted = [r.dose for r in rates if r.dose > 0]
    if len(planted) < 2 or planted[-1] < 4 * planted[0] or rates[0].dose < 0:
        return 0.0
    return planted[0] / 2


def _row(rate: DoseRate, zero: float) -> dict[str, Any]:
    dose = max(rate.dose, zero) if zero else rate.dose
    return {"dose": dose, "rate": rate.detected / rate.n, "low": finite(rate.low), "high": finite(rate.high)}


def _limit_rows(limit: LimitView, ticks: list[float]) -> Rows:
    """The limit and its interval; only where it was established within the doses."""
    value = finite(limit.value)
    if limit.status != "established" or value is None:
        return []
    low, high = finite(limit.low), finite(limit.high)
    start = value if low is None else max(low, min(ticks))
    end = value if high is None else min(high, max(ticks))
    return [{"dose": value, "from": start, "to": end, "rate": 0.0, "label": number(value)}]


def _caption(limit: LimitView, rates: list[DoseRate]) -> str:
    n = sum(r.n for r in rates if r.dose > 0)
    what = f"Dose–response on {limit.target}: the share of {n:,} planted records that the probe finds at each dose"
    ends = {
        "below lowest dose": "already at the lowest dose it is above 80 %",
        "above highest dose": "even at the highest dose it stays below 80 %",
        "not established": "no limit could be established",
    }
    span = f", interval {interval(limit)}," if interval(limit) else ""
    found = ends.get(limit.status) or f"it reaches 80 % at {number(limit.value)} {limit.unit}{span} the detection limit"
    return f"{what}, with 95 % Clopper–Pearson bars; {found}."
