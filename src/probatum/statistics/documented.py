"""How much of what should be documented is: a count over a fixed list, each item with the place of its evidence."""

from __future__ import annotations

import numpy as np

from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.metrics import TooFew

COUNTED = "all items are counted, none is sampled"


def documented(name: str, *, each: str, also: str = "") -> Metric:
    """The share of items with value 1; the breakdown holds every item, and every part ("part: item") of the list.

    Parameters
    ----------
    each
        What the value of one item says, such as "filled".
    also
        What the column of ``scores.null`` says of the same items (0 or 1); its shares stand beside the first.

    Notes
    -----
    The list is fixed and read as a whole, so a share has no sampling interval. ``scores.said`` holds the evidence of
    every item; an item that does not apply is unscored and counts nowhere.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        kept = scores.scored
        if not kept.any():
            raise TooFew("none of the items applies")
        names = np.array(scores.ids)
        part = np.array([i.partition(": ")[0] if ": " in i else "" for i in scores.ids])
        beside = None if scores.null is None else scores.null[:, 0]
        found = {}
        if beside is not None and also:
            found[also] = _share(also, beside[kept])
        for one in dict.fromkeys(part[part != ""].tolist()):
            own = kept & (part == one)
            if own.any():
                found[one] = _share(name, scores.values[own])
                if beside is not None and also:
                    found[f"{one}, {also}"] = _share(also, beside[own])
        said = scores.said or ("",) * len(scores)
        for item, value, place in zip(names.tolist(), scores.values.tolist(), said, strict=True):
            if np.isnan(value):
                place = scores.unscored.get(item, "")
            found[item] = Estimate(
                each, value, None, None, int(not np.isnan(value)), f"{place or 'absent'};", kind="point"
            )
        return Result(_share(name, scores.values[kept]), breakdown=found)

    metric.__name__ = "documented"
    return metric


def _share(name: str, values: np.ndarray) -> Estimate:
    return Estimate(name, float(values.mean()), None, None, len(values), COUNTED, kind="point")


__all__ = ["documented"]
