"""``probatum guest``: tasks of other harnesses, with null responders and exact intervals."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.core.errors import BadInput

FORM = "expected inspect:FILE.py@TASK, lmeval:NAME or lmeval:FILE.yaml"


def guest(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As for `probatum audit`.")],
    tasks: Annotated[
        list[str], typer.Argument(metavar="TASK...", help="inspect:FILE.py@TASK, lmeval:NAME or lmeval:FILE.yaml.")
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many samples of each task.")] = None,
    dimension: Annotated[str, typer.Option(metavar="NAME", help="Where the findings stand.")] = "truthfulness",
    null: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this null responder (repeatable).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Inspect: how often each sample is asked.")] = None,
    form: Annotated[str, typer.Option(metavar="TEXT", help="Inspect: how null responders answer: 'ANSWER: {}'.")] = "",
    logs: Annotated[Path | None, typer.Option(metavar="DIR", help="Inspect: keep its own logs here.")] = None,
    fewshot: Annotated[int | None, typer.Option(min=0, help="lm-eval: demonstrations before a question.")] = None,
    chat: Annotated[bool, typer.Option("--chat", help="lm-eval: ask through the chat template.")] = False,
    seed: Annotated[int, typer.Option(help="Fixes every draw.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the reports go.")] = Path("probatum-report"),
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where evidence is kept.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no evidence.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the samples unmasked.")] = False,
    endpoint_model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Name of the model at an endpoint.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
) -> None:
    """Run tasks of Inspect or of lm-evaluation-harness on a model, and null responders and an oracle on the same tasks.

    Example: probatum guest ./my-model lmeval:truthfulqa_mc1 inspect:my_task.py@arithmetic --limit 100
    """
    from rich.console import Console

    from probatum.audit import open_session
    from probatum.bridges.guest_report import report_of
    from probatum.cli.audit import _command, folders
    from probatum.core.finding import number
    from probatum.reports import terminal
    from probatum.targets import open_target

    for task in tasks:
        if task.partition(":")[0] not in ("inspect", "lmeval") or not task.partition(":")[2]:
            raise BadInput(f"{FORM}, got '{task}'")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    begun = time.perf_counter()
    named: dict[str, Any] = {"model": endpoint_model} if endpoint_model else {}
    subject = open_target(model, session=open_session(None if no_cache else cache or True), **named)
    guests: list[Any] = []
    packages: dict[str, str] = {}
    given: dict[str, Any] = {"limit": limit, "seed": seed, **({"nulls": null} if null else {})}
    for task in tasks:
        harness, _, name = task.partition(":")
        if not quiet:
            typer.echo(f"{task}: asking {subject.name} and the null responders", err=True)
        if harness == "inspect":
            from probatum.bridges import inspect_task

            packages |= inspect_task.PACKAGES
            guests += inspect_task.inspect_guests(name, subject, epochs=epochs, form=form, logs=logs, **given)
        else:
            from probatum.bridges import lmeval_task

            packages |= lmeval_task.PACKAGES
            guests += lmeval_task.lmeval_guests(name, subject, fewshot=fewshot, chat=chat, **given)
    place = out / folders([model])[0]
    report = report_of(
        guests, subject, dimension=dimension, seed=seed, reveal=reveal, seconds=time.perf_counter() - begun,
        packages=packages, command=_command(model) if len(sys.argv) > 1 else "", out=place,
    )  # fmt: skip
    if not quiet:
        console = Console()
        console.print(terminal.findings(report))
        for f in report:
            beside = ", ".join(f"{c.target} {number(c.estimate.value)}" for c in f.controls if c.estimate is not None)
            own = number(f.estimate.value) if f.estimate is not None else "no score"
            console.print(f"{f.probe}: {own}; beside it {beside or 'nobody'}", markup=False)
        console.print(f"{place}/report.html   report.json   card.md", markup=False, soft_wrap=True)


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("guest")(guest)
