"""``probatum compare``: two reports, or two models, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A report, its directory, or a model.")],
    b: Annotated[str, typer.Argument(metavar="B")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where reports of models go.")] = Path("probatum-report"),
    suite: Annotated[
        str, typer.Option(metavar="NAME", help="For models: a suite, a dimension, or a .toml file.")
    ] = "default",
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Compare two audits: every probe's estimate in both, and the difference B − A with its interval, surest first.

    Models are audited first with what is built in; to compare two models of your own on your data, audit each with
    `probatum audit` and compare the two report directories.

    Example: probatum compare probatum-report/specimen probatum-report/twin
    """
    import json

    from probatum.audit import audit
    from probatum.cli.audit import folders
    from probatum.cli.progress import Progress
    from probatum.compare import compare as run
    from probatum.compare import is_report
    from probatum.core.plain import to_plain

    places = []
    for name, folder in zip((a, b), folders([a, b]), strict=True):
        if is_report(name):
            places.append(Path(name))
            continue
        places.append(out / folder)
        with Progress(name, quiet=quiet or json_) as progress:
            audit(name, suite=suite, out=places[-1], command=f"probatum audit {name}", step=progress.step)
    found = run(*places)
    if json_:
        typer.echo(json.dumps(to_plain([_plain(r) for r in found.by_certainty()]), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(table(found.by_certainty(), found.a.subject.name, found.b.subject.name))


def table(rows: Any, a: str, b: str) -> Any:
    """The comparison as a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    from probatum.core.finding import show

    out = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("probe", a, b, "B − A"):
        out.add_column(Text(column), overflow="fold")
    for row in rows:
        cells = [Text("-") if f is None else Text(f"{f.outcome}\n{show(f.estimate)}") for f in (row.a, row.b)]
        out.add_row(Text(row.probe), *cells, Text(_show(row.difference)))
    return out


def _show(d: Any) -> str:
    if d.value is None:
        return "-"
    span = f" [{d.low:.3g}, {d.high:.3g}]" if d.low is not None else ""
    p = f"\np = {d.p_value:.2g}" if d.p_value is not None else ""
    return f"{d.value:+.3g}{span}{p}, {d.kind}"


def _plain(row: Any) -> dict[str, Any]:
    def side(f: Any) -> Any:
        return None if f is None else {"id": f.id, "outcome": f.outcome, "estimate": f.estimate}

    return {
        "probe": row.probe,
        "dimension": row.dimension,
        "a": side(row.a),
        "b": side(row.b),
        "difference": row.difference._asdict(),
    }


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("compare")(compare)
