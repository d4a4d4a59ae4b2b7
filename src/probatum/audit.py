"""The public way in: `audit` opens what was named, runs a suite of probes, and decides every outcome."""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum.core.access import Access
from probatum.core.binding import options_of
from probatum.core.cards import read_claims
from probatum.core.catalogue import Method, load
from probatum.core.control import InSitu
from probatum.core.cost import Budget
from probatum.core.data import KINDS, Certificate, Data
from probatum.core.errors import BadInput, NotOffered, ProbatumError, StoreError
from probatum.core.estimate import Result, Truth
from probatum.core.finding import Finding
from probatum.core.masking import alias
from probatum.core.plain import to_plain
from probatum.core.policy import Policy
from probatum.core.report import SCHEMA_VERSION, CostView, DataUsed, Report, Subject
from probatum.core.scores import Scores
from probatum.core.suite import Suite, read_suite
from probatum.core.tables import iterate_rows, read_data, read_members
from probatum.core.target import Target
from probatum.core.withheld import withheld
from probatum.deciding import decide_all
from probatum.engine.session import Session
from probatum.notes import doubted, remarks
from probatum.receipt import for_receipt, receipt
from probatum.runner import Pending, Runner, versions
from probatum.sets.finding import Found, items_of, places
from probatum.targets import open_target
from probatum.trail import audit_trail

log = logging.getLogger("probatum")

_PASSING = secrets.token_bytes(32)  #: stands for the key of a store where there is none

#: Called before each probe: (number done, number of all, name of the next, "" at the end).
Step = Callable[[int, int, str], None]


