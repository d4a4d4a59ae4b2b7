"""``probatum cache``: how large the evidence store is, and an end to it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all evidence.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Another store than the default.")
    ] = None,
) -> None:
    """Say where evidence is kept and how much of it there is.

    Example: probatum cache --clear
    """
    from probatum.engine.session import default_cache
    from probatum.engine.store import EvidenceStore

    where = directory or default_cache()
    store = EvidenceStore(where)
    if clear:
        store.clear()
        shutil.rmtree(where / "in-situ", ignore_errors=True)  # models that have read the user's texts by heart
    typer.echo(f"{where}: {len(store):,} rows, {store.size() / 1e6:.1f} MB")
    store.close()


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("cache")(cache)
