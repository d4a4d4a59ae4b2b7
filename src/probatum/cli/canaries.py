"""``probatum canaries``: made-up records to plant in a training run of one's own, and the key that audits it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.core.errors import BadInput

canaries = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make canaries, plant them in training data, and audit the model that was trained on them.\n\n"
    "Example: probatum canaries make --out canaries",
)


@canaries.command("make")
def make(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Gets key.json and canaries.jsonl.")],
    count: Annotated[int, typer.Option(help="How many, those that the coin leaves out among them.")] = 200,
    kinds: Annotated[
        str | None, typer.Option(metavar="LIST", help="digits,people,new-token, and high-temperature with --model.")
    ] = None,
    repeats: Annotated[str, typer.Option(metavar="LIST", help="How often one is trained on, if it is.")] = "1,4,16",
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Writes those of kind high-temperature.")] = None,
    temperature: Annotated[float, typer.Option(help="At which it writes them.")] = 1.2,
    seed: Annotated[int | None, typer.Option(help="Repeats a draw. Who knows it knows the coins.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Make canaries, toss a coin for each, and seal the key. Say what an audit with so many can show.

    Example: probatum canaries make --out canaries --count 400 --repeats 1
    """
    from probatum.controls.canaries import make as run
    from probatum.controls.canary_key import KEY, PLANTED
    from probatum.controls.canary_kinds import SAMPLED, TEMPLATES

    chosen = _words(kinds) if kinds is not None else [*TEMPLATES, *([SAMPLED] if model else ())]
    if model and SAMPLED not in chosen:
        raise BadInput(f"--model writes canaries of kind {SAMPLED}, which --kinds leaves out")
    options: dict[str, Any] = {"count": count, "kinds": chosen, "repeats": _counts(repeats), "seed": seed}
    if model:
        from probatum.audit import open_session
        from probatum.cli.progress import Progress
        from probatum.targets import open_target

        with Progress(model, quiet=quiet or json_) as progress:
            session = open_session(None)
            session.progress = progress.tokens
            key = run(out, model=open_target(model, session=session), temperature=temperature, **options)
    else:
        key = run(out, temperature=temperature, **options)
    said = _said(key) | {"key": str(out / KEY), "canaries": str(out / PLANTED)}
    if json_:
        typer.echo(json.dumps(said, indent=1, ensure_ascii=False))
        return
    typer.echo(
        f"{said['key']}: {count} canaries and their coins, for you alone; the audit needs it, no training may see it"
    )
    typer.echo(f"{said['canaries']}: the {said['lines']} lines to train on; `probatum canaries insert` mixes them in")
    typer.echo(f"seal {key.seal}: published before the training, it commits you to the coins")
    for kind, n in said["kinds"].items():
        secret = "" if n["bits"] is None else f", secrets of {n['bits']:.1f} bits"
        typer.echo(f"  {kind:<17} {n['count']}{secret}")
    if kinds is None and not model:
        typer.echo(f"  {SAMPLED:<17} left out: needs --model")
    typer.echo(f"  repeats           {', '.join(f'{n} at {r}' for r, n in said['repeats'].items())}")
    auroc, epsilon = said["detectable_auroc"], said["epsilon_ceiling"]
    typer.echo(f"One probe, asked about so many, finds an AUROC of {auroc:.3f} four times in five (two-sided, 5 %).")
    typer.echo(f"One training run with so many proves an epsilon of {epsilon:.2f} at most (delta 0, 95 %).")
    if max(said["repeats"]) > 1:
        typer.echo("That is the epsilon of a canary with all its repeats; for that of a single record use --repeats 1.")


@canaries.command("insert")
def insert(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Training data: .jsonl, .csv, .parquet or .txt.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The key.json of `probatum canaries make`.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Gets the data with the canaries, as .jsonl.")],
    field: Annotated[str, typer.Option(metavar="NAME", help="Column that holds the text.")] = "text",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Mix the canaries whose coin said so into training data, at random places; the other columns stay.

    Example: probatum canaries insert train.jsonl --key canaries/key.json --out train+canaries.jsonl
    """
    from dataclasses import asdict

    from probatum.controls.canary_insert import insert as run

    done = run(source, key, out, field=field, force=force)
    if json_:
        typer.echo(json.dumps({"out": str(out), **asdict(done)}))
        return
    share = done.lines / (done.records + done.lines)
    typer.echo(
        f"{out}: {done.records:,} records and {done.canaries} canaries in {done.lines:,} lines ({share:.1%} of all)"
    )


def _said(key: Any) -> dict[str, Any]:
    """What may be told of a key: counts, never coins by canary or texts."""
    from probatum.controls.canary_kinds import bits
    from probatum.statistics.power import detectable_auroc, one_run_ceiling

    kinds, repeats = Counter(c.kind for c in key.canaries), Counter(c.repeats for c in key.canaries)
    return {
        "run": key.run,
        "seal": key.seal,
        "count": len(key.canaries),
        "lines": len(key.planted),
        "kinds": {kind: {"count": n, "bits": bits(kind)} for kind, n in kinds.items()},
        "repeats": dict(sorted(repeats.items())),
        "detectable_auroc": detectable_auroc(len(key.canaries) // 2, alpha=0.025),  # the audit tests both sides
        "epsilon_ceiling": one_run_ceiling(len(key.canaries)),
    }


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _counts(text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError as error:
        raise BadInput(f"expected --repeats as counts with commas, such as 1,4,16, got '{text}'") from error


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.add_typer(canaries, name="canaries")
