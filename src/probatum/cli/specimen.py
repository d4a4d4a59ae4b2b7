"""``probatum specimen``: the built-in models and their truth, as ordinary files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def specimen(
    directory: Annotated[Path, typer.Argument(metavar="DIR")],
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train them anew instead of copying the shipped ones.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Write all built-in models as Hugging Face directories, and every planted set as JSONL.

    Example: probatum specimen ./known-truth
    """
    from probatum.controls.specimen import write

    write(directory, retrain=retrain, progress=None if quiet else lambda line: typer.echo(line, err=True))
    typer.echo(f"{directory}: models and data/ with what was planted in them")


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("specimen")(specimen)
