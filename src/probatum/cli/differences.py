"""Two model directories side by side, as a terminal shows them."""

from __future__ import annotations

from typing import Any

BAR, TOP = 24, 12  #: width of a bar, rows of the table of layers


def show(found: Any, console: Any) -> None:
    """Print a `probatum.lineage.compare.Differences`; text from the files cannot act on the terminal."""
    from rich.text import Text

    from probatum.reports.text import visible

    def line(text: str, style: str = "") -> None:
        console.print(Text(visible(text), style=style))

    a, b = (name.rstrip("/").rpartition("/")[2] or name for name in (found.a, found.b))
    line(found.relation.sentence if found.relation else f"{found.unread[:1].upper()}{found.unread[1:]}.", "bold")
    for note in found.relation.notes if found.relation else ():
        line(note, "dim")
    if found.relation and found.relation.tests:
        console.print()
        console.print(_tests(found.relation))
    if found.layers and (changed := [row for row in found.layers if row.equal < row.tensors]):
        console.print()
        console.print(_layers(changed, len(found.layers)))
    if found.changes or (
        found.relation and (found.relation.only_a or found.relation.only_b or found.relation.reshaped)
    ):
        console.print()
        console.print(_changes(found, a, b))
    console.print()
    level, reasons = found.version
    line(f"Version: {level or 'no new one'}, since {'; '.join(reasons)}.", "bold")
    if found.silent:
        line(f"Silent change: {', '.join(found.silent)} changed, and neither the name nor the card says so.", "bold")
    line(f"Name: {found.naming.sentence}.")
    for said in found.naming.false:
        line(f"The name does not hold: {said}.", "bold")
    if found.naming.proposal:
        line(f"Next version of {found.naming.old}: {found.naming.proposal}.")
    if found.categories:
        line(f"Kind of change: {', '.join(found.categories)}.")
    if found.licenses is not None:
        line(f"License ({found.licenses.verdict}): {found.licenses.sentence}.")


def _table(*columns: str) -> Any:
    from rich.table import Table
    from rich.text import Text

    from probatum.reports.text import visible

    out = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        out.add_column(Text(visible(column)), overflow="fold")
    return out


def _cells(*values: Any) -> list[Any]:
    from rich.text import Text

    from probatum.reports.text import visible

    return [Text(visible(str(v))) for v in values]


def _tests(relation: Any) -> Any:
    out = _table("test of independence", "layers", "units", "alike", "by chance", "p", "law")
    for t in relation.tests:
        p = "< 1e-300" if t.p_value < 1e-300 else f"{t.p_value:.2g}"
        out.add_row(*_cells(t.name, t.layers, f"{t.units:,}", f"{t.matched:,}", f"{t.expected:g}", p, t.kind))
    return out


def _layers(rows: Any, total: int) -> Any:
    """The layers that moved most, with a bar; the longest bar is the largest finite change."""
    from math import isfinite

    out = _table(f"most changed of {total}", "‖ΔW‖ / ‖W‖", "", "tensors equal")
    largest = max((r.change for r in rows if isfinite(r.change)), default=0.0) or 1.0
    for r in rows[:TOP]:
        bar = "█" * max(1, round(BAR * min(1.0, r.change / largest))) if isfinite(r.change) else ""
        out.add_row(*_cells(r.name, f"{r.change:.3g}", bar, f"{r.equal} of {r.tensors}"))
    if len(rows) > TOP:
        out.add_row(*_cells(f"… and {len(rows) - TOP} more", "", "", ""))
    return out


def _changes(found: Any, a: str, b: str) -> Any:
    out = _table("difference", "", a, b)
    for change in found.changes:
        out.add_row(*_cells(change.area, change.what, change.a, change.b))
    if found.relation:
        for what, own, other in (
            ("tensors only here", found.relation.only_a, found.relation.only_b),
            ("tensors of another shape", found.relation.reshaped, found.relation.reshaped),
        ):
            if own or other:
                sides = (f"{len(s):,}" + (f" ({', '.join(s[:2])}{', …' if len(s) > 2 else ''})" if s else "")
                         for s in (own, other))  # fmt: skip
                out.add_row(*_cells("architecture", what, *sides))
    return out
