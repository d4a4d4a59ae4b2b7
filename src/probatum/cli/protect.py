"""``probatum protect``: repair a copy of a model and prove the repair."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def protect(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="Such as npo; see `probatum list`.")],
    model: Annotated[str, typer.Argument(metavar="MODEL")],
    forget: Annotated[
        str, typer.Option("--forget", metavar="FILE", help="What is to be forgotten: prefix and secret, or text.")
    ],
    retain: Annotated[str, typer.Option("--retain", metavar="FILE", help="What is to be kept.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new model's directory.")],
    gold: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Trained without the forget set (repeatable; best three)."),
    ] = None,
    holdout: Annotated[str | None, typer.Option(metavar="FILE", help="Such facts that no model was taught.")] = None,
    field: Annotated[str | None, typer.Option(metavar="NAME", help="Column that holds the text.")] = None,
    option: Annotated[list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Set an option.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes every draw.")] = 0,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where evidence is kept.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Apply a protection to a copy of a model; audit before and after, and print the two side by side.

    Example: probatum protect npo specimen --forget forget.jsonl --retain retain.jsonl --out repaired
    """
    from rich.console import Console

    from probatum.audit import open_session
    from probatum.cli.audit import _pairs
    from probatum.protect import protect as run

    repair = run(
        method,
        model,
        forget=forget,
        retain=retain,
        out=out,
        gold=gold or (),
        holdout=holdout,
        field=field,
        options=_pairs(option or [], "--set OPTION=VALUE"),
        seed=seed,
        session=open_session(cache or True),
        say=None if quiet else lambda line: typer.echo(line, err=True),
    )
    console = Console()
    console.print(table(repair))
    said = "audits/"
    if repair.receipt is not None and repair.receipt.receipt is not None:
        from probatum.reports import receipt as view

        proof = repair.receipt.receipt
        console.print()
        console.print(view.table(proof))
        console.print(f"{proof.sentence}\nCompared with {proof.compared}.", markup=False, soft_wrap=True)
        said += ", receipt/report.html"
    typer.echo(f"{repair.directory}: the new model, protection.json, {said}")


def table(repair: object) -> object:
    """Before, after and gold, set by set."""
    from rich.table import Table
    from rich.text import Text

    from probatum.cli.compare import _show
    from probatum.core.finding import show
    from probatum.protect import Repair

    assert isinstance(repair, Repair)
    stages = list(next(iter(repair.audits.values())))
    out = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("set", "probe", *stages, "after − before"):
        out.add_column(column, overflow="fold")
    for name, reports in repair.audits.items():
        for row in repair.comparisons[name].rows:
            cells = []
            for stage in stages:
                finding = next(f for f in reports[stage].findings if f.probe == row.probe)
                cells.append(Text(f"{finding.outcome}\n{show(finding.estimate)}"))
            out.add_row(name, Text(row.probe), *cells, Text(_show(row.difference)))
    return out


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("protect")(protect)
