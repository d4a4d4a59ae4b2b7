"""``probatum history``: how model repositories change, and which changes of weights nobody was told of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def history(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Git checkouts, or exported logs (see docs/lineage.md).")
    ],
    popularity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV model,downloads; models are the names of the directories.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Read the commits of model repositories: kinds of changes, in which order, and changes of weights without a word.

    Git is run without the repository's configuration, hooks and remotes; no file of the checkout is opened.

    Example: probatum history ./model
    """
    import json

    from probatum.core.plain import to_plain
    from probatum.lineage.history import history as read

    found = read(paths, popularity=popularity)
    if json_:
        typer.echo(json.dumps(to_plain(found), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    show(found, Console())


def show(found: Any, console: Any) -> None:
    """Print a `probatum.lineage.history.History`."""
    from rich.table import Table
    from rich.text import Text

    from probatum.lineage.history import PUBLISHED
    from probatum.reports.text import visible

    def line(text: str) -> None:
        console.print(Text(visible(text)))

    def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        out = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            out.add_column(Text(column))
        for row in rows:
            out.add_row(*(Text(visible(cell)) for cell in row))
        console.print(out)
        console.print()

    line(f"{found.commits:,} commits (merges left out) of {len(found.repositories):,} repositories.")
    console.print()
    table(("kind of change", "commits", "share"), [(r["name"], str(r["count"]), _share(r)) for r in found.shares])
    steps = [(f"{t['before']} → {t['after']}", f"{t['count']} of {t['n']}", _share(t)) for t in found.transitions[:12]]
    if steps:
        table(("what follows what", "commits", "share"), steps)
    for edge in found.edges:
        line(f"{edge['child']} depends on {edge['parent']}: BIC falls by {edge['gain']:.1f} without this edge.")
    if found.bic and not found.edges:
        line("No dependence between commits was found: the network without edges has the best BIC.")
    for row in (found.unsignaled, found.never_signaled):
        if row["n"]:
            line(
                f"Weights changed, and neither name nor document {row['name']}: {row['count']} of {row['n']} changes, "
                f"{_share(row)}; P110 found {PUBLISHED:.2%} between releases."
            )
    if not found.unsignaled["n"]:
        line("No commit changed weights that were there before.")
    for note in found.notes:
        line(note)


def _share(row: dict[str, Any]) -> str:
    return "-" if row["rate"] is None else f"{row['rate']:.1%} [{row['low']:.1%}, {row['high']:.1%}]"


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("history")(history)