def audit(
    model: str | Path | Target | Callable[..., Any],
    *,
    members: str | Path | None = None,
    nonmembers: str | Path | None = None,
    data: Mapping[str, Data | str | Path] | None = None,
    sets: Sequence[str | Path] = (),
    facets: bool = False,
    canaries: str | Path | None = None,
    dp_log: str | Path | None = None,
    prediction: str | None = None,
    label: str | None = None,
    score: str | None = None,
    groups: Sequence[str] = (),
    field: str | None = None,
    randomized: bool = False,
    reference: str | Path | Target | None = None,
    roles: Mapping[str, str | Path | Target] | None = None,
    golds: Sequence[str | Path | Target] = (),
    in_situ: bool = False,
    budget: float = 600.0,
    suite: str | Path | Suite = "default",
    probes: Iterable[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    policy: str | Path | Policy | None = None,
    limit: int | None = None,
    seed: int = 0,
    reveal: bool = False,
    session: Session | None = None,
    token_budget: int | None = None,
    cache: str | Path | bool | None = True,
    device: str = "auto",
    dtype: str = "auto",
    trust_remote_code: bool = False,
    endpoint_model: str | None = None,
    out: str | Path | None = None,
    command: str = "",
    step: Step | None = None,
    debug: bool = False,
) -> Report:
    """Run every probe of a suite on a model, each with its controls.

    Parameters
    ----------
    model
        What `open_target` opens.
    members, nonmembers
        Files of texts that were, and were not, in the training data.
    data
        Further data by kind (``{"Records": "secrets.jsonl"}``), as files or as `Data`.
    sets
        Folders and files in which the items of tasks are looked for, beside those of ``PROBATUM_DATA``; items that are
        found nowhere are generated.
    facets
        HELM's further metrics of every task: calibration, robustness, fairness, bias, toxicity, efficiency.
    canaries, dp_log
        The key of canaries that were planted in the training data; the log of a differentially private training.
    prediction, label, score, groups
        Columns of a table of decisions, where the model is one; such a table is asked the suite ``decisions``.
    in_situ, budget
        Plant controls in a copy of the model, in at most so many seconds: detection limits of this very model.
    reference, roles
        Further models by role; ``reference`` also serves as ``ancestor`` where none is named.
    golds
        For the suite ``receipt``: models trained without the forget set; the first also plays the role ``gold``.
    suite, probes, options
        Which probes; ``probes`` overrides the suite; ``options`` by probe.
    limit
        At most so many records of each kind, drawn by the seed.
    cache
        True: the default evidence store; a path: a store there; False or None: nothing is kept.
    out
        Directory that gets ``report.json``, ``report.html``, ``card.md`` and ``scores.json``.

    Returns
    -------
    Report
        One finding per probe. A probe that crashes reads ``not run: crashed``; the others' findings stand.

    Raises
    ------
    BadInput
        Before anything is computed, for whatever the user can mend.
    """
    started = time.perf_counter()
    table = table_of(prediction, label, score, groups)
    chosen = suite if isinstance(suite, Suite) else read_suite("decisions" if table and suite == "default" else suite)
    methods = methods_of(chosen, probes, options or {})
    for name in options or {}:
        if load(name) not in [method for method, _ in methods]:
            raise BadInput(f"an option of {name} is set, but {name} is not among the probes of this audit")
    _check_roles([method for method, _ in methods], roles or {}, more=("original", "gold") if chosen.receipt else ())
    if out is not None and Path(out).exists() and not Path(out).is_dir():
        raise BadInput(f"{out} is a file; name a directory for the reports")
    for method, given in methods:
        if method.kind != "probe":
            raise BadInput(f"{method.name} is a {method.kind}, not a probe; see `probatum protect --help`")
        options_of(method, given)
    rules = Policy.read(policy) if isinstance(policy, (str, Path)) else policy
    session = session or open_session(
        cache, device=device, dtype=dtype, trust_remote_code=trust_remote_code, token_budget=token_budget
    )
    if golds:
        roles = {**(roles or {}), "gold": golds[0]}
    if chosen.receipt is not None:
        roles, golds, data = for_receipt(model, roles or {}, golds, data or {})
    subject, roles = open_subject(model, roles, session, endpoint_model, table)
    records, used, models = gather(
        subject,
        model,
        session=session,
        members=members,
        nonmembers=nonmembers,
        data=data,
        canaries=canaries,
        dp_log=dp_log,
        field=field,
        randomized=randomized,
        limit=limit,
        seed=seed,
        reference=reference,
        roles=roles,
    )
    runner = Runner(subject, records, models, session, seed, reveal, mask_key(session), debug)
    runner.find_items = finder(sets, limit, seed)
    runner.facets = facets
    subject.declare(_signals(methods))
    said: Sequence[str] = ()
    if in_situ:
        runner.in_situ, said = _plant(runner, budget)
    pending, complete = _run_all(runner, methods, step)
    _raise_if_unusable(runner, pending)
    findings = decide_all(pending, records, primary=chosen.primary, scores=runner.scores, seed=seed)
    key_fault = _key_fault(canaries, members, field)
    findings = doubted(runner, findings, key_fault)
    if chosen.trail and complete:
        findings = [*findings, audit_trail(runner, methods, findings)]
    proof = None
    if chosen.receipt is not None and complete:
        others = [models["gold"], *(open_target(gold, session=session) for gold in golds[1:])] if golds else []
        proof = receipt(runner, methods, chosen.receipt, original=models.get("original"), golds=others)
    used += tuple(
        DataUsed(name, _relative(found.path) if found.path else "generated", found.items.digest[:16], len(found.items))
        for name, found in runner.found.items()
    )
    notes = [
        *said,
        *dict.fromkeys(f.remark for f in runner.found.values() if f.remark),
        *getattr(subject, "notes", ()),
        *filter(None, [getattr(subject, "chat_note", "")]),
        *_changed(subject, complete),
        *remarks(runner, pending, findings, foreign=not (_builtin(model) or in_situ)),
    ]
    if canaries is not None:
        notes += [key_fault] if key_fault else _on_trust(findings) if members is None else []
    if trust_remote_code or session.trust_remote_code:
        notes.append("code that came with the model was allowed to run (--trust-remote-code)")
    session.cost.seconds = time.perf_counter() - started
    report = Report(
        schema_version=SCHEMA_VERSION,
        subject=_subject(subject),
        data=used,
        findings=tuple(findings),
        policy=None if rules is None else rules.judge(findings),
        cost=CostView(**dataclasses.asdict(session.cost)),
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=command or f"probatum audit {subject.name}",
        primary={dimension: names[0] for dimension, names in chosen.primary.items()},
        declared=tuple(name for names in chosen.primary.values() for name in names),
        notes=tuple(notes),
        complete=complete,
        receipt=proof,
    )
    if out is not None:
        from probatum.reports import write

        write(report, Path(out))
        write_scores(runner.scores, Path(out) / "scores.json", runner.mask_key)
    return report


def run(
    probe: str | Callable[..., Scores], target: str | Path | Target, *data: Data, seed: int = 0, **given: Any
) -> Finding:
    """One probe with its controls: ``pb.run("loss", "specimen", members)``. Roles and options by keyword.

    A finding of its own needs no correction for multiplicity: the adjusted p-value is the p-value.
    """
    method = load(probe) if isinstance(probe, str) else probe.method  # type: ignore[attr-defined]
    session = Session()
    subject = open_target(target, session=session)
    signature = method.signature
    models = {name: open_target(given.pop(name), session=session) for name in signature.roles if name in given}
    records = {type(d).__name__: d for d in data}
    runner = Runner(subject, records, models, session, seed, mask_key=mask_key(session), debug=True)
    return decide_all([runner.run(method, given)], records)[0]


def _run_all(
    runner: Runner, methods: Sequence[tuple[Method, Mapping[str, Any]]], step: Step | None
) -> tuple[list[Pending], bool]:
    """All probes, each by itself: a crash or an interruption leaves the others' findings intact."""
    pending: list[Pending] = []
    complete = True
    for number, (method, options) in enumerate(methods):
        if step is not None:
            step(number, len(methods), method.name)
        try:
            pending.append(runner.run(method, options))
        except KeyboardInterrupt:
            complete = False
            left = methods[number:]
            pending += [Pending(m, runner.start(m, o, reason="interrupted")) for m, o in left]
            break
        except StoreError:
            raise
        except Exception as error:  # a probe may fail in any way; the audit goes on, and says which one it was
            shown = error if runner.reveal else withheld(error, runner.data)
            if runner.debug and shown is not error:
                raise shown from None
            if runner.debug:
                raise
            complete = False
            log.error("the probe %s crashed", method.name, exc_info=shown)
            reason = f"crashed: {type(error).__name__}: {error}" if shown is error else f"crashed: {shown}"
            pending.append(Pending(method, runner.start(method, options, reason=reason)))
    if step is not None:
        step(len(methods), len(methods), "")
    return pending, complete


def open_session(
    cache: str | Path | bool | None = True,
    *,
    device: str = "auto",
    dtype: str = "auto",
    trust_remote_code: bool = False,
    token_budget: int | None = None,
) -> Session:
    """A session with the evidence store that the user named (True: the default one; None or False: in memory)."""
    from probatum.engine.session import default_cache
    from probatum.engine.store import EvidenceStore

    where = default_cache() if cache is True else Path(cache) if cache else None
    store = EvidenceStore(where) if where is not None else None
    return Session(
        store=store, budget=Budget(token_budget), device=device, dtype=dtype, trust_remote_code=trust_remote_code
    )


def collect(
    subject: Target,
    model: object,
    members: str | Path | None,
    nonmembers: str | Path | None,
    data: Mapping[str, Data | str | Path],
    field: str | None,
    randomized: bool,
    canaries: str | Path | None = None,
    dp_log: str | Path | None = None,
) -> tuple[dict[str, Data], tuple[DataUsed, ...]]:
    """What the user gave, by kind. A built-in model that was given nothing is asked what was built for it."""
    records: dict[str, Data] = {}
    used: list[DataUsed] = []
    if (members is None) != (nonmembers is None):
        raise BadInput("--members and --nonmembers go together: a test of membership compares the two")
    if members is not None and nonmembers is not None:
        records["Members"] = both = read_members(members, nonmembers, field=field, randomized=randomized)
        for role, path, inside in (("members", members, True), ("nonmembers", nonmembers, False)):
            part = both.take([i for i, m in enumerate(both.label or ()) if m is inside])
            used.append(DataUsed(role, _relative(path), part.digest[:16], len(part)))
    for kind, given in data.items():
        if kind not in KINDS:
            raise BadInput(f"no kind of data is called '{kind}'; there are {', '.join(KINDS)}")
        records[kind] = read_data(KINDS[kind], given, field=field) if isinstance(given, (str, Path)) else given
        path = _relative(given) if isinstance(given, (str, Path)) else records[kind].name or "given in Python"
        used.append(DataUsed(kind.lower(), path, records[kind].digest[:16], len(records[kind])))
    if canaries is not None:
        from probatum.controls.canaries import read_canaries

        planted = read_canaries(canaries)
        used.append(
            DataUsed("canaries", _relative(canaries), planted["Canaries"].digest[:16], len(planted["Canaries"]))
        )
        records = {**planted, **records}
    if dp_log is not None:
        from probatum.core.training_log import read_training_log

        records["TrainingLog"] = log_ = read_training_log(dp_log)
        used.append(DataUsed("traininglog", _relative(dp_log), log_.digest[:16], len(log_)))
    for kind, own in getattr(subject, "brings", {}).items():  # a table of decisions is target and data in one
        records[kind] = own
        used.append(DataUsed(kind.lower(), subject.name, own.digest[:16], len(own)))
    if Access.BYTES in subject.access and "Claims" not in records:
        card = subject.files() / "README.md"
        if card.is_file():
            records["Claims"] = read_claims(card.read_text(encoding="utf-8", errors="replace"))
            used.append(
                DataUsed("claims", "README.md of the model", records["Claims"].digest[:16], len(records["Claims"]))
            )
    if Access.BYTES in subject.access and "Certificate" not in records:
        paper = subject.files() / "certificate.json"
        if paper.is_file():
            records["Certificate"] = found = read_certificate(paper)
            used.append(DataUsed("certificate", "certificate.json of the model", found.digest[:16], len(found)))
    from probatum.controls import specimen

    if (
        isinstance(model, str)
        and model in (*specimen.PEOPLE, *specimen.PLANTS)
        and not Path(model).exists()
        and "Forget" not in records
    ):
        from probatum.controls.forgetting import people_sets

        used += [DataUsed(k.lower(), "built-in", d.digest[:16], len(d)) for k, d in people_sets().items()]
        records = {**people_sets(), **records}
    if _builtin(model) and not (set(records) - {"Claims", "Certificate"}):
        from probatum.controls.sets import builtin

        records = {**builtin("subject"), **records}
        used += [DataUsed(k.lower(), "built-in", d.digest[:16], len(d)) for k, d in records.items() if k != "Claims"]
    return records, tuple(used)


def read_certificate(path: Path) -> Certificate:
    """``certificate.json`` as data."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text ({error})") from error
    return Certificate.from_rows([{"id": "certificate", "said": text}], str(path), name="certificate.json")


def finder(sets: Sequence[str | Path], limit: int | None, seed: int) -> Callable[[str], Found]:
    """What finds the items of a task in these folders and files, at most ``limit`` of each set."""
    where = places(sets)

    def find(name: str) -> Found:
        found = items_of(name, where, seed=seed)
        items = found.items.limit(limit, seed)
        if len(items) == len(found.items):
            return found
        return dataclasses.replace(found, items=items, origin=f"{len(items)} of {found.origin}")

    return find


def limited(records: Mapping[str, Data], limit: int | None, seed: int) -> dict[str, Data]:
    """At most ``limit`` records of each kind; cards, keys, logs and the forms of a fact are never cut apart."""
    whole = ("Claims", "Forms", "Key", "TrainingLog", "Directions")
    return {k: d if k in whole else d.limit(limit, seed) for k, d in records.items()}


def gather(
    subject: Target,
    model: object,
    *,
    session: Session,
    members: str | Path | None = None,
    nonmembers: str | Path | None = None,
    data: Mapping[str, Data | str | Path] | None = None,
    canaries: str | Path | None = None,
    dp_log: str | Path | None = None,
    field: str | None = None,
    randomized: bool = False,
    limit: int | None = None,
    seed: int = 0,
    reference: str | Path | Target | None = None,
    roles: Mapping[str, str | Path | Target] | None = None,
    **_: Any,
) -> tuple[dict[str, Data], tuple[DataUsed, ...], dict[str, Target]]:
    """Records by kind, what was read for them, and further models by role. Takes the arguments of `audit`."""
    records, used = collect(subject, model, members, nonmembers, data or {}, field, randomized, canaries, dp_log)
    return limited(records, limit, seed), used, open_roles(model, reference, roles or {}, session)


def methods_of(
    suite: Suite, probes: Iterable[str], options: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Method, dict[str, Any]]]:
    """The probes of a suite, or those named instead of it, with what the suite and then the user set."""
    wanted: Iterable[tuple[str, Mapping[str, Any]]] = [(name, {}) for name in probes] or suite.probes
    return [(load(name), {**set_there, **options.get(name, {})}) for name, set_there in wanted]


def _relative(path: str | Path) -> str:
    """As the user gave it, but never absolute: a report must not tell how a machine is laid out."""
    path = Path(path)
    return path.name if path.is_absolute() else path.as_posix()


def _key_fault(canaries: str | Path | None, members: str | Path | None, field: str | None) -> str:
    """How the canaries of a key do not fit the training data; the whole file is searched, whatever ``--limit`` left."""
    from probatum.controls.canaries import check_key

    if canaries is None or members is None:
        return ""
    return check_key(canaries, (str(row[field or "text"]) for row in iterate_rows(members)), _relative(members))


def _on_trust(findings: Sequence[Finding]) -> list[str]:
    """Without the training data nobody knows whether the key is of this training: a wrong one finds nothing, too."""
    asked = {"Canaries", "Members", "Records"}
    kinds = [load(f.probe).signature.data.values() for f in findings if f.outcome == "no evidence"]
    if not any(asked.intersection(kind) for kind in kinds):
        return []
    return [
        "that the canaries of this key were in the training data is taken on trust, and without them nothing could be "
        "found; --members FILE, the data with the canaries in it, checks that (with --nonmembers)"
    ]


def _changed(subject: Target, complete: bool) -> list[str]:
    """A note where an endpoint is no longer what it was when the audit began."""
    ask = getattr(subject, "changed", None)
    told = ask() if ask is not None and complete else ""
    return [told] if told else []


def _builtin(model: object) -> bool:
    from probatum.controls import specimen

    return isinstance(model, str) and model in specimen.NAMES and not Path(model).exists()


def open_roles(
    model: object,
    reference: str | Path | Target | None,
    named: Mapping[str, str | Path | Target],
    session: Session,
) -> dict[str, Target]:
    """Further models by role; a built-in model that was given none has its own relatives."""
    given = dict(named)
    if reference is not None:
        given["reference"] = reference
    if _builtin(model):
        from probatum.controls.sets import RELATIVES

        base, ancestor = RELATIVES[str(model)]
        given.setdefault("reference", base)
        given.setdefault("ancestor", ancestor)
        given.setdefault("checkpoint", "specimen" if model == "gold" else "gold")
    roles = {name: open_target(role, session=session) for name, role in given.items()}
    if "reference" in roles:
        roles.setdefault("ancestor", roles["reference"])
    return roles


def open_subject(
    model: str | Path | Target | Callable[..., Any],
    roles: Mapping[str, str | Path | Target] | None,
    session: Session,
    endpoint_model: str | None,
    table: Mapping[str, Any] | None = None,
) -> tuple[Target, dict[str, str | Path | Target]]:
    """The model under audit and the other roles; ``base`` is no role of a probe but what an adapter is opened with.

    ``table``: the columns of a table of decisions (`table_of`).
    """
    others = dict(roles or {})
    base = others.pop("base", None)
    if isinstance(base, Target):
        raise BadInput("the base of an adapter is named by its directory")
    named: dict[str, Any] = {**({"model": endpoint_model} if endpoint_model else {}), **(table or {})}
    return open_target(model, session=session, base=base, **named), others


def table_of(
    prediction: str | None = None,
    label: str | None = None,
    score: str | None = None,
    groups: Sequence[str] = (),
    **_: Any,
) -> dict[str, Any]:
    """The columns of a table of decisions as `open_target` takes them; nothing where none was named."""
    if prediction is None and (label or score or groups):
        raise BadInput("--label, --score and --group name columns of a table of decisions; name --prediction too")
    named = {"prediction": prediction, "label": label, "score": score, "groups": tuple(groups)}
    return named if prediction is not None else {}


def _check_roles(methods: Sequence[Method], roles: Mapping[str, Any], more: Sequence[str] = ()) -> None:
    """A role that no probe asks for is a slip of the pen, and would be ignored in silence."""
    known = {"reference", "base", *more, *(role for method in methods for role in method.signature.roles)}
    for role in roles:
        if role not in known:
            raise BadInput(
                f"no probe of this audit asks for the role '{role}'; they ask for {', '.join(sorted(known))}"
            )


#: Calls for which a model must be opened in earnest, beyond its files.
_ASKS = Access.TEXT | Access.LOGPROBS | Access.LOGITS | Access.HIDDEN | Access.GRADIENTS


def _raise_if_unusable(runner: Runner, pending: Sequence[Pending]) -> None:
    """A model that turns out to be none once it is asked is bad input, and not fifteen findings that were not run."""
    opened = [runner.subject, *runner.roles.values()]
    names = tuple({str(n) for t in opened for n in (t.name, getattr(t, "path", t.name))})
    faults = [error for error in runner.faults if str(error).startswith(names)]
    if faults and all(p.result is None for p in pending if p.method.needs & _ASKS):
        raise faults[0]


def _plant(runner: Runner, seconds: float) -> tuple[Callable[[Method], InSitu | str | None], Sequence[str]]:
    """Controls in a copy of the subject; where none can be planted, the reason stands in place of every limit."""
    from probatum.controls.in_situ import plant

    try:
        planted = plant(
            runner.subject, runner.data, seconds=seconds, seed=runner.seed, session=runner.session,
            progress=runner.session.progress, roles=runner.roles,
        )  # fmt: skip
    except NotOffered as error:
        reason = f"no control can be planted in this model: {error}"
        return (lambda method: reason), [reason]
    return planted.controls_for, planted.notes


def _signals(methods: Sequence[tuple[Method, Mapping[str, Any]]]) -> list[str]:
    """The extras of all probes together, so that one pass serves them."""
    wanted: set[str] = set()
    for method, options in methods:
        signals = method.signals
        wanted.update(signals(**options_of(method, options)) if callable(signals) else signals)
    return sorted(wanted)


def _subject(target: Target) -> Subject:
    access = tuple(a.name or "" for a in target.access)
    return Subject(target.name, target.kind, target.digest[:16], access, target.parameter_count, target.dtype)


def mask_key(session: Session) -> bytes:
    """The key of the digests that masks show; beside the store, or for this process only."""
    directory = getattr(session.store, "directory", None)
    if directory is None:
        return _PASSING
    path = Path(directory) / "mask.key"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(key := secrets.token_bytes(32))
    return key


def write_scores(scores: Mapping[str, tuple[Scores, Truth, Result]], path: Path, key: bytes) -> None:
    """The numbers of every record, by finding, for paired comparisons. Ids and numbers, never texts.

    Ids that are digests of texts stand there under ``key``; audits with one store, or of one process, can be paired.
    """

    def listed(values: Any) -> Any:
        return None if values is None else to_plain(list(values))

    table = {
        name: {
            "ids": [alias(i, key) for i in s.ids],
            "values": listed(s.values),
            "label": listed(t.label),
            "cluster": listed(t.cluster),
            "contributions": listed(r.contributions),
        }
        for name, (s, t, r) in scores.items()
    }
    try:
        path.write_text(json.dumps({"schema_version": SCHEMA_VERSION, "scores": table}) + "\n", encoding="utf-8")
    except OSError as error:
        raise ProbatumError(f"{path} could not be written: {error.strerror}") from error
