"""Rates by the parts of a group's name: a scenario, a suite and an attack are three ways to cut the same items."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.metrics import _scored
from probatum.statistics.task_metrics import SMALL, rate, share


def rate_by(name: str, *, columns: Sequence[str] = (), cross: bool = False) -> Metric:
    """The share of items with value 1, broken down by every part of the names of their groups.

    Parameters
    ----------
    columns
        What the columns of ``scores.null`` say of the same answers (0 or 1, NaN where they say nothing); each is a
        share beside the first.
    cross
        Show every column for every part, too.

    Notes
    -----
    A group "dog/large/" stands for the parts "dog" and "large"; an empty part is none. Names of different parts must
    differ. Intervals are those of `rate`.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        result = rate(name)(scores, truth)
        values, seen = _scored(scores, truth)
        own = parts_of(seen.group)
        found = {part: _share(name, values, at, seen) for part, at in own.items()}
        beside = scores.null[scores.scored] if scores.null is not None else np.zeros((len(values), 0))
        for label, column in zip(columns, beside.T, strict=True):
            said = ~np.isnan(column)
            if said.any():
                found[label] = _share(name, column, said, seen)
            for part, at in own.items() if cross else ():
                if (at & said).any():
                    found[f"{part}: {label}"] = _share(name, column, at & said, seen)
        return dataclasses.replace(result, breakdown=found)

    metric.__name__ = "rate_by"
    return metric


def parts_of(group: np.ndarray | None) -> dict[str, np.ndarray]:
    """Every part that the groups' names have, in the order of their places, and which items have it: bool (n,)."""
    if group is None:
        return {}
    split = [str(name).split("/") for name in group]
    places = range(max(map(len, split), default=0))
    columns = [np.array([parts[place] if place < len(parts) else "" for parts in split]) for place in places]
    return {str(part): column == part for column in columns for part in np.unique(column) if part}


def _share(name: str, values: np.ndarray, at: np.ndarray, truth: Truth) -> Estimate:
    cluster = None if truth.cluster is None else truth.cluster[at]
    found = share(values[at], cluster, truth.seed, name)
    small = f"; fewer than {SMALL} items" if at.sum() < SMALL else ""
    return dataclasses.replace(found, method=found.method + small)
