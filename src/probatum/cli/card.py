"""``probatum card``: a model card from the evidence of an audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def card(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As for `probatum audit`.")],
    report: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A report.json of this model; else it is audited now.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the card goes.")] = Path("README.md"),
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table of this model's decisions: .csv, .parquet, .jsonl.")
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="NAME", help="Its column of what was true.")] = None,
    prediction: Annotated[str | None, typer.Option(metavar="NAME", help="Its column of what was decided.")] = None,
    group: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column of groups (repeatable).")] = None,
    suite: Annotated[str, typer.Option(metavar="NAME", help="Without --from: which suite is run.")] = "default",
    seed: Annotated[int, typer.Option(help="Fixes every draw.")] = 0,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where evidence is kept.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no evidence.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Write over a card that is there.")] = False,
) -> None:
    """Write a model card in which every number links to its finding, and the report beside it.

    Example: probatum card ./my-model --from probatum-report/my-model/report.json --out CARD.md
    """
    from probatum.audit import open_session
    from probatum.model_card import write_model_card

    places = write_model_card(
        model,
        out,
        report=report,
        decisions=decisions,
        label=label,
        prediction=prediction,
        groups=group or (),
        suite=suite,
        force=force,
        session=open_session(None if no_cache else cache or True, device=device),
        seed=seed,
    )
    typer.echo("   ".join(str(place) for place in places))


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("card")(card)
