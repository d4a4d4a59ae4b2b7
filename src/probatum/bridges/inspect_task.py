"""A task of Inspect as a guest probe: run on a target, and on null responders and an oracle beside it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum.bridges import absent
from probatum.bridges.eval_log import runs_of
from probatum.bridges.guest import ORACLE, Guest, Run, among, bounded
from probatum.bridges.guest_report import report_of
from probatum.bridges.inspect import TOGETHER
from probatum.bridges.inspect_nulls import NULLS, watched
from probatum.controls.responders import RULES
from probatum.core.access import Access
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.report import Report
from probatum.core.target import Target
from probatum.targets import open_target

try:
    import inspect_ai
    from inspect_ai import Task
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model, get_model
except ImportError as error:
    raise absent("inspect_ai", "inspect") from error

PACKAGES = {"inspect_ai": inspect_ai.__version__}


def inspect_guests(
    task: Any,
    target: Target,
    *,
    nulls: Sequence[str] = NULLS,
    limit: int | None = None,
    epochs: int | None = None,
    form: str = "",
    seed: int = 0,
    grader: Any = None,
    logs: str | Path | None = None,
) -> list[Guest]:
    """Run a task on a target and on null responders; one guest for each of its scorers. See `run_inspect_task`."""
    task, name = _task(task)
    if not task.dataset or task.scorer is None:
        raise BadInput(f"{name}: a guest probe needs a task with samples and a scorer")
    for rule in nulls:
        if rule not in RULES:
            raise BadInput(f"no null responder is called '{rule}'; there are {', '.join(RULES)}")
    right = [answer for sample in task.dataset for answer in _list(sample.target)[:1] if answer]
    oracle = [] if right else [ORACLE]
    who = [rule for rule in nulls if rule not in oracle]
    own = get_model(f"probatum/{_short(target.name)}", target=target, memoize=False)
    null = {rule: get_model(f"probatum-null/{rule}", answers=among(right), form=form, memoize=False) for rule in who}
    how = {"limit": limit, "epochs": epochs, "seed": seed}
    found = _evaluated(watched(task), [own, *null.values()], name, grader or own, logs, how)
    prompts, mine = found[0]
    guests = []
    for scorer, run in mine.items():
        beside = {rule: runs[scorer] for rule, (_, runs) in zip(who, found[1:], strict=True) if scorer in runs}
        guests.append(
            Guest(
                name=f"inspect/{name}/{scorer}",
                question=f"How often is it right on {name}, as its scorer {scorer} has it?",
                source=f"task {name} of Inspect",
                mine=run,
                others=beside,
                prompts=prompts,
                access=Access.TEXT,
                full=1.0 if bounded([run, *beside.values()]) else None,
                hint="this task may want answers written otherwise (--form 'ANSWER: {}')",
                options={"limit": limit, "epochs": epochs, "form": form},
            )
        )
    return guests


def run_inspect_task(
    task: Any,
    target: str | Path | Target,
    *,
    dimension: str = "truthfulness",
    reveal: bool = False,
    out: str | Path | None = None,
    **given: Any,
) -> Report:
    """A task of Inspect on one of our targets, with null responders and an oracle on the same task.

    Parameters
    ----------
    task
        An Inspect ``Task``, or ``FILE.py@NAME`` or ``MODULE@NAME``: a function that makes one.
    dimension
        Under which of the eight dimensions its findings stand.
    nulls, limit, epochs, seed
        Which null responders; at most so many samples; how often each is asked; the seed of draws at temperature > 0.
    form
        How the oracle and the null responders write an answer, such as ``The answer is {}.``
    grader
        The model that grades, for tasks graded by a model; by default the target itself, as Inspect has it. It is
        bound to the role ``grader``, so that no null responder is asked to grade.
    logs
        A folder that keeps Inspect's own logs.
    out
        A folder that gets report.json and its views.

    Raises
    ------
    BadInput
        No such task, or one without samples or scorer; an unknown null responder or dimension.
    """
    begun = time.perf_counter()
    opened = open_target(target)
    guests = inspect_guests(task, opened, **given)
    return report_of(
        guests, opened, dimension=dimension, seed=given.get("seed", 0), reveal=reveal, out=out,
        seconds=time.perf_counter() - begun, packages=PACKAGES,
    )  # fmt: skip


def _evaluated(
    task: Task, models: Sequence[Model], name: str, grader: Any, folder: str | Path | None, how: Mapping[str, Any]
) -> list[tuple[dict[str, str], dict[str, Run]]]:
    """For every model what its samples were asked, and the scores of every scorer."""
    roles: dict[str, Any] = {} if "grader" in (task.model_roles or {}) else {"grader": grader}
    given = {key: value for key, value in how.items() if value is not None}
    with tempfile.TemporaryDirectory() as passing:
        logs = inspect_ai.eval(
            task, model=list(models), model_roles=roles, log_dir=str(folder or passing), display="none",
            score_display=False, log_realtime=False, fail_on_error=False, max_connections=TOGETHER, **given,
        )  # fmt: skip
        by_model = {log.eval.model: log for log in logs}
        return [_read(by_model[str(model)], name, how["seed"]) for model in models]  # samples are read from the files


def _read(log: EvalLog, name: str, seed: int) -> tuple[dict[str, str], dict[str, Run]]:
    if log.status != "success":
        why = log.error.message.splitlines()[0][:300] if log.error and log.error.message else log.status
        raise ProbatumError(f"{name}: Inspect could not run it on {log.eval.model} ({why})")
    runs = runs_of(log, seed)
    if not runs and log.eval.model.startswith("probatum/"):
        why = next((s.error.message.splitlines()[0][:200] for s in log.samples or [] if s.error), "no score came")
        raise ProbatumError(f"{name}: not one sample was scored ({why})")
    return {str(s.id): _plain(s.input) for s in log.samples or []}, runs


def _task(given: Any) -> tuple[Task, str]:
    if isinstance(given, Task):
        return given, _short(given.name)
    where, at, name = str(given).rpartition("@")
    if not at:
        raise BadInput(f"expected FILE.py@TASK or MODULE@TASK, got '{given}'")
    try:
        module = _module(where)
    except ImportError as error:
        raise BadInput(f"{where}: cannot be imported ({error})") from error
    make = getattr(module, name, None)
    task = make() if callable(make) else make
    if not isinstance(task, Task):
        marks = {n: getattr(value, "__registry_info__", None) for n, value in vars(module).items()}
        known = sorted(n for n, mark in marks.items() if getattr(mark, "type", "") == "task")
        raise BadInput(f"{where}: has no task '{name}'; it has {', '.join(known) or 'none'}")
    return task, name


def _module(where: str) -> Any:
    if not where.endswith(".py"):
        return importlib.import_module(where)
    if not Path(where).is_file():
        raise BadInput(f"{where}: no such file")
    spec = importlib.util.spec_from_file_location(f"probatum_guest_{Path(where).stem}", where)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _list(target: Any) -> list[str]:
    return [target] if isinstance(target, str) else list(target)


def _plain(asked: Any) -> str:
    return asked if isinstance(asked, str) else "\n".join(message.text for message in asked)


def _short(name: str) -> str:
    """The last part of a path, in characters that a name may have."""
    return re.sub(r"[^\w.-]+", "-", name.rstrip("/").rsplit("/", 1)[-1]).strip("-") or "model"
