"""``probatum atlas``: a directory of many models: which was made of which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

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
    popularity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV model,downloads[,likes]: are popular models better or better documented?"
        ),
    ] = None,
    audits: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Reports of audits, whose estimates are set against popularity.")
    ] = None,
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
            folder,
            times=_times(times) if times else None,
            rules=Rules(fans=rules == "paper"),
            popularity=popularity,
            audits=audits,
            step=progress.step,
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
    for line in (*_data_sets(found.data_sets), *_popularity(found), *found.notes):
        typer.echo(visible(line))
    typer.echo(f"Open {out / 'atlas.html'}")


def _data_sets(found: dict[str, Any]) -> Iterator[str]:
    """How many data sets lie beside the models, how many have a card, and which cards do not fit."""
    card = found["documentation"][0]
    if card["n"]:
        yield f"{card['n']} data set{'s' if card['n'] > 1 else ''}, {_share(card)} with a card."
    if found["inconsistent"]["n"]:
        yield f"Of the data sets that cards name and that are here, {_share(found['inconsistent'])} do not fit:"
    rows = [row for row in found["named"] if row["verdict"] in ("no card", "no license", "conflict")]
    for row in rows[:10]:
        yield f"  {row['model']} names {row['data']}: {row['sentence']}"


def _popularity(found: Any) -> Iterator[str]:
    for row in found.popularity:
        told = f"{row['popularity']} and {row['against']}"
        if row["tau"] is None:
            yield f"{told}: not established ({row['n']} models; {row['reason']})"
        else:
            yield (
                f"{told}: tau-b {row['tau']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}], "
                f"p = {row['adjusted_p_value']:.2g} (Holm), {row['n']} models"
            )
    if found.overstated:
        yield f"Cards that an audit refuted: {_share(found.overstated)} of those audited."


def _share(row: dict[str, Any]) -> str:
    return f"{row['count']} of {row['n']} ({row['rate']:.0%} [{row['low']:.0%}, {row['high']:.0%}])"


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
