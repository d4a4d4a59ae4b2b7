"""Sizes and colors of the plots, and what a plot is before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The page's light colors; in the dark it maps them one by one.
INK = "#1d1b18"
SOFT = "#5d5850"
LINE = "#ddd7ca"
PAPER = "#fcfbf8"
ACCENT = "#1f4e79"

#: CSS variable of the page for each color.
VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--paper", ACCENT: "--accent"}

#: Width and height of the plotting area; the whole fits a phone of 360 pixels without scaling.
WIDTH, HEIGHT = 260, 200
OUTER = 335  #: least width of a whole drawing

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Drawing:
    """An altair chart, the rows that it names (kept apart, since altair copies what a chart holds), and its caption."""

    chart: Any
    rows: dict[str, Rows]
    caption: str
    width: int = WIDTH
    height: int = HEIGHT
