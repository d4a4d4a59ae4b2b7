"""``probatum scan``: hands over to the scanner, which has a command line of its own and needs nothing else."""

from __future__ import annotations

import typer


def scan(context: typer.Context) -> None:
    """Say what is in a file or model directory, and whether opening it runs code. Nothing is loaded.

    Example: probatum scan ./model
    """
    from probatum.scan.__main__ import main

    raise typer.Exit(main(context.args, prog="probatum scan"))


def add(app: typer.Typer) -> None:
    """Register the verb; its words are parsed by the scanner."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("scan", context_settings=settings)(scan)
