"""Guest probes: tasks of other harnesses as findings, with an interval, null responders and an oracle beside them.

A guest is a measure. Its intervals are made anew from the score of every sample: the standard errors that harnesses
print are 0 where all samples agree.
"""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.scorers.refusal import refuses
from probatum.statistics.intervals import mean_t
from probatum.statistics.metrics import TooFew
from probatum.statistics.task_metrics import rate

ORACLE = "oracle"
FEW_ANSWERS = 20  #: distinct right answers, the most frequent ones, that null responders choose from


@dataclass(frozen=True)
class Run:
    """What one who answers reached in one metric."""

    scores: Scores
    truth: Truth
    metric: Metric

    @functools.cached_property
    def result(self) -> Result | None:
        """None where nothing could be scored."""
        try:
            return self.metric(self.scores, self.truth)
        except TooFew:
            return None


@dataclass(frozen=True)
class Guest:
    """One metric of a task; ``full`` is the full mark, None where it is not known, and ``hint`` what to do if the
    oracle does not reach it."""

    name: str
    question: str
    source: str
    mine: Run
    others: Mapping[str, Run]
    prompts: Mapping[str, str]
    access: Access
    better: Literal["high", "low", ""] = "high"
    full: float | None = 1.0
    hint: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of what was asked."""
        return digest_of(*(f"{name}\0{text}" for name, text in sorted(self.prompts.items())))


def mean(name: str) -> Metric:
    """The mean over samples: exact for zeros and ones, by resampling for other shares, Student's t beyond [0, 1]."""

    def metric(scores: Scores, truth: Truth) -> Result:
        keep = np.flatnonzero(scores.scored)
        values = scores.values[keep]
        if not len(keep) or ((values >= 0).all() and (values <= 1).all()):
            return rate(name)(scores, truth)
        unit = scores.ids if truth.cluster is None else truth.cluster.astype(str)
        groups: dict[str, list[float]] = {}
        for i in keep:
            groups.setdefault(str(unit[i]), []).append(float(scores.values[i]))
        if len(groups) < 2:
            raise TooFew(f"too few samples: {len(groups)}")
        mean_of = mean_t([np.mean(own) for own in groups.values()])
        limits = mean_of.low, mean_of.high, mean_of.n
        estimate = Estimate(name, mean_of.value, *limits, f"{mean_of.method} over samples")
        return Result(estimate, contributions=np.where(scores.scored, scores.values, np.nan))

    return metric


def aggregated(name: str, aggregate: Callable[[Sequence[int]], float], *, draws: int = 200) -> Metric:
    """A statistic of all samples that is not their mean: ``aggregate`` of sample numbers, by bootstrap over samples.

    Where all resamples agree there is no interval: of an unknown statistic no exact bound is known.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        n = len(scores)
        if n < 2:
            raise TooFew(f"too few samples: {n}")
        rng = keyed(truth.seed, name)
        with warnings.catch_warnings():  # resamples in which a class is missing
            warnings.simplefilter("ignore")
            drawn = np.array([aggregate(rng.integers(n, size=n).tolist()) for _ in range(draws)], dtype=float)
            value, drawn = float(aggregate(range(n))), drawn[np.isfinite(drawn)]
        if not np.isfinite(value) or not len(drawn):
            raise TooFew(f"{name} is not defined on these samples")
        low, high = (float(x) for x in np.quantile(drawn, [0.025, 0.975]))
        if low == high:
            return Result(Estimate(name, value, None, None, n, "no interval: all resamples agree"))
        return Result(Estimate(name, value, low, high, n, "percentile bootstrap over samples"))

    return metric


def among(answers: Sequence[str]) -> tuple[str, ...]:
    """What a null responder chooses from where a task shows no options: its right answers, the most frequent first."""
    return tuple(answer for answer, _ in Counter(answers).most_common(FEW_ANSWERS))


def kinds_of(said: Sequence[str | None], values: Sequence[float]) -> list[str]:
    """What every answer was: answered, refused, unparsable (no score came of it) or missing."""
    return [
        "missing" if not (text or "").strip() else "unparsable" if np.isnan(value) else
        "refused" if refuses(text or "") else "answered"
        for text, value in zip(said, values, strict=True)
    ]  # fmt: skip


def bounded(runs: Sequence[Run]) -> bool:
    """Whether all scores lie in [0, 1], so that 1 is the full mark."""
    values = np.concatenate([run.scores.values[run.scores.scored] for run in runs])
    return bool(((values >= 0) & (values <= 1)).all())
