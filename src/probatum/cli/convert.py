"""``probatum convert``: PyTorch pickles become safetensors, and nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.scan.finding import printable


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A PyTorch checkpoint, or a model directory.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The safetensors file, or the new directory.")],
    key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which dict of tensors, such as state_dict; '.' for all.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Write tied tensors once and note the other names in the metadata.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Rewrite PyTorch pickles as safetensors without unpickling; only what the scan proves inert is read.

    Example: probatum convert pytorch_model.bin model.safetensors
    """
    import json

    from probatum.cli.progress import Progress
    from probatum.core.errors import BadInput
    from probatum.files.convert import convert as run
    from probatum.files.convert_directory import convert_directory

    if not source.exists():
        raise BadInput(f"{source}: does not exist")
    with Progress(source.name, quiet=quiet or json_) as progress:

        def step(done: int, total: int) -> None:
            progress.tokens("bytes", done, total)

        if source.is_dir():
            if key is not None:
                raise BadInput("--key is for a single checkpoint; convert the file itself")
            done = convert_directory(source, out, once=once, force=force, step=step)
            files, extra = done.files, {"copied": done.copied, "remarks": done.remarks, "left": done.left}
        else:
            files, extra = [run(source, out, key=key, once=once, force=force, step=step)], {}
    if json_:
        typer.echo(json.dumps({"files": [_plain(f) for f in files], **extra}, indent=1, ensure_ascii=False))
        return
    for file in files:
        _say(file, once)
    if extra:
        typer.echo(f"copied: {_names(extra['copied'])}")
        for remark in extra["remarks"]:
            typer.echo(f"  the scan says of {remark}")
        if extra["left"]:
            typer.echo(f"left behind: {_names(extra['left'])}")


def _say(file: Any, once: bool) -> None:
    where = "" if file.key == "." else f" of '{printable(file.key)}'"
    typer.echo(
        f"{file.out}: {file.tensors:,} tensors{where}, {file.size:,} bytes, from {file.source} ({file.format}); "
        "every tensor was read back and is the same"
    )
    if file.tied:
        how = "written once; the metadata names the rest" if once else "written under each name"
        typer.echo(f"  {len(file.tied)} names are another name of a tensor, {how}: {_names(sorted(file.tied))}")
    if file.left_out:
        typer.echo(f"  left out, since no tensor: {_names(file.left_out)}")


def _names(names: list[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(printable(n)[:80] for n in names[:6]) + more


def _plain(file: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(file).items()}


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("convert")(convert)
