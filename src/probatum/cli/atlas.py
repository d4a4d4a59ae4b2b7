"""``probatum atlas``: a directory of many models: which was made of which."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def atlas(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Model directories, as NAME or ORG/NAME below it.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the atlas goes.")] = Path("probatum-atlas"),
    times: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='JSON {"NAME": date}: when models were made. Default: cards, then files.'),
    ] = None,
    rules: Annotated[
        str, typer.Option(metavar="NAME", help="paper: P054's rules. nearest: always the nearest older model.")
    ] = "paper",
    json_: Annotated[bool, typer.Option("--json", help="Print the atlas as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Chart a directory of models: parents, copies, quantized leaves, families, and license conflicts between them.

    Reads samples of safetensors; loads nothing. Writes atlas.json and atlas.html.

    Example: probatum atlas ./models --out atlas
    """
    import json

    from probatum.cli.progress import Progress
    from probatum.core.errors import BadInput
    from probatum.core.plain import to_plain
    from probatum.lineage.atlas import Rules
    from probatum.lineage.survey import survey
    from probatum.reports.atlas import html

    if rules not in ("paper", "nearest"):
        raise BadInput(f"--rules {rules}: expected paper or nearest")
    with Progress("atlas", quiet=quiet or json_) as progress:
        found = survey(
            folder, times=_times(times) if times else None, rules=Rules(fans=rules == "paper"), step=progress.step
        )
    page, plain = html(found), json.dumps(to_plain(found), indent=1, ensure_ascii=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "atlas.json").write_text(plain + "\n", encoding="utf-8")
        (out / "atlas.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out}: the atlas cannot be written here ({error.strerror})") from error
    if json_:
        typer.echo(plain)
        return
    from probatum.reports.text import visible

    families = len({m["family"] for m in found.models})
    roots = sum(m["root"] for m in found.models)
    typer.echo(
        f"{len(found.models)} models in {families} families: {len(found.edges)} edges, {roots} without a parent here."
    )
    counts = ", ".join(f"{n} {verdict}" for verdict, n in found.licenses.items())
    typer.echo(f"Licenses along the edges: {counts}.")
    for edge in found.conflicts[:10]:
        parent, child = (found.models[edge[k]]["name"] for k in ("parent", "child"))
        typer.echo(visible(f"  {parent} → {child}: {edge['license']['sentence']}"))
    for note in found.notes:
        typer.echo(visible(note))
    typer.echo(f"Open {out / 'atlas.html'}")


def _times(file: Path) -> dict[str, float]:
    from probatum.core.errors import BadInput
    from probatum.files.tensors import read_json
    from probatum.lineage.collection import moment

    if not file.is_file():
        raise BadInput(f"{file}: expected a JSON file of times, but there is none here")
    out = {}
    for name, raw in read_json(file).items():
        value = moment(raw)
        if value is None:
            raise BadInput(f"{file}: {name} has {raw!r}, expected a date such as 2024-05-01 or seconds since 1970")
        out[name] = value
    return out


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("atlas")(atlas)
