"""How a repair bears more: larger forget sets, and one request after the other.

MUSE (P136, arXiv 2407.06460) asks both of a method: scalability, what is kept as the forget set grows, and
sustainability, what is kept after several requests in a row. A method may pass once and ruin a model by the fourth.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from probatum.audit import open_session
from probatum.core.binding import options_of
from probatum.core.catalogue import load
from probatum.core.data import Facts, Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Estimate
from probatum.core.likelihood import written
from probatum.core.target import Target
from probatum.engine.session import Session
from probatum.protect import facts_of, save, without_costs
from probatum.statistics.task_metrics import share
from probatum.targets import open_target

Kind = Literal["scale", "requests"]


@dataclass(frozen=True)
class Stage:
    """One model on the way: what it was asked to forget so far, and what it still writes of that and of the rest."""

    name: str
    asked: int  #: facts to be forgotten, all requests together
    forgotten: Estimate | None  #: recall of what was to be forgotten so far; None where nothing was
    waiting: Estimate | None  #: recall of what later requests will ask for
    kept: Estimate


def endure(
    method: str,
    model: str | Path,
    *,
    forget: str | Path,
    retain: str | Path,
    kind: Kind,
    parts: int,
    field: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    session: Session | None = None,
    say: Callable[[str], None] | None = None,
) -> list[Stage]:
    """Unlearn ``parts`` times and look at the model each time; no model is kept.

    Parameters
    ----------
    kind
        ``requests``: the forget set comes in equal parts, each unlearned from the model that the last one left; what
        was not asked for yet is kept like the rest. ``scale``: a half of it, a quarter … from the model as it is,
        smallest first, the last one all of it.
    parts
        How many, 2 or more. Units (clusters) stay whole, drawn by the seed.

    Raises
    ------
    BadInput
        The forget set has fewer units than parts.
    """
    tell = say or (lambda _: None)
    chosen = load(method)
    if chosen.kind != "protection" or "Forget" not in chosen.signature.data.values() or chosen.signature.roles:
        raise BadInput(f"{method} cannot be asked several times: it takes no forget set, or another model")
    settings = options_of(chosen, options or {})
    session = session or open_session()
    gone, kept = facts_of(Forget, forget, field), facts_of(Retain, retain, field)
    shares = _parts(gone, parts, kind, seed)
    subject = open_target(model, session=session)
    stages = [_stage("before", subject, gone.take([]), gone, kept)]
    with tempfile.TemporaryDirectory() as folder:
        for number, now in enumerate(shares, 1):
            so_far = sorted(set().union(*shares[:number])) if kind == "requests" else now
            later = [i for i in range(len(gone)) if i not in set(so_far)]
            hold = _joined(kept, gone.take(later)) if kind == "requests" and later else kept
            tell(f"{method}: {len(now)} facts, {number} of {len(shares)}")
            draws = {"rng": keyed(seed, method, kind, number)} if chosen.signature.rng else {}
            change = chosen.function(subject, gone.take(now), hold, **draws, **settings)
            place = Path(folder) / str(number)
            save(change, subject, place, {"protection": method})
            after = open_target(place, session=without_costs(session))
            name = f"request {number}" if kind == "requests" else f"{len(now)} of {len(gone)}"
            stages.append(_stage(name, after, gone.take(so_far), gone.take(later), kept))
            if kind == "requests":
                subject = after
    return stages


def _parts(gone: Facts, parts: int, kind: Kind, seed: int) -> list[list[int]]:
    units = list(gone.cluster or gone.ids)
    names = sorted(set(units))
    if not 2 <= parts <= len(names):
        raise BadInput(f"the forget set has {len(names)} units (clusters, else records); it cannot be cut into {parts}")
    order = [names[i] for i in keyed(seed, "requests").permutation(len(names))]
    if kind == "scale":
        sizes = [max(1, round(len(order) / 2**k)) for k in reversed(range(parts))]
        groups = [set(order[:size]) for size in sizes]
    else:
        groups = [set(group) for group in np.array_split(np.array(order, object), parts)]
    return [[i for i, unit in enumerate(units) if unit in group] for group in groups]


def _joined(kept: Retain, more: Facts) -> Retain:
    """The retain set, and after it facts that later requests will ask for."""
    columns: dict[str, Any] = {"name": kept.name, "ids": kept.ids + more.ids}
    for field in dataclasses.fields(Retain):
        if field.name in ("name", "ids"):
            continue
        a, b = getattr(kept, field.name), getattr(more, field.name)
        if a is None and b is None:
            continue
        if field.name in ("cluster", "group", "label", "dose") and (a is None or b is None):
            continue  # known of one side only
        columns[field.name] = (a or (None,) * len(kept)) + (b or (None,) * len(more))
    return Retain(**columns)


def _stage(name: str, model: Target, so_far: Facts, later: Facts, kept: Facts) -> Stage:
    return Stage(name, len(so_far), _recall(model, so_far), _recall(model, later), _recall(model, kept) or _NONE)


_NONE = Estimate("recall", float("nan"), None, None, 0, "no fact can be asked")


def _recall(model: Target, facts: Facts) -> Estimate | None:
    asked = facts.take(facts.askable) if len(facts) else facts
    if not len(asked):
        return None
    told, _ = written(model, asked)
    cluster = None if asked.cluster is None else np.asarray(asked.cluster, object)
    return share(told.astype(float), cluster, 0, "recall")


def table(stages: Sequence[Stage]) -> Any:
    """For a terminal."""
    from rich.table import Table
    from rich.text import Text

    def cell(e: Estimate | None) -> Text:
        if e is None:
            return Text("–")
        return Text(
            f"{e.value:.3g}" if e.low is None or e.high is None else f"{e.value:.3g} [{e.low:.3g}, {e.high:.3g}]"
        )

    out = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "asked", "forgotten so far", "not asked yet", "kept"):
        out.add_column(column)
    for stage in stages:
        out.add_row(stage.name, str(stage.asked), cell(stage.forgotten), cell(stage.waiting), cell(stage.kept))
    return out
