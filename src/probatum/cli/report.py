"""``probatum report``: the views of a report.json, rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.core.errors import BadInput


def report(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the views go (default: beside the file).")
    ] = None,
    eval_: Annotated[
        Path | None, typer.Option("--eval", metavar="DIR", help="Also one log for `inspect view` per finding.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also one result per finding, as SARIF 2.1.0.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also one test case per finding, as JUnit XML.")
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Every finding, not one line a dimension.")] = False,
) -> None:
    """Render report.html and card.md from a report.json, and print its summary.

    Example: probatum report probatum-report/specimen/report.json
    """
    from importlib import import_module

    from rich.console import Console

    from probatum.reports import render, terminal
    from probatum.reports.files import write_all
    from probatum.reports.schema import check

    if not file.is_file():
        raise BadInput(f"{file}: no such file")
    paths = render(file, out or file.parent)
    loaded = check(file.read_text(encoding="utf-8"))
    if eval_ is not None:
        from probatum.bridges.eval_log import write_logs

        scores = file.parent / "scores.json"
        paths += write_logs(loaded, eval_, scores if scores.is_file() else None)
    for place, name in ((sarif, "sarif"), (junit, "junit")):
        if place is not None:
            view = getattr(import_module(f"probatum.reports.{name}"), name)
            paths += write_all(place.parent, {place.name: view(loaded)})
    console = Console()
    console.print(terminal.findings(loaded) if long else terminal.summary(loaded))
    console.print("   ".join(str(p) for p in paths), markup=False, soft_wrap=True)


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("report")(report)
