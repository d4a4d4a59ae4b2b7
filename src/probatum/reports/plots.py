"""Plots of a finding as inline SVG, readable without color and without the page's style sheet.

Every color is one of the constants below; the page maps them to its own variables (`html.py`), so the same
SVG serves light, dark and print.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from probatum.core.finding import Finding
from probatum.reports import dose_plot, roc_plot, strip_plot
from probatum.reports.ink import INK, LINE, OUTER, SOFT, Drawing
from probatum.reports.text import visible


@dataclass(frozen=True)
class Plot:
    """One figure: the drawing and the sentence that says what is seen."""

    svg: str
    caption: str


def plots(finding: Finding) -> list[Plot]:
    """The ROC and the dose–response where the finding has them; otherwise the estimate beside its controls."""
    if finding.outcome == "not run":
        return []
    drawn = [plot for draw in (roc_plot.draw, dose_plot.draw) if (plot := _plot(finding, draw)) is not None]
    if not drawn and (plot := _plot(finding, strip_plot.draw)) is not None:
        drawn.append(plot)
    return drawn


def _plot(finding: Finding, draw: Callable[[Finding], Drawing | None]) -> Plot | None:
    drawing = draw(finding)
    if drawing is None:
        return None
    name = f"{finding.id}-{draw.__module__.rpartition('.')[2]}"
    return Plot(_svg(drawing, name), drawing.caption)


def _svg(drawing: Drawing, name: str) -> str:
    """Convert, give ids that are unique on the page, and let the page decide the size."""
    import vl_convert
    from markupsafe import escape

    size = {"width": drawing.width, "height": drawing.height}
    spec = drawing.chart.to_dict(validate=False) | size | {"datasets": drawing.rows, "config": _config()}
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    body = svg[svg.index(">") + 1 :]
    x, y, width, height = map(float, re.findall(r'viewBox="([-\d. ]+)"', svg)[0].split())
    width = max(width, OUTER)  # so that plots side by side have the same scale
    label = escape(visible(drawing.caption))
    body = own_ids(body, name)
    return f'<svg viewBox="{x:g} {y:g} {width:g} {height:g}" width="{width:g}" role="img" aria-label="{label}">{body}'


def own_ids(svg: str, name: str) -> str:
    """Put ``name`` before every id and every reference to one, so that two plots on a page never share an id."""
    prefix = re.sub(r"[^0-9A-Za-z-]", "_", name)
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)


@functools.cache
def _config() -> dict[str, Any]:
    words = {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"}
    colors = {"labelColor": SOFT, "titleColor": INK, "domainColor": SOFT, "tickColor": SOFT, "gridColor": LINE}
    return {
        "aria": False,
        "background": "transparent",
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": {**words, **colors, "grid": False, "tickSize": 4, "titlePadding": 8},
        "text": {"fontSize": 11, "color": INK},
    }
