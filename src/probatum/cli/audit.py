"""``probatum audit``: run a suite of probes on a model, each with its controls."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.core.errors import BadInput


def audit(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Directory, hf:ORG/NAME, URL, a built-in name, or a file: recorded answers, decisions.",
        ),
    ],
    members: Annotated[str | None, typer.Option(metavar="FILE", help="Texts that were in the training data.")] = None,
    nonmembers: Annotated[str | None, typer.Option(metavar="FILE", help="Texts that were not.")] = None,
    randomized: Annotated[bool, typer.Option("--randomized", help="A coin decided who is a member.")] = False,
    records: Annotated[
        str | None, typer.Option(metavar="FILE", help="Secrets: prefix, secret[, format, member].")
    ] = None,
    prompts: Annotated[str | None, typer.Option(metavar="FILE", help="prompt, expected, triggered[, cluster].")] = None,
    pairs: Annotated[
        str | None, typer.Option(metavar="FILE", help="text_a, text_b, group_a, group_b[, cluster].")
    ] = None,
    choices: Annotated[str | None, typer.Option(metavar="FILE", help="question, options, answer.")] = None,
    norms: Annotated[str | None, typer.Option(metavar="FILE", help="question, options, answer, about norms.")] = None,
    forms: Annotated[str | None, typer.Option(metavar="FILE", help="choices with form and cluster.")] = None,
    forget: Annotated[
        str | None, typer.Option(metavar="FILE", help="For a receipt: what was to be forgotten (prefix, secret).")
    ] = None,
    retain: Annotated[str | None, typer.Option(metavar="FILE", help="For a receipt: what was to be kept.")] = None,
    holdout: Annotated[str | None, typer.Option(metavar="FILE", help="Such facts that no model was taught.")] = None,
    texts: Annotated[str | None, typer.Option(metavar="FILE", help="Ordinary texts for token frequencies.")] = None,
    key: Annotated[str | None, typer.Option(metavar="FILE", help="Fingerprints: trigger, response, space.")] = None,
    canaries: Annotated[str | None, typer.Option(metavar="FILE", help="Key of `probatum canaries make`.")] = None,
    dp_log: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Training log (JSON): noise_multiplier, sample_rate, steps, delta."),
    ] = None,
    directions: Annotated[
        str | None, typer.Option(metavar="FILE", help="Directions planted in a training: seed, index, member.")
    ] = None,
    prediction: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a table of decisions: the column of what was decided.")
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="NAME", help="The column of what was true.")] = None,
    score: Annotated[str | None, typer.Option(metavar="NAME", help="The column of the score behind it.")] = None,
    group: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column of groups (repeatable).")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--data", metavar="DIR", help="Where benchmark items are looked for.")
    ] = None,
    facets: Annotated[
        bool, typer.Option("--facets", help="HELM's further metrics of every task; asks each item six times more.")
    ] = False,
    field: Annotated[str | None, typer.Option(metavar="NAME", help="Column that holds the text.")] = None,
    reference: Annotated[str | None, typer.Option(metavar="MODEL", help="A model that never saw the members.")] = None,
    role: Annotated[list[str] | None, typer.Option("--with", metavar="ROLE=MODEL", help="A further model.")] = None,
    suite: Annotated[str, typer.Option(metavar="NAME", help="A suite, a dimension, or a .toml file.")] = "default",
    probe: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this probe (repeatable).")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="PROBE.OPTION=VALUE", help="Set an option.")
    ] = None,
    policy: Annotated[str | None, typer.Option(metavar="FILE", help="Thresholds; exit code 1 if over.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many records of each kind.")] = None,
    token_budget: Annotated[int | None, typer.Option(min=1, help="At most so many forward tokens.")] = None,
    in_situ: Annotated[
        bool, typer.Option("--in-situ", help="Plant controls in a copy of this very model: its own detection limits.")
    ] = False,
    budget: Annotated[str, typer.Option(metavar="TIME", help="For --in-situ: at most 90s, 10m, 1h.")] = "10m",
    seed: Annotated[int, typer.Option(help="Fixes every draw.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the reports go.")] = Path("probatum-report"),
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where evidence is kept.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no evidence.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show private texts unmasked.")] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the model at an endpoint.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, float16.")] = "auto",
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that came with the model.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would run and what it costs; call no model.")] = False,
    price: Annotated[
        str | None, typer.Option(metavar="READ,WRITTEN", help="For --plan: of a million tokens at an endpoint.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="The report on stdout, nothing else.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Let errors through with their traceback.")] = False,
) -> None:
    """Run every probe of a suite on one or more models, each probe with its controls.

    Example: probatum audit ./my-model --members train.jsonl --nonmembers heldout.jsonl --reference ./base
    """
    from probatum.audit import audit as run
    from probatum.audit import open_session
    from probatum.cli.progress import Progress
    from probatum.core.policy import Policy

    if json_ and len(models) > 1:
        raise BadInput("--json takes one model: stdout holds one report")
    files = {"Records": records, "Prompts": prompts, "Pairs": pairs, "Choices": choices, "Norms": norms, "Forms": forms}
    files |= {
        "Forget": forget,
        "Retain": retain,
        "Holdout": holdout,
        "Texts": texts,
        "Key": key,
        "Directions": directions,
    }
    given: dict[str, Any] = {
        "members": members,
        "nonmembers": nonmembers,
        "randomized": randomized,
        "data": {kind: path for kind, path in files.items() if path},
        "sets": sets or (),
        "facets": facets,
        "canaries": canaries,
        "dp_log": dp_log,
        "prediction": prediction,
        "label": label,
        "score": score,
        "groups": group or (),
        "field": field,
        "reference": reference,
        "roles": _pairs([r for r in role or [] if not r.startswith("gold=")], "--with ROLE=MODEL"),
        "golds": [r.removeprefix("gold=") for r in role or [] if r.startswith("gold=")],
        "suite": suite,
        "probes": probe or (),
        "options": _options(option or []),
        "policy": Policy.read(policy) if policy else None,
        "limit": limit,
        "seed": seed,
        "reveal": reveal,
        "endpoint_model": model,
        "debug": debug,
    }
    store = None if no_cache else cache or True
    settings = {"device": device, "dtype": dtype, "trust_remote_code": trust_remote_code, "token_budget": token_budget}
    if plan:
        from probatum.planning import plan as rehearse

        for name in models:
            costs = _price(price)
            typer.echo(rehearse(name, session=open_session(store, **settings), price=costs, **given))  # type: ignore[arg-type]
        return
    reports, places = [], []
    for name, folder in zip(models, folders(models), strict=True):
        places.append(out / folder)
        with Progress(name, quiet=quiet or json_) as progress:
            session = open_session(store, **settings)  # type: ignore[arg-type]
            session.progress, progress.cost = progress.tokens, session.cost
            command = _command(name)
            planting = {"in_situ": in_situ, "budget": _seconds(budget)}
            how: dict[str, Any] = {"out": places[-1], "command": command, "step": progress.step, **planting}
            reports.append(run(name, session=session, **how, **given))
        if any(f.reason == "interrupted" for f in reports[-1].findings):
            break
    if json_:
        sys.stdout.write(reports[0].to_json())
    elif not quiet:
        _show(reports, places)
    if any(not r.complete for r in reports):
        ended = [f for r in reports for f in r.findings if f.reason.startswith(("crashed", "interrupted"))]
        typer.echo(f"probatum: incomplete: {'; '.join(f'{f.probe} {f.reason}' for f in ended[:3])}", err=True)
        raise typer.Exit(130 if any(f.reason == "interrupted" for f in ended) else 3)
    if any(r.policy is not None and not r.policy.passed for r in reports):
        raise typer.Exit(1)


def _show(reports: list[Any], places: list[Path]) -> None:
    from rich.console import Console

    from probatum.reports import terminal

    console = Console()
    console.print(terminal.side_by_side(reports) if len(reports) > 1 else terminal.summary(reports[0]))
    for report, place in zip(reports, places, strict=True):
        if report.receipt is not None:
            from probatum.reports import receipt

            console.print()
            console.print(receipt.table(report.receipt))
            console.print(
                f"{report.receipt.sentence}\nCompared with {report.receipt.compared}.", markup=False, soft_wrap=True
            )
        if report.policy is not None:
            verdict = "within" if report.policy.passed else "over"
            console.print(f"{report.subject.name}: {verdict} the policy '{report.policy.name}'", markup=False)
            for reason in report.policy.failed.values():
                console.print(f"  {reason}", markup=False)
        console.print(f"{place}/report.html   report.json   card.md", markup=False, soft_wrap=True)


def _folder(name: str) -> str:
    """A folder's name for a model: the last part of its path, without what no file system likes."""
    last = (
        name.rstrip("/").replace("://", "/").rsplit("/", 1)[-1] if not name.startswith("http") else name.split("://")[1]
    )
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in last).strip(".") or "model"


