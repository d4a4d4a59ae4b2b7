"""The logs of Inspect: what their samples scored, with intervals of our own, and our findings as logs.

(`probatum.targets.eval_log` reads the answers of a log without Inspect; this reads scores, and writes.)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum.bridges import absent
from probatum.bridges.guest import Run, kinds_of, mean
from probatum.core.errors import BadInput
from probatum.core.estimate import Estimate, Truth
from probatum.core.finding import EstimateView, Finding, sentence
from probatum.core.report import Report
from probatum.core.scores import Released, Scores

try:
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalSample,
        EvalScore,
        EvalSpec,
        read_eval_log,
        write_eval_log,
    )
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import Score
except ImportError as error:
    raise absent("inspect_ai", "inspect") from error

_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_SPREADS = re.compile(r"stderr|std|var|^ci|bootstrap")  #: metrics of Inspect that say how sure another one is


def runs_of(log: EvalLog, seed: int = 0) -> dict[str, Run]:
    """Scorer → the scores of all its samples; a scorer that gives several values has one run for each.

    Epochs of a sample are one cluster. A sample that failed, or whose value is no number, is unscored with its reason.
    """
    samples = log.samples or []
    names = dict.fromkeys(name for s in samples for score, v in (s.scores or {}).items() for name in _parts(score, v))
    runs = {}
    for name in names:
        ids, values, unscored, said = [], [], {}, []
        for s in samples:
            ids.append(f"{s.id}" if s.epoch == 1 else f"{s.id} (epoch {s.epoch})")
            value, why = _value(s, name)
            values.append(value)
            if math.isnan(value):
                unscored[ids[-1]] = why
            said.append(None if s.error else s.output.completion)
        cluster = np.array([str(s.id) for s in samples]) if len({s.id for s in samples}) < len(samples) else None
        scores = Scores(
            ids, values, "right", unscored=unscored, said=said, kinds=kinds_of(said, values),
            released=_printed(log, name, values),
        )  # fmt: skip
        runs[name] = Run(scores, Truth(cluster=cluster, seed=seed), mean(f"mean of {name}"))
    return runs


def estimates_of(path: str | Path) -> dict[str, Estimate]:
    """Scorer → the mean of its samples with an interval, from a log that anyone wrote; 0 of n has its exact bound.

    Raises `BadInput` where the file is no log or has no scored samples.
    """
    if not Path(path).is_file():
        raise BadInput(f"{path}: no such file")
    try:
        log = read_eval_log(str(path))
    except Exception as error:  # zip, JSON and schema errors of Inspect
        raise BadInput(f"{path}: cannot be read as a log of Inspect ({str(error).splitlines()[0][:200]})") from error
    found = {name: run.result for name, run in runs_of(log).items()}
    if not any(found.values()):
        raise BadInput(f"{path}: no sample of this log has a score")
    return {name: result.estimate for name, result in found.items() if result is not None}


def write_logs(report: Report, folder: str | Path, scores: str | Path | None = None) -> list[Path]:
    """One ``.eval`` file for each finding that has an estimate, for ``inspect view``.

    Parameters
    ----------
    scores
        The ``scores.json`` beside the report, which gives every sample its score. Texts are in no log, but for the
        samples that the report itself shows, masked as they are there.
    """
    table = json.loads(Path(scores).read_text(encoding="utf-8"))["scores"] if scores is not None else {}
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for finding in report.findings:
        if finding.estimate is None:
            continue
        name = re.sub(r"[^\w.-]+", "-", finding.probe)
        paths.append(Path(folder) / f"{name}_{finding.id}.eval")
        write_eval_log(log_of(finding, report, table.get(finding.id)), str(paths[-1]))
    return paths


def log_of(finding: Finding, report: Report, rows: Mapping[str, Any] | None = None) -> EvalLog:
    """A finding as a log: its samples, its estimate with both bounds, and every control as a score of its own."""
    rows = rows or {"ids": [s.record for s in finding.samples], "values": [s.score for s in finding.samples]}
    texts = {s.record: s.text for s in finding.samples}
    samples = [
        EvalSample(
            id=name,
            epoch=1,
            input=texts.get(name, "not kept in the report"),
            target="",
            output=ModelOutput(model=report.subject.name),
            scores=None if value is None else {finding.probe: Score(value=value)},
        )
        for name, value in zip(rows["ids"], rows["values"], strict=True)
    ]
    shown = [(finding.probe, finding.estimate), *((f"{c.kind}: {c.target}", c.estimate) for c in finding.controls)]
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=report.created,
            task=finding.probe,
            task_id=finding.id,
            run_id=finding.id,
            eval_id=finding.id,
            dataset=EvalDataset(name=finding.items or finding.probe, samples=len(samples)),
            model=f"probatum/{report.subject.name}",
            config=EvalConfig(),
            packages=dict(report.versions),
            tags=["probatum", finding.dimension, finding.outcome],
            metadata={
                "question": finding.question,
                "outcome": finding.outcome,
                "sentence": sentence(finding),
                "paper": finding.paper,
                "model digest": report.subject.digest,
                "data digests": finding.data,
                "answers": finding.answers,
            },
        ),
        results=EvalResults(
            total_samples=len(samples),
            completed_samples=len(samples),
            scores=[EvalScore(name=name, scorer=name, metrics=_metrics(e)) for name, e in shown if e is not None],
        ),
        samples=samples,
    )


def _metrics(e: EstimateView) -> dict[str, EvalMetric]:
    bounds = {e.metric: e.value, f"low of {e.level:.0%} interval": e.low, f"high of {e.level:.0%} interval": e.high}
    return {name: EvalMetric(name=name, value=value) for name, value in bounds.items() if value is not None}


def _parts(name: str, score: Any) -> list[str]:
    return [f"{name}/{key}" for key in score.value] if isinstance(score.value, dict) else [name]


def _value(sample: Any, name: str) -> tuple[float, str]:
    if sample.error is not None:
        return math.nan, f"error: {sample.error.message.splitlines()[0][:120]}" if sample.error.message else "error"
    scorer, _, key = name.partition("/")
    score = (sample.scores or {}).get(name) or (sample.scores or {}).get(scorer)
    if score is None:
        return math.nan, "its scorer gave nothing"
    value: Any = score.value.get(key) if isinstance(score.value, dict) else score.value
    if isinstance(value, str):
        value = _GRADES.get(value, _GRADES.get(value.lower(), value))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan, "its scorer gave no number"
    return number, "" if not math.isnan(number) else f"its scorer gave none ({score.reason or 'no reason'})"


def _printed(log: EvalLog, name: str, values: list[float]) -> Released | None:
    """The first metric that Inspect itself prints of a scorer, where it is not the mean of its samples."""
    known = [v for v in values if not math.isnan(v)]
    for score in log.results.scores if log.results else ():
        if score.name not in (name, name.partition("/")[2]) or not known:
            continue
        for metric in score.metrics.values():
            if not _SPREADS.search(metric.name):
                if abs(metric.value - float(np.mean(known))) < 1e-9:
                    return None
                return Released(f"{metric.name}, as Inspect prints it", float(metric.value))
    return None
