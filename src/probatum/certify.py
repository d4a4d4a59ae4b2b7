"""Train a copy of a model privately, and write down what that guarantees: ``certificate.json``, and the ledger."""

from __future__ import annotations

import datetime
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.audit import audit, open_session
from probatum.core.binding import missing, options_of
from probatum.core.catalogue import load
from probatum.core.data import Texts, digest_of
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.releases import Release, read_ledger, releases_of, spend
from probatum.core.report import Report
from probatum.core.tables import read_rows
from probatum.engine.session import Session
from probatum.engine.tuning import supervised
from probatum.protect import save, without_costs
from probatum.statistics.certificate import recheck
from probatum.statistics.composition import afford
from probatum.statistics.guarantee import checked_delta
from probatum.targets import open_target


@dataclass(frozen=True)
class Trained:
    """The new model's directory, its certificate, and the audit that checked it."""

    directory: Path
    certificate: Mapping[str, Any]
    report: Report


def train_privately(
    method: str,
    model: str | Path,
    *,
    data: str | Path,
    out: str | Path,
    unit: str = "record",
    field: str | None = None,
    options: Mapping[str, Any] | None = None,
    canaries: str | Path | None = None,
    chosen: Sequence[str] = (),
    ledger: str | Path | None = None,
    budget_epsilon: float | None = None,
    session: Session | None = None,
    say: Callable[[str], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Trained:
    """Apply a private training to a copy of a model, save it with its certificate, and audit the certificate.

    Parameters
    ----------
    data
        File of texts.
    unit
        ``record``, or ``user:COLUMN``: whose privacy is protected; all records with one value are one unit.
    canaries
        Key of canaries that are in ``data`` (`probatum canaries`): what they prove stands in the certificate, and above
        the accountant's epsilon it is an alarm.
    chosen
        What was chosen on these very records, such as "learning rate of five runs"; epsilon does not hold it.
    ledger, budget_epsilon
        File to which the release is added; training is refused where all releases together would exceed the budget.

    Raises
    ------
    BadInput
        ``out`` is not empty; a unit is missing; delta is not below 1/n; the budget is spent.
    ProbatumError
        The certificate does not hold (a bug: nothing is certified then).
    """
    tell = say or (lambda _: None)
    chosen_method = load(method)
    if chosen_method.kind != "protection":
        raise BadInput(f"{method} is a {chosen_method.kind}, not a protection; see `probatum list`")
    settings = options_of(chosen_method, options or {})
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; name a new directory, a model is never changed in place")
    session = session or open_session()
    subject = open_target(model, session=session)
    texts = read_units(data, unit, field)
    n = len(set(texts.cluster or texts.ids))
    delta = checked_delta(float(settings.get("delta") or 0.5 / n), n)
    if budget_epsilon is not None:
        afford_run(ledger, texts.digest, delta, float(settings["epsilon"]), budget_epsilon)
    reason = missing(chosen_method, subject, {"Texts": texts}, {})
    if reason:
        raise BadInput(f"{method}: {reason}")
    units = f"{n} units of {len(texts)} records" if n != len(texts) else f"{n} records"
    tell(f"{method}: {units}, epsilon {settings['epsilon']:g} at delta {delta:.3g}, on {subject.name}")
    identity = digest_of(subject.digest, texts.digest, unit, json.dumps(dict(settings), sort_keys=True))
    unfinished = out.with_name(f"{out.name}.{identity[:8]}.tuning")
    with supervised(unfinished, progress):
        change = chosen_method.function(subject, texts, **settings)
    certificate = {
        "unit": unit,
        **change.trace["certificate"],
        "data_digest": texts.digest,
        "base_digest": subject.digest,
        "chosen_on_private_data": list(chosen),
        "empirical": {"one_run": None, "one_shot": None},
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    wrong = recheck(certificate)
    if wrong:
        raise ProbatumError(f"nothing is certified: {'; '.join(wrong)}")
    save(change, subject, out, {
        "protection": method, "paper": chosen_method.paper, "options": dict(settings), "parent": subject.digest,
        "data": texts.digest,
    })  # fmt: skip
    shutil.rmtree(unfinished, ignore_errors=True)
    seen = certificate["empirical"]
    if canaries is not None:
        tell("what the canaries prove")
        seen["one_run"] = one_run(out, canaries, delta, session)
    if change.trace["certificate"]["directions"]["count"]:
        tell("what the directions show")
        seen["one_shot"] = one_shot(out, model, change.trace["certificate"]["directions"], delta, session)
    write(certificate, out)
    tell("the audit of the certificate")
    report = audit(
        out,
        suite="certificate",
        data={"Texts": texts},
        canaries=canaries,
        dp_log=_log(certificate, out),
        session=without_costs(session),
        out=out / "audit",
    )
    if ledger is not None:
        head = spend(ledger, releases_of(certificate, what=out.name))
        write({**certificate, "ledger_head": head}, out)
    return Trained(out, certificate, report)


def read_units(path: str | Path, unit: str, field: str | None) -> Texts:
    """Texts whose cluster is the privacy unit.

    Raises `BadInput` where the unit is none, or records lack it: one person without a name would count as many.
    """
    kind, _, column = unit.partition(":")
    if unit != "record" and (kind != "user" or not column):
        raise BadInput(f"--unit is record, or user:COLUMN, got '{unit}'")
    rows = list(read_rows(path, field=field))
    if not column:
        rows = [{k: v for k, v in row.items() if k != "cluster"} for row in rows]
    else:
        lacking = [i for i, row in enumerate(rows, 1) if row.get(column) in (None, "")]
        if lacking:
            raise BadInput(
                f"{path}: {len(lacking)} of {len(rows)} records have no '{column}' (the first is record {lacking[0]}); "
                "whose they are decides what is protected, so fill it in or leave them out"
            )
        rows = [{**row, "cluster": str(row[column])} for row in rows]
    twice = Counter(str(row.get("text")) for row in rows)
    for i, row in enumerate(rows):  # the same sentence of two people is two records
        if row.get("id") is None and twice[str(row.get("text"))] > 1:
            row["id"] = f"record {i + 1}"
    return Texts.from_rows(rows, str(path), name=Path(path).stem)


def afford_run(ledger: str | Path | None, digest: str, delta: float, epsilon: float, budget: float) -> None:
    """Refuse before anything is computed what the budget does not hold.

    The planned run is composed as one Gaussian release of its epsilon, which is what its noise is solved for.
    """
    if ledger is None:
        raise BadInput("--budget-epsilon needs --ledger FILE, in which earlier releases stand")
    from probatum.statistics.guarantee import solve

    sigma = solve("sigma", epsilon=epsilon, delta=delta, q=1.0, steps=1)
    planned = [Release("planned", "record", "add-or-remove-one", "poisson", 1.0, sigma, 1, None, delta, digest)]
    earlier = read_ledger(ledger) if Path(ledger).exists() else []
    units = {r.unit for r in earlier if r.data_digest == digest}
    if units:
        planned = [Release(**{**vars(planned[0]), "unit": units.pop()})]
    afford(earlier, planned, delta, budget_epsilon=budget)


def one_run(model: Path, canaries: str | Path, delta: float, session: Session) -> dict[str, Any] | None:
    """The lower bound that the canaries of one run prove, or None where it could not be computed."""
    report = audit(
        model, canaries=canaries, probes=("epsilon_one_run",), options={"epsilon_one_run": {"delta": delta}},
        session=without_costs(session),
    )  # fmt: skip
    found = report.findings[0].estimate
    if found is None or found.value is None:
        return None
    return {"epsilon": max(0.0, float(found.value)), "delta": delta, "relation": "add-or-remove-one"}


def one_shot(
    model: Path, base: str | Path, planted: Mapping[str, int], delta: float, session: Session
) -> dict[str, Any] | None:
    """What the final weights show of the directions that took part: an estimate, no bound; None where there is none.

    ``no_signal`` is what so many directions give by chance alone. As many again that took no part are looked for too.
    The key is left as ``directions.jsonl``, since it hides nothing.
    """
    key = model / "directions.jsonl"
    count = planted["count"]
    rows = ({"seed": planted["seed"], "index": i, "member": i < count} for i in range(2 * count))
    key.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = audit(
        model, reference=base, data={"Directions": key}, probes=("epsilon_one_shot",),
        options={"epsilon_one_shot": {"delta": delta}}, session=without_costs(session),
    )  # fmt: skip
    found = report.findings[0]
    if found.estimate is None or found.estimate.value is None:
        return None
    chance = found.breakdown["of no signal"].value
    return {"epsilon": found.estimate.value, "no_signal": chance, "delta": delta, "directions": count, "kind": "point"}


def write(certificate: Mapping[str, Any], out: Path) -> None:
    """``certificate.json``, whole or not at all."""
    part = out / "certificate.json.part"
    part.write_text(json.dumps(certificate, indent=1) + "\n", encoding="utf-8")
    part.replace(out / "certificate.json")


def _log(certificate: Mapping[str, Any], out: Path) -> Path:
    """What the probes of a guarantee read: ``train-log.json``."""
    path = out / "train-log.json"
    said = {"noise_multiplier": "sigma", "sample_rate": "q", "steps": "T", "delta": "delta", "max_grad_norm": "C"}
    path.write_text(json.dumps({k: certificate[v] for k, v in said.items()}, indent=1) + "\n", encoding="utf-8")
    return path
