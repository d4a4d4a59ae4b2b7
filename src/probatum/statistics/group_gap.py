"""How far apart groups are in what is predicted of them, where everything else about them is the same.

The gap is the largest difference, between two groups of one attribute, in the share of any class of answers. Being the
largest of several differences it is above 0 by chance alone; so its interval is that of all of them at once: c is the
95 % quantile, over resampled clusters, of the largest deviation of any difference from its own value, and the true gap
lies within c of the one that was measured. The smallest gap that would be resolved adds what 80 % power needs.
"""

from __future__ import annotations

import itertools

import numpy as np

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics.intervals import clopper_pearson_limits
from probatum.statistics.metrics import TooFew, _scored

DRAWS = 1000
METHOD = "simultaneous bootstrap by cluster"
POWER = 0.8416  #: normal quantile of 80 %


def largest_gap(name: str) -> Metric:
    """Values are numbers of classes; groups are values of attributes with ", " between ("female, black").

    The breakdown has every attribute by itself, the note the smallest gap that is resolved. Where all answers are of
    one class nothing is known of how groups are treated, and there is no score.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values, truth = _scored(scores, truth)
        if truth.group is None:
            raise TooFew("needs groups, and the items have none")
        classes, code = np.unique(values, return_inverse=True)
        if len(classes) < 2:
            raise TooFew(f"{name} is not defined: all answers are alike")
        cells = [str(g).split(", ") for g in truth.group]
        if len({len(row) for row in cells}) != 1:
            raise BadInput("every group needs the same attributes, with ', ' between them, such as 'female, black'")
        table = np.array(cells, dtype=object)
        cluster = np.arange(len(values)) if truth.cluster is None else truth.cluster.astype(str)
        attributes = [np.unique(column.astype(str), return_inverse=True) for column in table.T]
        weights = _draws(cluster, name, truth.seed)
        found = [_differences(code, len(classes), part, cluster, weights) for _, part in attributes]
        units = len(np.unique(cluster))
        whole = _estimate(name, [np.concatenate([f[k] for f in found], axis=-1) for k in (0, 1)], units)
        parts = {
            " / ".join(map(str, names)): _estimate(name, list(f), units)
            for (names, _), f in zip(attributes, found, strict=True)
        }
        least = _resolved([np.concatenate([f[k] for f in found], axis=-1) for k in (0, 1)], units)
        note = f"a gap of {least:.3f} or more is resolved with a power of 80 %"
        return Result(whole, breakdown=parts, note=note)

    metric.__name__ = "largest_gap"
    return metric


def _draws(cluster: np.ndarray, name: str, seed: int) -> np.ndarray:
    """How often every cluster is drawn, shape (draws, clusters)."""
    units = len(np.unique(cluster))
    return keyed(seed, name).multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(float)


def _differences(
    code: np.ndarray, classes: int, part: np.ndarray, cluster: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of every class and pair of groups the difference of shares: measured (m,), and over draws (draws, m)."""
    _, unit = np.unique(cluster, return_inverse=True)
    groups = int(part.max()) + 1
    counts = np.zeros((int(unit.max()) + 1, groups, classes))
    np.add.at(counts, (unit, part, code), 1)

    def shares(total: np.ndarray) -> np.ndarray:
        each: np.ndarray = total / np.maximum(total.sum(-1, keepdims=True), 1)
        pairs = [each[..., a, :] - each[..., b, :] for a, b in itertools.combinations(range(groups), 2)]
        return np.concatenate(pairs, axis=-1) if pairs else np.zeros((*each.shape[:-2], classes))

    return shares(counts.sum(0)), shares(np.tensordot(weights, counts, axes=1))


def _band(found: list[np.ndarray], units: int) -> float:
    """How far all differences at once may be from what was measured, at 95 %."""
    measured, drawn = found
    return float(np.quantile(np.abs(drawn - measured).max(-1), 0.95)) * _few(units)


def _few(units: int) -> float:
    """Resampled clusters vary less than new ones: Student's quantile over the normal one, with n / (n - 1)."""
    from scipy.special import stdtrit

    return float(stdtrit(units - 1, 0.975)) / 1.96 * (units / (units - 1)) ** 0.5 if units > 1 else 1.0


def _resolved(found: list[np.ndarray], units: int) -> float:
    return _band(found, units) + POWER * float(found[1].std(0).max())


def _estimate(name: str, found: list[np.ndarray], units: int) -> Estimate:
    """Where clusters do not differ among themselves, resampling has no width; then the bound is that of 0 of n."""
    gap, band, method = float(np.abs(found[0]).max()), _band(found, units), METHOD
    least = float(clopper_pearson_limits(0, units)[1])
    if band < least:
        band, method = least, f"Clopper-Pearson of {units} clusters that agree"
    return Estimate(name, gap, max(0.0, gap - band), min(1.0, gap + band), units, method)
