"""``probatum sign``: sign the files of a model, and check them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from probatum.core.errors import BadInput

SHOWN = 50


def sign(
    model: Annotated[Path | None, typer.Argument(metavar="MODEL", help="A directory or a file.")] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Private key to sign with, public key to check with.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare the files with what was signed.")] = False,
    new_key: Annotated[str | None, typer.Option(metavar="NAME", help="Make NAME.pem and NAME.pub.")] = None,
    signature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it lies (default: MODEL/probatum.sig.json).")
    ] = None,
    links: Annotated[
        str | None, typer.Option(metavar="HOW", help="What a link means: refuse, record or follow.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Files left out; of a check, files that may be added.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Sign every file of a model with an Ed25519 key; --check names what differs. Exit codes: 0 as signed, 1 not, 2 bad
    input.

    Example: probatum sign ./model --key k.pem; probatum sign --check ./model --key k.pub
    """
    from probatum import signing
    from probatum.scan.finding import printable

    if new_key is not None:
        if model is not None or key is not None or check:
            raise BadInput("--new-key NAME stands alone: make the pair first, then sign with NAME.pem")
        private, public = signing.new_key(new_key)
        typer.echo(f"{private}: the private key, for you alone; who has it signs in your name")
        typer.echo(f"{public}: the public key; give it to who checks, by another way than the model")
        return
    if model is None or key is None:
        raise BadInput("expected a model and a key: probatum sign MODEL --key k.pem (--new-key k makes one)")
    if check and links is not None:
        raise BadInput("--links belongs to signing; what links mean is part of the signature")
    patterns = tuple(ignore or ())
    with _progress(quiet) as progress:
        if not check:
            place, count = signing.sign(
                model, key, signature=signature, links=links or "refuse", ignore=patterns, progress=progress
            )
        else:
            result = signing.check(model, key, signature=signature, ignore=patterns, progress=progress)
    if not check:
        typer.echo(f"{printable(str(place))}: {count} files signed")
        return
    lines = result.lines()
    for line in lines[:SHOWN]:
        typer.echo(line)
    if len(lines) > SHOWN:
        typer.echo(f"… and {len(lines) - SHOWN} more")
    if result.ignored:
        typer.echo(f"not covered, as signed: {', '.join(printable(p) for p in result.ignored)}")
    if not result.passed:
        if not result.refused:
            many = "1 difference" if len(lines) == 1 else f"{len(lines)} differences"
            typer.echo(f"{printable(str(model))}: {many} from what was signed")
        raise typer.Exit(1)
    typer.echo(f"{printable(str(model))}: all {result.signed} files are as they were signed")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Bytes, rate and time left, on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(24), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("sign")(sign)
