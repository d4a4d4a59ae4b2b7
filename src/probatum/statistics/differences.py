"""Two audits of the same records: the difference, record by record where that can be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from probatum.core.finding import EstimateView
from probatum.statistics import roc, tests
from probatum.statistics.intervals import mean_t


class Difference(NamedTuple):
    """B − A with its interval; ``kind`` is "paired", "unpaired" or "none"."""

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    kind: str


def paired(a: Mapping[str, Any], b: Mapping[str, Any]) -> Difference | None:
    """From two entries of ``scores.json``; None if they are not of the same records.

    A mean is compared over independent units (Student's interval, sign-flip test), an AUROC by paired DeLong.
    """
    place = {name: i for i, name in enumerate(b["ids"])}
    if set(place) != set(a["ids"]):
        return None
    order = [place[name] for name in a["ids"]]
    if a["contributions"] is not None and b["contributions"] is not None:
        return _means(_numbers(a["contributions"]), _numbers(b["contributions"])[order], a["cluster"])
    if a["label"] is None:
        return None
    own, other = _numbers(a["values"]), _numbers(b["values"])[order]
    both = ~np.isnan(own) & ~np.isnan(other)
    member = np.array(a["label"], dtype=bool)
    inside, outside = both & member, both & ~member
    if min(inside.sum(), outside.sum()) < 2:
        return None
    d = roc.paired_delong(other[inside], other[outside], own[inside], own[outside])
    return Difference(d.difference, d.low, d.high, d.p_value, "paired")


def unpaired(a: EstimateView, b: EstimateView) -> Difference:
    """From two estimates with intervals of the same level: the intervals' half-widths add in square (Newcombe 1998).

    This is MOVER: each side of the interval uses the limits on the side that the difference moves towards.
    """
    if a.value is None or b.value is None or a.metric != b.metric:
        return Difference(None, None, None, None, "none")
    value = b.value - a.value
    if None in (a.low, a.high, b.low, b.high):
        return Difference(value, None, None, None, "none")
    low = value - float(np.hypot(b.value - b.low, a.high - a.value))  # type: ignore[operator]
    high = value + float(np.hypot(b.high - b.value, a.value - a.low))  # type: ignore[operator]
    return Difference(value, low, high, None, "unpaired")


def _numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def _means(a: np.ndarray, b: np.ndarray, cluster: list[str] | None) -> Difference | None:
    """Mean of b − a over units."""
    d = b - a
    keep = ~np.isnan(d)
    if cluster is not None:
        _, number = np.unique(np.array(cluster, dtype=str)[keep], return_inverse=True)
        d = np.bincount(number, weights=d[keep]) / np.bincount(number)
    else:
        d = d[keep]
    if len(d) < 2:
        return None
    interval = mean_t(d)
    if interval.low == interval.high:  # all units agree: Student's interval would have no width
        return Difference(interval.value, None, None, tests.sign_flip(d).value, "paired")
    return Difference(interval.value, interval.low, interval.high, tests.sign_flip(d).value, "paired")
