"""A task of lm-evaluation-harness as a guest probe: run on a target, and on null responders and an oracle beside it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import random
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.bridges import absent
from probatum.bridges.guest import Guest, Run, aggregated, bounded, kinds_of, mean
from probatum.bridges.guest_report import report_of
from probatum.bridges.lmeval import ProbatumLM
from probatum.bridges.lmeval_nulls import UNIFORM, NullLM, responders, writes
from probatum.controls.responders import RULES
from probatum.core.access import Access
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.estimate import Metric, Truth
from probatum.core.report import Report
from probatum.core.scores import Scores
from probatum.core.target import Target
from probatum.targets import open_target

try:
    from lm_eval import evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager
except ImportError as error:
    raise absent("lm_eval", "lmeval") from error

PACKAGES = {"lm_eval": importlib.metadata.version("lm_eval")}
FEWSHOT_SEED = 1234  #: the harness's own default, so that the same demonstrations are shown


def lmeval_guests(
    task: str,
    target: Target,
    *,
    nulls: Sequence[str] | None = None,
    limit: int | None = None,
    fewshot: int | None = None,
    chat: bool = False,
    seed: int = 0,
) -> list[Guest]:
    """Run a task, or all tasks of a group, on a target and on null responders; a guest for each task and metric."""
    for rule in nulls or ():
        if rule not in RULES and rule != UNIFORM:
            raise BadInput(f"no null responder is called '{rule}'; there are {', '.join((*RULES, UNIFORM))}")
    tasks = _loaded(task)
    mine = _evaluated(ProbatumLM(target), tasks, limit, fewshot, chat)
    others: dict[str, dict[str, Any]] = {}
    who = {name: responders(t, nulls) for name, t in tasks.items()}
    for rule in dict.fromkeys(r for rules in who.values() for r in rules):
        own = {name: t for name, t in tasks.items() if rule in who[name]}
        others[rule] = _evaluated(NullLM(rule, own), own, limit, fewshot, False)
    guests = []
    for name, loaded in tasks.items():
        for metric, key in dict.fromkeys((m, s["filter"]) for s in mine["samples"][name] for m in s["metrics"]):
            beside = {r: _run(found, name, metric, key, loaded, seed) for r, found in others.items()
                      if name in found["samples"]}  # fmt: skip
            higher = mine["higher_is_better"].get(name, {}).get(metric)
            run = _run(mine, name, metric, key, loaded, seed)
            guests.append(
                Guest(
                    name=f"lmeval/{name}/{metric}" + ("" if key == "none" else f",{key}"),
                    question=f"How well does it do on {name}, by its {metric}?",
                    source=f"task {name} of lm-evaluation-harness",
                    mine=run,
                    others=beside,
                    prompts={str(s["doc_id"]): str(s["arguments"][0][0]) for s in mine["samples"][name]},
                    access=Access.TEXT if writes(loaded) else Access.LOGPROBS,
                    better="" if higher is None else "high" if higher else "low",
                    full=1.0 if higher and bounded([run, *beside.values()]) else None,
                    hint="its targets may not be what its metric takes for right",
                    options={"limit": limit, "fewshot": fewshot, "chat": chat},
                )
            )
    return guests


def run_lmeval_task(
    task: str,
    target: str | Path | Target,
    *,
    dimension: str = "truthfulness",
    reveal: bool = False,
    out: str | Path | None = None,
    **given: Any,
) -> Report:
    """A task of lm-evaluation-harness on one of our targets, with null responders and an oracle on the same task.

    Parameters
    ----------
    task
        A name that the harness knows, or a YAML file.
    dimension
        Under which of the eight dimensions its findings stand.
    nulls, limit, seed
        Which null responders (default: `NULLS` of what the task asks); at most so many documents; the seed.
    fewshot, chat
        Demonstrations before each question; whether questions go through the model's chat template.
    out
        A folder that gets report.json and its views.

    Raises
    ------
    BadInput
        No such task, its data is not on this machine, or it runs code that it wants confirmed.
    """
    begun = time.perf_counter()
    opened = open_target(target)
    guests = lmeval_guests(task, opened, **given)
    return report_of(
        guests, opened, dimension=dimension, seed=given.get("seed", 0), reveal=reveal, out=out,
        seconds=time.perf_counter() - begun, packages=PACKAGES,
    )  # fmt: skip


def _loaded(task: str) -> dict[str, Any]:
    """Tasks by name, through the manager that knows no built-in tasks where a file is named (it reads thousands)."""
    own = task.endswith((".yaml", ".yml"))
    if own and not Path(task).is_file():
        raise BadInput(f"{task}: no such file")
    manager = TaskManager(include_defaults=not own)
    if not own and task not in manager.all_tasks:
        raise BadInput(f"lm-evaluation-harness knows no task '{task}'; name one of `lm_eval ls tasks`, or a YAML file")
    try:
        return dict(manager.load([task])["tasks"])
    except Exception as error:  # whatever a data set, its download or a task's own code raises
        raise BadInput(
            f"{task}: cannot be loaded ({type(error).__name__}: {str(error).splitlines()[0][:200]})"
        ) from error


def _evaluated(lm: LM, tasks: Mapping[str, Any], limit: int | None, fewshot: int | None, chat: bool) -> dict[str, Any]:
    """`evaluate`, and not `simple_evaluate`: that one looks for the model's tokenizer on the network.

    No cache is given to it, neither of answers nor of requests, and no bootstrap: intervals are ours.
    """
    for task in tasks.values():
        if fewshot is not None and task.get_config("num_fewshot") != 0:
            task.set_config(key="num_fewshot", value=fewshot)
        elif task.get_config("num_fewshot") is None:
            task.set_config(key="num_fewshot", value=0)
        task.set_fewshot_seed(seed=FEWSHOT_SEED)
    with _seeded():
        try:
            found = evaluate(
                lm, {"tasks": dict(tasks), "groups": {}, "group_map": {}}, limit=limit, bootstrap_iters=0,
                log_samples=True, apply_chat_template=chat, fewshot_as_multiturn=chat,
            )  # fmt: skip
        except ValueError as error:
            raise ProbatumError(f"lm-evaluation-harness could not run {', '.join(tasks)}: {error}") from error
    assert found is not None
    return dict(found)


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """Tasks that shuffle by the global generators do so alike for everyone, and leave those as they were."""
    state, other = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(FEWSHOT_SEED)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(other)


def _run(found: Mapping[str, Any], name: str, metric: str, key: str, task: Any, seed: int) -> Run:
    """The scores of one metric. Where it is not the mean over documents, its own aggregation is bootstrapped."""
    samples = [s for s in found["samples"][name] if s["filter"] == key]
    raw = [s[metric] for s in samples]
    printed = found["results"][name].get(f"{metric},{key}")
    plain = all(isinstance(v, (bool, int, float, np.generic)) for v in raw)
    simple = plain and isinstance(printed, (int, float)) and math.isclose(float(np.mean(raw)), printed, abs_tol=1e-9)
    how: Metric = mean(metric)
    values: list[float] = [float(v) for v in raw] if plain else []
    if not simple and metric in task.aggregation():
        aggregate = task.aggregation()[metric]
        how = aggregated(metric, lambda numbers: float(aggregate([raw[i] for i in numbers])))
        values = values or [_alone(aggregate, v) for v in raw]
    if not values:
        raise ProbatumError(f"{name}: the metric {metric} gives no numbers")
    ids = [str(s["doc_id"]) for s in samples]
    said = [_said(s) for s in samples] if writes(task) else None
    why = {i: "its metric gave no number" for i, v in zip(ids, values, strict=True) if math.isnan(v)}
    kinds = None if said is None else kinds_of(said, values)
    return Run(Scores(ids, values, "right", unscored=why, said=said, kinds=kinds), Truth(seed=seed), how)


def _alone(aggregate: Any, value: Any) -> float:
    """What a metric makes of one document, for showing the worst; 0 where it needs several."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(np.nan_to_num(aggregate([value])))
    except (ValueError, ZeroDivisionError, IndexError):
        return 0.0


def _said(sample: Mapping[str, Any]) -> str:
    said = sample["filtered_resps"][0]
    while isinstance(said, (list, tuple)):
        said = said[0] if said else ""
    return str(said)
