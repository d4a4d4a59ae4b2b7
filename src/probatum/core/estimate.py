"""A number with its interval, and what a metric makes of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from probatum.core.finding import Curve, IntervalKind, PValueKind
from probatum.core.scores import Scores


@dataclass(frozen=True)
class Estimate:
    """A value, its interval, and how the interval was made. No data is never an estimate of 0."""

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    level: float = 0.95
    kind: IntervalKind = "confidence"


@dataclass(frozen=True)
class Truth:
    """What only a metric may see: planted or known labels, and the units that are independent of one another."""

    label: np.ndarray | None = None  #: bool (n,): member, triggered …
    cluster: np.ndarray | None = None  #: str (n,): the independent unit, where it is not the record
    group: np.ndarray | None = None  #: str (n,): parts that the report shows one by one
    dose: np.ndarray | None = None  #: float (n,): 0 where nothing was planted
    seed: int = 0

    def take(self, index: np.ndarray) -> Truth:
        """The records at ``index``."""

        def cut(x: np.ndarray | None) -> np.ndarray | None:
            return None if x is None else x[index]

        return Truth(cut(self.label), cut(self.cluster), cut(self.group), cut(self.dose), self.seed)


@dataclass(frozen=True)
class Result:
    """What a metric says: the estimate, the p-value of the probe's question, and which way it points.

    ``contributions``, shape (n,), are the numbers whose mean over records is the estimate (NaN for records that do not
    count), so that two audits can be compared record by record; None where the estimate is no mean.
    """

    estimate: Estimate
    p_value: float | None = None
    p_value_kind: PValueKind = "none"
    direction: Literal["expected", "reversed"] = "expected"
    breakdown: Mapping[str, Estimate] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    contributions: np.ndarray | None = None
    note: str = ""  #: one sentence for the reader, joined to that of the scores
    severity: Literal["none", "low", "medium", "high"] | None = None  #: of what was found, where not all is alike


#: Scores and truth in, one result out; the only place where a probe's numbers meet a statistic.
Metric = Callable[[Scores, Truth], Result]
