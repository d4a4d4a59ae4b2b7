"""Where a score would stand among those that a benchmark published, and how far the corrected score moves it.

The table is `published.toml`: task → better, metric, model → value. A task ends with

    return ranked(scores, data, "hallucination", ours)

where ``ours`` is the task's own metric, or a `Released` on the published scale, or None where there is none on it. The
sentence stands in `Scores.note`. Nothing is said of items that are generated or the user's own, on which no one else
was measured.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.core.estimate import Estimate, Metric
from probatum.core.scores import Released, Scores
from probatum.statistics import TooFew

FAMILY = "trustllm/"  #: the sets whose published scores the table has


@dataclasses.dataclass(frozen=True)
class Published:
    """The published scores of one task: ``better`` is high or low, ``metric`` says of what they are."""

    better: str
    metric: str
    models: Mapping[str, float]


@functools.cache
def table() -> Mapping[str, Published]:
    """All published scores by task."""
    raw = tomllib.loads(resources.files(__package__).joinpath("published.toml").read_text(encoding="utf-8"))
    return {name: Published(t["better"], t["metric"], t["models"]) for name, t in raw.items()}


def place(task: str, value: float) -> tuple[int, int]:
    """(rank, of how many): where ``value`` would stand among the published models and itself; ties share the rank.

    Raises `BadInput` for a task of which nothing was published.
    """
    if task not in table():
        raise BadInput(f"no published scores of '{task}'; there are some of {', '.join(table())}")
    entry = table()[task]
    sign = 1 if entry.better == "high" else -1
    better = sum(sign * other > sign * value + 1e-9 for other in entry.models.values())
    return better + 1, len(entry.models) + 1


def ranked(scores: Scores, data: Items, task: str, ours: Metric | Released | None, *, released: bool = True) -> Scores:
    """The same scores, with a sentence on where they would stand as released, and corrected, joined to their note.

    In brackets stand the ranks that the interval allows, where there are several. ``released=False`` where the released
    score here is of a part of what was published.
    """
    if not data.name.startswith(FAMILY):
        return scores
    before = scores.released if released else None
    both = ((before, "as released"), (_corrected(scores, data, ours), "corrected" if before else "by our scorer"))
    said = [f"{_ranks(task, e.value, e.low, e.high)} {how}" for e, how in both if e is not None]
    if not said:
        return scores
    entry = table()[task]
    n = len(entry.models)
    sentence = f"beside {n} published models (their {entry.metric}) it would rank {', '.join(said)}, of {n + 1}"
    return dataclasses.replace(scores, note="; ".join(filter(None, (scores.note, sentence))))


def _corrected(scores: Scores, data: Items, ours: Metric | Released | None) -> Released | Estimate | None:
    if ours is None or isinstance(ours, Released):
        return ours
    with contextlib.suppress(TooFew):
        result = ours(scores, data.truth)
        return None if result.note else result.estimate  # what is of a part only has no place
    return None


def _ranks(task: str, value: float, low: float | None, high: float | None) -> str:
    ends = sorted(place(task, end)[0] for end in (value if low is None else low, value if high is None else high))
    between = f" ({_ordinal(ends[0])} to {_ordinal(ends[1])})" if ends[0] != ends[1] else ""
    return f"{_ordinal(place(task, value)[0])}{between}"


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
