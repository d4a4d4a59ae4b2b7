"""``probatum protect``: repair a copy of a model and prove the repair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.core.errors import BadInput


def protect(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="Such as npo or dp_finetune; see `probatum list`.")],
    model: Annotated[str, typer.Argument(metavar="MODEL")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new model's directory.")] = Path("repaired"),
    forget: Annotated[
        str | None, typer.Option(metavar="FILE", help="What is to be forgotten: prefix and secret, or text.")
    ] = None,
    retain: Annotated[str | None, typer.Option(metavar="FILE", help="What is to be kept.")] = None,
    gold: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="Trained without the forget set (repeatable; best three).")
    ] = None,
    holdout: Annotated[str | None, typer.Option(metavar="FILE", help="Such facts that no model was taught.")] = None,
    requests: Annotated[
        int | None, typer.Option(min=2, help="Instead of a repair: forget in so many requests in a row, and look.")
    ] = None,
    scale: Annotated[
        int | None, typer.Option(min=2, help="Instead of a repair: forget sets of …, a quarter, a half, all of it.")
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="FILE", help="What is to be learned privately: texts.")] = None,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Whose privacy: record, or user:COLUMN.")] = "record",
    epsilon: Annotated[float | None, typer.Option(help="Of a private training.")] = None,
    delta: Annotated[float | None, typer.Option(help="Default 1/(2n).")] = None,
    adapter: Annotated[str | None, typer.Option(metavar="lora:r=N", help="Train a LoRA only, and merge it.")] = None,
    canaries: Annotated[str | None, typer.Option(metavar="FILE", help="Key of canaries that are in --data.")] = None,
    chosen: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="What was chosen on this very data (repeatable).")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(metavar="FILE", help="Releases of this data; one is added.")] = None,
    budget_epsilon: Annotated[float | None, typer.Option(help="Of all releases in the ledger.")] = None,
    role: Annotated[
        list[str] | None, typer.Option("--with", metavar="ROLE=MODEL", help="A further model, such as other of fuse.")
    ] = None,
    field: Annotated[str | None, typer.Option(metavar="NAME", help="Column that holds the text.")] = None,
    option: Annotated[list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Set an option.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes every draw (never those of private noise).")] = 0,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where evidence is kept.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Change a copy of a model and prove it: unlearn (a receipt), or fine-tune privately (a certificate).

    Example: probatum protect npo specimen --forget forget.jsonl --retain retain.jsonl --out repaired

    Example: probatum protect dp_finetune ./base --data notes.jsonl --unit user:patient_id --epsilon 3 --out run
    """
    from probatum.audit import open_session
    from probatum.cli.audit import _pairs
    from probatum.cli.progress import Progress

    options: dict[str, Any] = dict(_pairs(option or [], "--set OPTION=VALUE"))
    options |= {k: v for k, v in (("epsilon", epsilon), ("delta", delta)) if v is not None}
    if adapter is not None:
        options["rank"] = _rank(adapter)
    with Progress(method, quiet=quiet) as progress:
        common: dict[str, Any] = {
            "out": out,
            "field": field,
            "options": options,
            "session": open_session(cache or True),
            "say": None if quiet else lambda line: typer.echo(line, err=True),
            "progress": progress.tokens,
        }
        if data is not None:
            if forget or retain or gold:
                raise BadInput(
                    "--data is learned privately, --forget and --retain are unlearned: give one or the other"
                )
            _train(method, model, data, unit, canaries, chosen or (), ledger, budget_epsilon, common)
        elif (requests or scale) and forget and retain:
            from rich.console import Console

            from probatum.endurance import endure
            from probatum.endurance import table as stages

            kept = {k: v for k, v in common.items() if k not in ("out", "progress")}
            said = endure(
                method, model, forget=forget, retain=retain, kind="requests" if requests else "scale",
                parts=requests or scale or 0, seed=seed, **kept,
            )  # fmt: skip
            Console().print(stages(said))
        elif forget is None or retain is None:
            raise BadInput("unlearning needs --forget FILE and --retain FILE; private training needs --data FILE")
        else:
            common["roles"] = _pairs(role or [], "--with ROLE=MODEL")
            _repair(method, model, forget, retain, gold or (), holdout, seed, common)


def _repair(
    method: str,
    model: str,
    forget: str,
    retain: str,
    golds: Sequence[str],
    holdout: str | None,
    seed: int,
    common: dict[str, Any],
) -> None:
    from rich.console import Console

    from probatum.protect import protect as run
    from probatum.reports import receipt as view

    repair = run(method, model, forget=forget, retain=retain, gold=golds, holdout=holdout, seed=seed, **common)
    console = Console()
    console.print(table(repair))
    said = "audits/"
    if repair.receipt is not None and repair.receipt.receipt is not None:
        proof = repair.receipt.receipt
        console.print()
        console.print(view.table(proof))
        console.print(f"{proof.sentence}\nCompared with {proof.compared}.", markup=False, soft_wrap=True)
        said += ", receipt/report.html"
    typer.echo(f"{repair.directory}: the new model, protection.json, {said}")


def _train(
    method: str,
    model: str,
    data: str,
    unit: str,
    canaries: str | None,
    chosen: Sequence[str],
    ledger: Path | None,
    budget: float | None,
    common: dict[str, Any],
) -> None:
    from rich.console import Console

    from probatum.certify import train_privately
    from probatum.reports import terminal

    trained = train_privately(
        method, model, data=data, unit=unit, canaries=canaries, chosen=chosen, ledger=ledger, budget_epsilon=budget,
        **common,
    )  # fmt: skip
    said = trained.certificate
    Console().print(terminal.summary(trained.report))
    bound = said["empirical"]["one_run"]
    typer.echo(
        f"epsilon {said['epsilon']:.4g} at delta {said['delta']:.3g} for every {said['unit']} ({said['relation']}), by "
        f"{said['accountant']}; sigma {said['sigma']:.4g}, q {said['q']:.4g}, T {said['T']}, C {said['C']:g}"
    )
    if bound is not None:
        typer.echo(f"the canaries prove an epsilon of at least {bound['epsilon']:.3g}")
    if shot := said["empirical"]["one_shot"]:
        typer.echo(
            f"the final weights show an epsilon of about {shot['epsilon']:.3g} ({shot['directions']} directions, an "
            f"estimate without coverage; no signal gives {shot['no_signal']:.3g})"
        )
    typer.echo(f"{trained.directory}: the new model, certificate.json, train-log.json, audit/report.html")


def _rank(text: str) -> int:
    """``lora:r=16`` or ``lora``."""
    kind, _, value = text.partition(":r=")
    if kind != "lora" or (value and not value.isdigit()) or value == "0":
        raise BadInput(f"expected --adapter lora:r=16, got '{text}'")
    return int(value or 16)


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
