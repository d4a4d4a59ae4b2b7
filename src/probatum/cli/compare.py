"""``probatum compare``: two reports, two model directories, or two models that are audited first, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A report, its directory, a model, or a GGUF file.")],
    b: Annotated[str, typer.Argument(metavar="B")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where reports of models go.")] = Path("probatum-report"),
    suite: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Audit both models first, with a suite, a dimension, or a .toml file."),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option("--with", metavar="C", help="For directories: is A a merge of B and this one?"),
    ] = None,
    level: Annotated[
        float, typer.Option(metavar="P", help="For directories: error allowed when two are called related.")
    ] = 0.001,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Compare two model directories, or two audits.

    Two model directories are read, never loaded: does one descend from the other (copied, quantized, pruned, tuned,
    merged, put in another order), what differs in configuration, tokenizer, template, card and license, which version
    number that deserves, and which change nobody was told of.

    Two reports: every probe's estimate in both, and the difference B − A with its interval, surest first. Built-in
    models, endpoints and hub models are audited first, and so are directories with --suite; to compare two models of
    your own on your data, audit each with `probatum audit` and compare the two report directories.

    Example: probatum compare ./model ./base
    Example: probatum compare probatum-report/specimen probatum-report/twin
    """
    import json

    from probatum.audit import audit
    from probatum.cli.audit import folders
    from probatum.cli.progress import Progress
    from probatum.compare import compare as run
    from probatum.compare import is_report
    from probatum.core.errors import BadInput
    from probatum.core.plain import to_plain

    if suite is None and _directories(a, b):
        _static(a, b, other, level, json_, quiet)
        return
    if other is not None:
        raise BadInput("--with is for two model directories, which are compared without --suite")
    places = []
    for name, folder in zip((a, b), folders([a, b]), strict=True):
        if is_report(name):
            places.append(Path(name))
            continue
        places.append(out / folder)
        with Progress(name, quiet=quiet or json_) as progress:
            audit(name, suite=suite or "default", out=places[-1], command=f"probatum audit {name}", step=progress.step)
    found = run(*places)
    if json_:
        typer.echo(json.dumps(to_plain([_plain(r) for r in found.by_certainty()]), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(table(found.by_certainty(), found.a.subject.name, found.b.subject.name))


def _directories(a: str, b: str) -> bool:
    """Are both directories with a model in them, and neither one with a report?"""
    from probatum.compare import is_report
    from probatum.lineage.model import has_model

    return all(has_model(name) and not is_report(name) for name in (a, b))


def _static(a: str, b: str, other: str | None, level: float, json_: bool, quiet: bool) -> None:
    import json

    from probatum.cli.progress import Progress
    from probatum.core.errors import BadInput
    from probatum.core.plain import to_plain
    from probatum.lineage.compare import compare_directories

    if not 0 < level < 1:
        raise BadInput(f"--level {level:g}: expected a share between 0 and 1, such as 0.001")
    with Progress("compare", quiet=quiet or json_) as progress:
        found = compare_directories(a, b, other=other, level=level, step=progress.step)
    if json_:
        typer.echo(json.dumps(to_plain(found), indent=1, ensure_ascii=False))
        return
    from rich.console import Console

    from probatum.cli.differences import show

    show(found, Console())


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
