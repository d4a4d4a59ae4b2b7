"""Guests as findings, and findings as a report like that of an audit."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from probatum.audit import mask_key, write_scores
from probatum.bridges.guest import ORACLE, Guest, Run
from probatum.core.access import audience
from probatum.core.data import digest_of
from probatum.core.decision import Proof, decide
from probatum.core.errors import BadInput
from probatum.core.finding import DIMENSIONS, ControlView, EstimateView, Finding, Sample
from probatum.core.masking import alias, mask
from probatum.core.report import SCHEMA_VERSION, CostView, DataUsed, Report, Subject
from probatum.core.target import Target
from probatum.core.version import __version__
from probatum.engine.session import Session
from probatum.runner import versions
from probatum.scorers.grading import KINDS
from probatum.statistics.metrics import view


def report_of(
    guests: Sequence[Guest],
    subject: Target,
    *,
    dimension: str = "truthfulness",
    seed: int = 0,
    reveal: bool = False,
    seconds: float = 0.0,
    packages: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    command: str = "",
    out: str | Path | None = None,
) -> Report:
    """A report of guests, as `probatum.audit` makes one of its own probes; ``out`` gets its files.

    Raises `BadInput` for a dimension that there is not.
    """
    if dimension not in DIMENSIONS:
        raise BadInput(f"no dimension is called '{dimension}'; there are {', '.join(DIMENSIONS)}")
    session = getattr(subject, "session", None) or Session()
    key = mask_key(session)
    findings = [finding_of(g, subject, dimension=dimension, seed=seed, reveal=reveal, key=key) for g in guests]
    session.cost.seconds = seconds or session.cost.seconds
    access = tuple(a.name or "" for a in subject.access)
    report = Report(
        schema_version=SCHEMA_VERSION,
        subject=Subject(
            subject.name, subject.kind, subject.digest[:16], access, subject.parameter_count, subject.dtype
        ),
        data=tuple(DataUsed(g.name, g.source, g.digest[:16], len(g.prompts)) for g in guests),
        findings=tuple(findings),
        policy=None,
        cost=CostView(**dataclasses.asdict(session.cost)),
        versions={**versions(), **(packages or {})},
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=command or f"probatum guest {subject.name}",
        notes=(*notes, *getattr(subject, "notes", ()), *filter(None, [getattr(subject, "chat_note", "")])),
    )
    if out is not None:
        from probatum.reports import write

        write(report, Path(out))
        results = [(f.id, g.mine, g.mine.result) for f, g in zip(findings, guests, strict=True)]
        kept = {name: (run.scores, run.truth, result) for name, run, result in results if result is not None}
        write_scores(kept, Path(out) / "scores.json", key)
    return report


def finding_of(guest: Guest, subject: Target, *, dimension: str, seed: int, reveal: bool, key: bytes) -> Finding:
    """The finding of one guest; inconclusive where nothing was scored or the oracle misses the full mark."""
    identity = digest_of(
        subject.digest, guest.name, repr(sorted(guest.options.items())), guest.digest, str(seed), __version__
    )
    scores, result = guest.mine.scores, guest.mine.result
    finding = Finding(
        id=identity[:12],
        probe=guest.name,
        dimension=dimension,  # type: ignore[arg-type]
        question=guest.question,
        paper=guest.source,
        access=tuple(a.name or "" for a in guest.access),
        outcome="inconclusive",
        options={name: value for name, value in guest.options.items() if value},
        better=guest.better,
        items=f"{len(guest.prompts)} samples of {guest.source}",
        data={"items": guest.digest[:12]},
        audience=audience(guest.access, ()),
        seed=seed,
        unscored=dict(sorted(Counter(scores.unscored.values()).items())),
        answers={kind: scores.kinds.count(kind) for kind in KINDS} if scores.kinds is not None else {},
    )
    if result is None:
        why = next(iter(finding.unscored), "there are too few samples")
        return dataclasses.replace(finding, reason=f"no score could be given: {why}")
    controls = tuple(filter(None, (_control(name, run, guest.full) for name, run in guest.others.items())))
    oracle = next((c for c in controls if c.kind == "oracle"), None)
    outcome, _, reason = decide(result, None, Proof(), measure=True, oracle=oracle)
    if outcome == "inconclusive" and guest.hint:
        reason += f"; {guest.hint}"
    if not any(c.kind == "null responder" for c in controls):
        reason = "; ".join(filter(None, (reason, "no null responder could be asked, so chance is not known")))
    e = result.estimate
    wide = None if e.low is None or e.high is None else 2.8 * 2**0.5 * (e.high - e.low) / (2 * 1.96)
    return dataclasses.replace(
        finding,
        outcome=outcome,
        reason=reason,
        estimate=view(e),
        controls=controls,
        samples=_samples(guest, reveal, key),
        resolution=wide,
        released=_released(guest),
    )


def _control(name: str, run: Run, full: float | None) -> ControlView | None:
    result = run.result
    if result is None:
        return None
    passed: bool | None = True
    if name == ORACLE:
        passed = None if full is None else bool(result.estimate.value >= full - 1e-9)
    kind: Literal["oracle", "null responder"] = "oracle" if name == ORACLE else "null responder"
    return ControlView(kind, name, None, None, view(result.estimate), None, passed)


def _released(guest: Guest) -> EstimateView | None:
    """What the harness itself prints, where it is another number; without its interval, which is not believed."""
    r = guest.mine.scores.released
    if r is None:
        return None
    return EstimateView(r.name, r.value, None, None, 0.95, len(guest.mine.scores), "point", "as the harness prints it")


def _samples(guest: Guest, reveal: bool, key: bytes, n: int = 5) -> tuple[Sample, ...]:
    """The worst samples. Whether a guest's texts are harmful or private nobody knows, so they are masked."""
    scores = guest.mine.scores
    order = np.argsort(scores.values if guest.better != "low" else -scores.values, kind="stable")
    out = []
    for i in [int(i) for i in order if scores.scored[i]][:n]:
        name = scores.ids[i]
        text = guest.prompts.get(name, name)[:240]
        if scores.said is not None:
            text = f"{text} → {(scores.said[i] or 'no answer')[:160]}"
        shown = text if reveal else mask(text, key)
        out.append(Sample(name if reveal else alias(name, key), float(scores.values[i]), shown, not reveal))
    return tuple(out)