def folders(names: list[str]) -> list[str]:
    """One folder for each model; where two have the same last part, the later one gets a number."""
    out: list[str] = []
    for name in names:
        folder, n = _folder(name), 1
        while (one := folder if n == 1 else f"{folder}-{n}") in out:
            n += 1
        out.append(one)
    return out


def _command(name: str) -> str:
    """The exact command, for one model, as the user could type it again; keys and secrets are never in it."""
    # A URL may carry a user and a password; everything up to its last @ goes.
    words = [re.sub(r"(https?://)[^/\s]*@", r"\1", word) for word in sys.argv[1:]]
    return "probatum " + shlex.join(words) if words else f"probatum audit {name}"


def _seconds(text: str) -> float:
    """``90s``, ``10m``, ``1.5h``; a bare number is seconds."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    try:
        seconds = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise BadInput(f"expected a time such as 90s, 10m or 1h, got '{text}'")
    return seconds


def _price(text: str | None) -> tuple[float, float] | None:
    """``0.15,0.6``: of a million tokens read, and written."""
    if text is None:
        return None
    try:
        read, written = (float(part) for part in text.split(","))
    except ValueError:
        read = written = -1.0
    if not (0 <= read < float("inf") and 0 <= written < float("inf")):
        raise BadInput(f"expected --price READ,WRITTEN of a million tokens, such as 0.15,0.6, got '{text}'")
    return read, written


def _pairs(items: list[str], form: str) -> dict[str, str]:
    out = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name or not value:
            raise BadInput(f"expected {form}, got '{item}'")
        out[name] = value
    return out


def _options(items: list[str]) -> dict[str, dict[str, str]]:
    out: dict[str, dict[str, str]] = {}
    for name, value in _pairs(items, "--set PROBE.OPTION=VALUE").items():
        probe, dot, option = name.partition(".")
        if not dot:
            raise BadInput(f"expected --set PROBE.OPTION=VALUE, got '{name}={value}'")
        out.setdefault(probe, {})[option] = value
    return out


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("audit")(audit)
