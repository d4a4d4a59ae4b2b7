"""The mean of the groups' rates: every label, or every source, counts as much as any other."""

from __future__ import annotations

import numpy as np

from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import clopper_pearson_limits
from probatum.statistics.metrics import TooFew, _scored, _spread
from probatum.statistics.task_metrics import rate


def balanced_rate(name: str) -> Metric:
    """Mean over groups of the share of items with value 1; with labels as groups, balanced accuracy.

    A group may be a part of one ("reviews: positive"): parts count alike within their group, and groups alike. So a
    constant answer gets what chance gets, whatever the shares of the labels.

    The interval is that of Korn and Graubard (Survey Methodology 24, 1998): Clopper-Pearson with the number of items
    that an unstratified sample would need for the same variance. Each group's variance is taken at (k + 1/2) / (n + 1),
    so that groups without any hit do not count as known exactly.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values, seen = _scored(scores, truth)
        if not len(values) or seen.group is None:
            raise TooFew("no item could be scored" if not len(values) else "needs groups, and the items have none")
        groups, code = np.unique(seen.group.astype(str), return_inverse=True)
        size = np.bincount(code)
        whole = [g.split(": ")[0] for g in groups]
        share = np.array([1 / (len(set(whole)) * whole.count(w)) for w in whole])
        part = np.bincount(code, weights=values) / size
        smooth = (part * size + 0.5) / (size + 1)
        mean, near = round(float(share @ part), 12), float(share @ smooth)
        effective = near * (1 - near) / float(share**2 @ (smooth * (1 - smooth) / size))
        if seen.cluster is not None:  # items of one unit are not as many as they seem
            effective *= len(np.unique(seen.cluster.astype(str))) / len(values)
        effective = max(effective, 1.0)
        hits = np.clip([np.floor(mean * effective), np.ceil(mean * effective)], 0, effective)
        limits = clopper_pearson_limits(hits, effective)
        method = f"Korn-Graubard over {len(groups)} groups"
        estimate = Estimate(name, mean, float(limits[0][0]), float(limits[1][1]), len(values), method)
        parts = rate(name)(scores, truth).breakdown
        spread = _spread(scores, values * (share / size)[code] * len(values), np.ones(len(values), bool))
        lost = sorted({str(g) for g in truth.group if g is not None} - set(groups)) if truth.group is not None else []
        note = f"no item of {', '.join(lost)} could be scored: the mean is over the others" if lost else ""
        return Result(estimate, breakdown=parts, contributions=spread, note=note)

    metric.__name__ = "balanced_rate"
    return metric
