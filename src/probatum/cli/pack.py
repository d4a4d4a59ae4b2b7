"""``probatum pack``: safetensors without loss in two thirds of the room, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ENDING = ".pack"


def pack(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A safetensors file; with --unpack, a packed one.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Where it goes; else FILE.pack.")] = None,
    unpack: Annotated[bool, typer.Option("--unpack", help="Give the original back, bit by bit.")] = False,
    base: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the difference to this safetensors file.")
    ] = None,
    threads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads; else one for each core.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Pack the tensors of a safetensors file without loss: bf16 to about 66 %, fp32 to about 83 %.

    Example: probatum pack model.safetensors
    """
    import json

    from probatum.cli.progress import Progress
    from probatum.core.errors import BadInput
    from probatum.files.pack import pack as run
    from probatum.files.unpack import unpack as back

    if out is None:
        if unpack and (source.suffix != ENDING or not source.stem):
            raise BadInput(f"{source}: does not end in {ENDING}; name the output")
        out = source.with_suffix("") if unpack else source.with_name(source.name + ENDING)
    with Progress(source.name, quiet=quiet or json_) as progress:

        def step(done: int, total: int) -> None:
            progress.tokens("bytes", done, total)

        done = (back if unpack else run)(source, out, base=base, threads=threads, force=force, step=step)
    if json_:
        said = {"out": str(done.out), "original": done.original, "packed": done.packed, "sha256": done.sha256}
        typer.echo(json.dumps(said if unpack else said | {"differences": done.differences}, indent=1))
        return
    if unpack:
        typer.echo(f"{out}: {done.original:,} bytes, the original bit by bit (sha256 {done.sha256})")
        return
    typer.echo(f"{out}: {done.packed:,} of {done.original:,} bytes ({done.ratio:.1%}); sha256 {done.sha256}")
    if base is not None:
        typer.echo(f"  {done.differences:,} bytes are kept as difference to {base}, which unpacking needs")


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("pack")(pack)
