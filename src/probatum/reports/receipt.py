"""The receipt of a repair as lines: before, after, and where gold lies, each measure on its own scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probatum.core.finding import EstimateView
from probatum.core.receipt import LineVerdict, Receipt, ReceiptLine
from probatum.reports import text
from probatum.reports.overview import LEFT, RIGHT, UNIT, end_of_scale

if TYPE_CHECKING:
    from rich.table import Table

#: What each verdict of a line means, for the legend. Signs, since color alone must not carry meaning.
MEANING: dict[LineVerdict, tuple[str, str]] = {
    "like gold": ("=", "lies where models lie that never saw the forget set"),
    "still known": ("!", "tells the model from such models: it still knows"),
    "over-unlearned": ("«", "lies beyond such models, on the far side: a trace of what was removed"),
    "lost": ("-", "is worse than in such models: the price of the repair"),
    "void": ("x", "shows nothing, since the model lost what it was to keep"),
    "not established": ("?", "could not be compared"),
}
PARTS = {"gate": "Gate: what had to stay", "kept": "Kept", "forgotten": "Forgotten"}


@dataclass(frozen=True)
class Row:
    """One line as it is drawn: places in a drawing 160 wide, and all of it in words."""

    line: ReceiptLine
    sign: str
    words: str
    ends: tuple[str, str] = ("", "")
    band: tuple[float, float] | None = None  #: left end and width
    golds: tuple[float, ...] = ()
    before: float | None = None
    after: float | None = None
    bar: tuple[float, float] | None = None


def rows(receipt: Receipt | None) -> dict[str, list[Row]]:
    """The lines by part, in the order gate, kept, forgotten; nothing where there is no receipt."""
    out: dict[str, list[Row]] = {}
    for part, title in PARTS.items():
        own = [_row(line) for line in (receipt.lines if receipt else ()) if line.part == part]
        if own:
            out[title] = own
    return out


def name(line: ReceiptLine) -> str:
    """The measure with the options that tell it from its namesakes."""
    said = ", ".join(f"{k}={v}" for k, v in line.options.items())
    return f"{line.probe} ({said})" if said else line.probe


def _row(line: ReceiptLine) -> Row:
    views = [v for v in (line.before, line.after, *line.golds) if v is not None]
    numbers = [x for v in views for x in (v.value, v.low, v.high)]
    known = [float(x) for x in numbers if x is not None and text.finite(x) is not None]
    sign = MEANING[line.verdict][0]
    words = "; ".join(
        filter(None, (
            f"{name(line)}: {line.verdict}",
            f"before {show(line.before)}",
            f"after {show(line.after)}",
            f"golds {', '.join(show(g) for g in line.golds)}" if line.golds else "",
            line.reason,
        ))
    )  # fmt: skip
    if not known:
        return Row(line, sign, words)
    low, high = _scale(line.metric, known, [x for x in (line.low, line.high) if x is not None])

    def at(x: float | None) -> float | None:
        if x is None or text.finite(x) is None:
            return None
        return round(LEFT + (RIGHT - LEFT) * min(max((x - low) / (high - low), 0.0), 1.0), 1)

    def both(a: float | None, b: float | None) -> tuple[float, float] | None:
        first, second = at(a), at(b)
        return None if first is None or second is None else (first, second)

    band = both(line.low, line.high)
    return Row(
        line,
        sign,
        words,
        (end_of_scale(low, high - low), end_of_scale(high, high - low)),
        None if band is None else (band[0], max(round(band[1] - band[0], 1), 1.0)),
        tuple(x for g in line.golds if (x := at(g.value)) is not None),
        at(line.before.value) if line.before else None,
        at(line.after.value) if line.after else None,
        both(line.after.low, line.after.high) if line.after else None,
    )


def _scale(metric: str, values: Sequence[float], band: Sequence[float]) -> tuple[float, float]:
    """From 0 to 1 for a share, wherever the band reaches; else around all that is drawn, and 0."""
    low, high = min(values), max(values)
    if low >= 0 and high <= 1 and any(word in metric for word in (*UNIT, "recall", "ROUGE", "rank", "R / (1 + R)")):
        return 0.0, 1.0
    low, high = min(low, 0.0, *band), max(high, 0.0, *band)
    return (low, high) if high > low else (low, low + 1)


def show(e: EstimateView | None) -> str:
    """A number with its interval, or a dash."""
    return "–" if e is None or text.finite(e.value) is None else f"{text.number(e.value)} {text.interval(e)}".strip()


def table(receipt: Receipt) -> Table:
    """For a terminal."""
    from rich.table import Table
    from rich.text import Text

    out = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "measure", "before", "after", "gold", "verdict"):
        out.add_column(column, overflow="fold")
    for title, own in rows(receipt).items():
        out.add_row("", Text(title, "dim"), "", "", "", "")
        for row in own:
            line = row.line
            values = [g.value for g in line.golds if g.value is not None]
            gold = "–" if not values else text.number(min(values))
            if values and min(values) != max(values):
                gold += f" … {text.number(max(values))}"
            cells = (row.sign, name(line), show(line.before), show(line.after), gold, line.verdict)
            out.add_row(*(Text(text.visible(cell)) for cell in cells))
    return out
