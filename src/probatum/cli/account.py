"""``probatum account``: what private training guarantees, what noise it needs, and the ledger of its releases."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from probatum.core.errors import BadInput

_SOLVABLE = ("epsilon", "sigma", "steps", "q")
_WORDS = {"add-or-remove-one": "one unit added or removed", "replace-one": "one unit replaced by another"}

account_app = typer.Typer(add_completion=False, rich_markup_mode=None)


@account_app.callback(invoke_without_command=True)
def account(
    ctx: typer.Context,
    q: Annotated[float | None, typer.Option("--q", help="Expected batch over number of units, in (0, 1].")] = None,
    sigma: Annotated[float | None, typer.Option("--sigma", help="Noise multiplier: noise over clip.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Number of batches.")] = None,
    delta: Annotated[float | None, typer.Option("--delta", help="Below 1/n; with --n its default is 1/(2n).")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Number of units (records or users).")] = None,
    batch: Annotated[float | None, typer.Option("--batch", help="Expected batch; with --n instead of --q.")] = None,
    epochs: Annotated[float | None, typer.Option("--epochs", help="With --n and --batch instead of --steps.")] = None,
    log: Annotated[
        Path | None, typer.Option("--dp-log", metavar="FILE", help="A train-log.json instead of q, sigma and steps.")
    ] = None,
    relation: Annotated[
        str, typer.Option("--relation", metavar="NAME", help="add-or-remove-one or replace-one.")
    ] = "add-or-remove-one",
    solve: Annotated[
        str | None, typer.Option("--solve", metavar="NAME", help="Find sigma, steps or q for --epsilon.")
    ] = None,
    epsilon: Annotated[float | None, typer.Option("--epsilon", help="For --solve: what must be kept within.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Account for training with clipped, noised gradients and Poisson sampling; or solve for the noise.

    Printed are the guarantee (PLD, an upper bound), the looser bound by RDP, Edgeworth's estimate, which guarantees
    nothing, and how far the best attack can get. `probatum account ledger FILE` composes a project's releases.

    Example: probatum account --q 0.05 --sigma 1.0 --steps 20 --delta 1e-5

    Example: probatum account --solve sigma --epsilon 3 --n 42061 --batch 1024 --epochs 10
    """
    if ctx.invoked_subcommand is not None:
        return
    from probatum.account import Phase
    from probatum.account import account as run
    from probatum.account import solve as solved
    from probatum.statistics.accounting import phases_of
    from probatum.statistics.guarantee import checked_delta, checked_relation

    chosen = checked_relation(relation)
    if n is not None and n < 1:
        raise BadInput(f"--n, the number of units, must be 1 or more, got {n}")
    q, steps = _sampling(q, steps, n, batch, epochs)
    if log is not None:
        if not (q is sigma is steps is None) or solve is not None:
            raise BadInput("--dp-log FILE holds sigma, q and steps; leave these options, and --solve, out")
        from probatum.core.training_log import read_training_log

        stated = read_training_log(log)
        phases = phases_of(stated)
        delta = float(stated.delta[0]) if delta is None else delta
    if delta is None and n is not None:
        delta = 0.5 / n
    if delta is None:
        raise BadInput("--delta is missing; give it, or --n, the number of units, for 1/(2n)")
    checked_delta(delta, n)
    unknown = solve or "epsilon"
    if unknown not in _SOLVABLE:
        raise BadInput(f"--solve expects {', '.join(_SOLVABLE)}, got '{solve}'")
    if log is None:
        given: dict[str, Any] = {"q": q, "sigma": sigma, "steps": steps}
        needed = [f"--{name}" for name, value in given.items() if value is None and name != unknown]
        if needed:
            raise BadInput(f"{', '.join(needed)} missing; for example --q 0.05 --sigma 1.0 --steps 20 --delta 1e-5")
        if unknown == "epsilon":
            if epsilon is not None:
                raise BadInput("--epsilon is what --solve sigma, steps or q keeps within; name what to solve for")
        else:
            if epsilon is None:
                raise BadInput(f"--solve {unknown} needs --epsilon, what is to be kept within")
            given[unknown] = solved(
                cast(Any, unknown), epsilon=epsilon, delta=delta, sigma=sigma, q=q, steps=steps, relation=chosen
            )
            given["steps"] = int(given["steps"])
        phases = [Phase(float(given["sigma"]), float(given["q"]), int(given["steps"]))]
    found = run(phases, delta, chosen, n=n)
    if unknown != "epsilon":
        found = {"solved": {"for": unknown, "epsilon": epsilon, "value": given[unknown]}, **found}
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False) if json_ else as_text(found))


@account_app.command("ledger")
def ledger(
    file: Annotated[Path, typer.Argument(metavar="LEDGER", help="Such as privacy-ledger.jsonl, beside the data.")],
    action: Annotated[str, typer.Argument(metavar="[show|add]")] = "show",
    certificate: Annotated[Path | None, typer.Argument(metavar="[CERTIFICATE]", help="For add.")] = None,
    budget: Annotated[float | None, typer.Option("--budget-epsilon", help="For one data set; over it exits 1.")] = None,
    delta: Annotated[float | None, typer.Option("--delta", help="Compose at it; for add: of the release.")] = None,
    relation: Annotated[str | None, typer.Option("--relation", metavar="NAME", help="As of `account`.")] = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="DIGEST", help="A line that must still be there.")
    ] = None,
    what: Annotated[str, typer.Option("--what", metavar="NAME", help="For add: name of the release.")] = "",
    unit: Annotated[str | None, typer.Option("--unit", metavar="NAME", help="For add: record, user:COLUMN.")] = None,
    data: Annotated[str | None, typer.Option("--data-digest", metavar="DIGEST", help="For add.")] = None,
    q: Annotated[float | None, typer.Option("--q", help="For add.")] = None,
    sigma: Annotated[float | None, typer.Option("--sigma", help="For add.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="For add.")] = None,
    clip: Annotated[
        float | None, typer.Option("--clip", help="For add: what a unit's gradient was clipped to.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Compose all private releases over the same data to one (epsilon, delta); or add one.

    A ledger is a file of lines, each with the digest of the one before. An edited line is named, exit code 2.

    Example: probatum account ledger privacy-ledger.jsonl --budget-epsilon 8

    Example: probatum account ledger privacy-ledger.jsonl add run/certificate.json
    """
    from probatum.account import Release, balances, ledger_head, read_ledger, recheck, releases_of, spend
    from probatum.statistics.guarantee import checked_delta, checked_relation

    chosen = None if relation is None else checked_relation(relation)
    if action not in ("show", "add") or str(file) in ("show", "add"):
        raise BadInput(f"expected LEDGER, then show or add, got '{file} {action}'; the ledger's file comes first")
    if action == "add":
        options = {"--q": q, "--sigma": sigma, "--steps": steps, "--delta": delta, "--data-digest": data}
        if certificate is not None:
            if told := [k for k, value in {**options, "--unit": unit, "--clip": clip}.items() if value is not None]:
                raise BadInput(f"a certificate already says {', '.join(told)}; leave these options out")
            said = _read(certificate)
            if wrong := recheck(said):
                raise BadInput(f"{certificate} does not stand: {'; '.join(wrong)}; nothing was added")
            added = releases_of(said, what=what, source=str(certificate))
        else:
            if lacking := [name for name, value in options.items() if value is None]:
                raise BadInput(f"add needs a certificate, or {', '.join(lacking)}")
            names: dict[str, Any] = {"what": what or "private training", "unit": unit or "record"}
            stated: dict[str, Any] = {"q": q, "sigma": sigma, "T": steps, "C": clip, "delta": delta}
            relation = chosen or "add-or-remove-one"
            added = [Release(**names, **stated, relation=relation, sampler="poisson", data_digest=str(data))]
        spend(file, added)
        delta = None  # it was the release's; what all compose to is at the smallest of theirs
    elif certificate is not None:
        raise BadInput("show takes no certificate; to add one: probatum account ledger LEDGER add CERTIFICATE")
    elif delta is not None:
        checked_delta(delta)
    rows = balances(read_ledger(file, head=head), delta=delta, budget_epsilon=budget, relation=chosen)
    over = [row for row in rows if row["within"] is False]
    if json_:
        typer.echo(json.dumps({"ledger": str(file), "head": ledger_head(file), "data": rows}, indent=1))
    else:
        typer.echo("\n".join([*(_balance(row) for row in rows), f"head {ledger_head(file)}"]))
    for row in over:
        typer.echo(f"probatum: {_over(row)}", err=True)
    if over:
        raise typer.Exit(1)


def as_text(found: Mapping[str, Any]) -> str:
    """One accountant a line, then what the best attack can do."""
    lines = []
    if solved := found.get("solved"):
        value = f"{solved['value']:,.0f}" if solved["for"] == "steps" else f"{solved['value']:.8g}"
        lines += [f"{solved['for']} {value} keeps within epsilon {solved['epsilon']:g}", ""]
    for p in found["phases"]:
        lines.append(f"q {p['q']:.6g} · sigma {p['sigma']:g} · steps {p['steps']:,}")
    told = f"delta {found['delta']:.6g} · neighbors: {_WORDS[found['relation']]} · Poisson sampling"
    lines += [told + ("" if found["n"] else "; give --n, and delta is held against 1/n"), "", "epsilon"]
    lines += [f"  {_up(row['epsilon']):>9}  {_said(row)}" for row in found["epsilon"]]
    risk = found["risk"]
    closed = risk["closed_form"]["bayes_security"]
    lines += [
        "",
        "the best attack on one unit, if it knows everything else",
        f"  {_up(risk['total_variation'])}  at most: TPR − FPR of any test (total variation)",
        f"  {math.floor(risk['bayes_security'] * 1e5) / 1e5:.5f}  at least: Bayes security "
        f"(P049's closed form says {closed:.5f}, an estimate)",
        f"  {_up(risk['accuracy'])}  at most: share of right guesses where a fair coin decided",
        *(f"  {_up(tpr)}  at most: TPR at FPR {fpr}" for fpr, tpr in risk["tpr_at_fpr"].items()),
    ]
    return "\n".join(lines)


def _said(row: Mapping[str, Any]) -> str:
    """What a row's number is worth."""
    name = row["accountant"]
    if row.get("not_run"):
        return f"{name:<18} not run: {row['not_run']}"
    if row["guarantee"]:
        text = (
            "upper bound: the guarantee"
            if row["epsilon"] is not None
            else "no bound: too little noise, or delta too small"
        )
    elif row["kind"] == "estimate":
        text = f"estimate (order {row['order']}): no guarantee, the truth may lie above"
    elif name == "RDP":
        text = f"upper bound, looser (best order {row['order']:g})"
    else:
        agrees = {True: "agrees", False: "DISAGREES with PLD above", None: "nothing to compare"}[row["agrees"]]
        text = f"upper bound by {name.split()[0]} {row['version']}: {agrees}"
    return f"{name:<18} {text}"


def _up(x: float | None) -> str:
    """Rounded up: what is printed of a bound is a bound."""
    return "—" if x is None else f"{math.ceil(x * 1e5 - 1e-7) / 1e5:.5f}"


def _sampling(
    q: float | None, steps: int | None, n: int | None, batch: float | None, epochs: float | None
) -> tuple[float | None, int | None]:
    """q and steps, from the size of a batch and the number of epochs where these are given."""
    if batch is None:
        if epochs is not None:
            raise BadInput("--epochs needs --n and --batch")
        return q, steps
    if n is None or q is not None:
        raise BadInput("--batch needs --n, the number of units, and goes instead of --q")
    if not 0 < batch <= n:
        raise BadInput(f"--batch must lie above 0 and not above --n {n:,}, got {batch:g}")
    if epochs is not None:
        if steps is not None or not epochs > 0:
            raise BadInput("--epochs must be above 0, and goes instead of --steps")
        steps = math.ceil(epochs * n / batch - 1e-9)
    return batch / n, steps


def _balance(row: Mapping[str, Any]) -> str:
    names = ", ".join(row["names"][:3]) + (f" and {len(row['names']) - 3} more" if len(row["names"]) > 3 else "")
    left = (
        "" if row["left"] is None else f"; of {row['budget']:g} there is {math.floor(row['left'] * 1e5) / 1e5:.5f} left"
    )
    several = f"{row['releases']} release{'s' if row['releases'] != 1 else ''} ({names})"
    return (
        f"data {row['data_digest'][:12]} · unit {row['unit']} · {row['relation']}: {several} compose to epsilon "
        f"{_up(row['epsilon'])} at delta {row['delta']:.6g}{left}"
    )


def _over(row: Mapping[str, Any]) -> str:
    if row["other_units"] and row["epsilon"] is not None and row["epsilon"] <= row["budget"]:
        return (
            f"data {row['data_digest'][:12]} was also released by unit {', '.join(row['other_units'])}, which does not "
            f"compose with unit {row['unit']}; no one budget covers both"
        )
    return (
        f"the budget of epsilon {row['budget']:g} for data {row['data_digest'][:12]}, unit {row['unit']}, is exceeded: "
        f"{row['releases']} releases compose to {_up(row['epsilon'])} at delta {row['delta']:.6g}"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: not a certificate in JSON ({error})") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path}: a certificate is one JSON object")
    return found


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.add_typer(account_app, name="account")
