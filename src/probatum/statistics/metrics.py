"""Metrics: what is made of a probe's scores. The only place where a probe's numbers meet a statistic.

Every metric takes `Scores` and `Truth`, leaves unscored records out, and returns a `Result`. "Too few records" is an
error (`TooFew`), never an estimate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.finding import Curve, EstimateView
from probatum.core.scores import Scores
from probatum.statistics import roc, tests
from probatum.statistics.intervals import Interval, bootstrap, clopper_pearson, mean_t


class TooFew(ValueError):
    """Fewer scored records, or units, than the metric can say anything about."""


def view(estimate: Estimate) -> EstimateView:
    """An estimate as the report shows it."""

    def number(x: float | None) -> float | None:
        return None if x is None or np.isnan(x) else float(x)

    e = estimate
    return EstimateView(e.metric, number(e.value), number(e.low), number(e.high), e.level, e.n, e.kind, e.method)


def auroc(scores: Scores, truth: Truth) -> Result:
    """Area under the ROC curve of members against nonmembers (DeLong), Mann–Whitney test, two-sided.

    The breakdown holds TPR at 1 % and 0.1 % FPR; below the resolution of the sample their value is NaN.
    """
    values, truth = _scored(scores, truth)
    label = _need(truth.label, "labels")
    positive, negative = values[label], values[~label]
    if min(len(positive), len(negative)) < 10:
        raise TooFew(f"too few records: {len(positive)} members and {len(negative)} nonmembers, at least 10 of each")
    clusters = None if truth.cluster is None else (truth.cluster[label], truth.cluster[~label])
    if clusters is not None and min(len(np.unique(side.astype(str))) for side in clusters) < 2:
        raise TooFew("too few units: all members, or all nonmembers, are of one")
    interval = roc.delong_interval(positive, negative, clusters=clusters)
    if clusters is not None and np.intersect1d(*clusters).size:
        # A unit that holds both labels leaves no labels to permute: its own records are the contrast.
        p = _shared_units_p(positive, negative, clusters)
    else:
        p = tests.mann_whitney(positive, negative, clusters=clusters, rng=keyed(truth.seed, "auroc"))
    parts = {}
    for fpr in (0.01, 0.001):
        point = roc.tpr_at_fpr(positive, negative, fpr)
        method = "Clopper-Pearson" if point.resolvable else f"not resolvable with {len(negative)} nonmembers"
        parts[f"TPR at {fpr:.1%} FPR"] = Estimate("TPR", point.value, point.low, point.high, len(positive), method)
    grid = np.unique(np.r_[np.geomspace(1 / len(negative), 0.5, 24), np.linspace(0.5, 0.98, 8)]).clip(None, 0.999)
    band = roc.roc_band(positive, negative, grid)
    known = ~np.isnan(band.tpr)
    columns = [tuple(np.asarray(c)[known].tolist()) for c in (band.fpr, band.tpr, band.low, band.high)]
    return Result(
        _estimate("AUROC", interval),
        p.value,
        p.kind,
        "expected" if interval.value >= 0.5 else "reversed",
        parts,
        (Curve("roc", columns[0], columns[1], columns[2], columns[3]),),
    )


def hit_rate(scores: Scores, truth: Truth) -> Result:
    """Share of records with a value above 0, against chance (``scores.expected``): exact Poisson-binomial test.

    With labels and without known chance: against the records labeled false, Fisher's exact test. Where records form
    units, the units are what is counted.
    """
    values, truth = _scored(scores, truth)
    label = truth.label if truth.label is not None else np.ones(len(values), bool)
    hits = values > 0
    name = f"share {scores.towards}"
    if not label.any():
        raise TooFew("too few records: none is labeled as planted")
    rate = clopper_pearson(int(hits[label].sum()), int(label.sum()))
    parts = {}
    if (~label).any():
        parts["unseen"] = _estimate(name, clopper_pearson(int(hits[~label].sum()), int((~label).sum())))
    expected = None if scores.expected is None else scores.expected[scores.scored][label]
    if expected is not None and not np.isnan(expected).any():
        p = tests.poisson_binomial_tail(int(hits[label].sum()), expected)
        if truth.cluster is not None and len(np.unique(truth.cluster[label])) < label.sum():
            p = _clustered_tail(hits[label], expected, truth.cluster[label])
    elif (~label).any() and truth.cluster is not None:
        p = _clustered_contrast(hits.astype(float), label, truth.cluster, truth.seed)
    elif (~label).any():
        from scipy.stats import fisher_exact

        table = [[int((hits & side).sum()), int((~hits & side).sum())] for side in (label, ~label)]
        p = tests.PValue(float(fisher_exact(table, alternative="greater").pvalue), "exact")
    else:
        p = tests.PValue(float("nan"), "none")
    parts_of = _spread(scores, hits.astype(float), label)
    value = None if p.kind == "none" else p.value
    return Result(_estimate(name, rate), value, p.kind, breakdown=parts, contributions=parts_of)


def exposure_bits(scores: Scores, truth: Truth) -> Result:
    """Mean exposure, log2(K + 1) − log2 rank among the K decoys of ``scores.null``, over the planted records.

    Per record p = rank / (K + 1) is exact where the secret was drawn like its decoys; Fisher's combination over
    records. (Carlini et al. 2019, definition 2, with the estimated rank of §4.3.)
    """
    label = truth.label if truth.label is not None else np.ones(len(scores), bool)
    keep = scores.scored
    value, null = scores.values[keep], _need(scores.null, "decoys")[keep]
    p = np.asarray(tests.decoy_p(value, null))
    bits = -np.log2(p)
    planted = label[keep]
    if planted.sum() < 2:
        raise TooFew("too few records: exposure needs at least 2 planted records")
    interval = bootstrap(bits[planted], np.mean, rng=keyed(truth.seed, "exposure"))
    combined = tests.fisher_combination(p[planted])
    parts = {}
    if (~planted).sum() >= 2:
        parts["unseen"] = _estimate("bits", bootstrap(bits[~planted], np.mean, rng=keyed(truth.seed, "unseen")))
    kind = "decoy" if combined.kind != "bound" else "bound"
    parts_of = _spread(scores, bits, planted)
    estimate = _estimate("exposure, bits", interval)
    return Result(estimate, combined.value, kind, breakdown=parts, contributions=parts_of)  # type: ignore[arg-type]


def mean_difference(*, floor: float, name: str = "mean difference") -> Callable[[Scores, Truth], Result]:
    """Mean over independent units against a smallest effect worth naming: sign-flip test, two-sided.

    A sign-flip test alone has no floor: with many units a mean of .01 becomes "significant". The null here is
    |mean| <= ``floor``.
    """

    def metric(scores: Scores, truth: Truth) -> Result:
        values, truth = _scored(scores, truth)
        _, means = _units(values, truth.cluster)
        if len(means) < 6:
            raise TooFew(f"too few units: {len(means)}, a sign-flip test needs 6 or more to reach 5 %")
        p = tests.sign_flip(means, floor=floor, rng=keyed(truth.seed, name))
        interval = mean_t(means)
        parts = {}
        if truth.group is not None:
            for group in np.unique(truth.group):
                _, part = _units(
                    values[truth.group == group],
                    None if truth.cluster is None else truth.cluster[truth.group == group],
                )
                if len(part) >= 2:
                    parts[str(group)] = _estimate(name, mean_t(part))
        direction = "expected" if interval.value >= 0 else "reversed"
        return Result(
            _estimate(name, interval),
            p.value,
            p.kind,
            direction,  # type: ignore[arg-type]
            parts,
            contributions=_spread(scores, values, np.ones(len(values), bool)),
        )

    metric.__name__ = "mean_difference"
    return metric


def attack_success_rate(scores: Scores, truth: Truth) -> Result:
    """Share of trigger words that fire (in more than half of their prompts), against words that are no trigger.

    The unit is the word: all prompts with one word share one association. Permutation of words, one-sided.
    """
    values, truth = _scored(scores, truth)
    label = _need(truth.label, "labels (which prompts hold a trigger)")
    names = truth.cluster if truth.cluster is not None else np.arange(len(values)).astype(str)
    fired, other = _units(values[label], names[label])[1], _units(values[~label], names[~label])[1]
    if min(len(fired), len(other)) < 3:
        raise TooFew(f"too few units: {len(fired)} triggers and {len(other)} other words, at least 3 of each")
    p = tests.permutation_two_sample(fired, other, rng=keyed(truth.seed, "asr"), alternative="greater")
    parts = {}
    if truth.group is not None:
        for group in np.unique(truth.group):
            share = _units(values[truth.group == group], names[truth.group == group])[1]
            parts[str(group)] = _estimate("share that fires", clopper_pearson(int((share > 0.5).sum()), len(share)))
    rate = clopper_pearson(int((fired > 0.5).sum()), len(fired))
    parts_of = _spread(scores, values, label)
    return Result(_estimate("attack success rate", rate), p.value, p.kind, breakdown=parts, contributions=parts_of)


def refuted_share(scores: Scores, truth: Truth) -> Result:
    """Share of checkable claims that are refuted. A value is 1 − p, p the p-value of "the claim holds".

    A claim about a file that is not so has p = 0: were it true, the file could not look like this. Bonferroni over
    the claims.
    """
    values, _ = _scored(scores, truth)
    if not len(values):
        raise TooFew("no claim could be checked")
    p = 1 - values
    n = len(p)
    rate = clopper_pearson(int((p * n <= 0.05).sum()), n)
    # Claims are not a sample of anything: the share is a count, its interval says what a longer card might hold.
    return Result(_estimate("refuted claims", rate), float(min(1.0, n * p.min())), "bound")


def unit_matches(scores: Scores, truth: Truth) -> Result:
    """Hidden units that kept their place, summed over layers, against chance (one a layer).

    The number of fixed points of a uniform random permutation of n units is Poisson(1) up to terms of order 1/n!, so
    their sum over L independent layers is Poisson(L).
    """
    values, _ = _scored(scores, truth)
    expected = _need(scores.expected, "chance per layer")[scores.scored]
    if not len(values):
        raise TooFew("no layer could be matched")
    p = tests.poisson_tail(int(values.sum()), float(expected.sum()))
    return Result(
        Estimate(
            "matched units",
            float(values.sum()),
            None,
            None,
            len(values),
            "count; chance gives one a layer",
            kind="point",
        ),
        p.value,
        p.kind,
    )


def _scored(scores: Scores, truth: Truth) -> tuple[np.ndarray, Truth]:
    index = np.flatnonzero(scores.scored)
    return scores.values[index], truth.take(index)


def _spread(scores: Scores, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Values of the scored records that count, at the places of all records; NaN elsewhere."""
    full = np.full(len(scores), np.nan)
    full[np.flatnonzero(scores.scored)[counted]] = values[counted]
    return full


def _need(values: np.ndarray | None, what: str) -> np.ndarray:
    if values is None:
        raise TooFew(f"needs {what}, and the data has none")
    return values


def _units(values: np.ndarray, cluster: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Names and mean values of the independent units."""
    if cluster is None:
        return np.arange(len(values)), values
    names, number = np.unique(cluster.astype(str), return_inverse=True)
    return names, np.bincount(number, weights=values) / np.bincount(number)


def _estimate(name: str, interval: Interval) -> Estimate:
    if interval.low == interval.high:
        # Records that all agree resample to themselves: such an interval of no width would claim certainty.
        method = f"{interval.method}: no interval, all units agree"
        return Estimate(name, interval.value, None, None, interval.n, method, interval.level, "point")
    return Estimate(name, interval.value, interval.low, interval.high, interval.n, interval.method, interval.level)


def _clustered_tail(hits: np.ndarray, expected: np.ndarray, cluster: np.ndarray) -> tests.PValue:
    """P(so many hits) where the hits of one unit may depend on each other in any way.

    Means of units are independent numbers in [0, 1]; by Bentkus 2004, theorem 1.2, their sum reaches x with at most e
    times the chance that a binomial of the same mean reaches it. (A sign-flip test would take them for symmetric about
    chance, which they are only where chance is 1/2.)
    """
    _, means = _units(hits.astype(float), cluster)
    _, chance = _units(expected, cluster)
    tail = tests.binomial_tail(int(np.floor(means.sum() + 1e-9)), len(means), float(chance.mean()))
    return tests.PValue(min(1.0, float(np.e) * tail.value), "bound")


def _clustered_contrast(hits: np.ndarray, label: np.ndarray, cluster: np.ndarray, seed: int) -> tests.PValue:
    """Labeled against unlabeled records by unit: within units that hold both, else by relabeling whole units."""
    inside, own = _units(hits[label], cluster[label])
    outside, other = _units(hits[~label], cluster[~label])
    both, i, j = np.intersect1d(inside, outside, return_indices=True)
    rng = keyed(seed, "clusters")
    if len(both):
        return tests.sign_flip(own[i] - other[j], alternative="greater", rng=rng)
    return tests.permutation_two_sample(own, other, rng=rng, alternative="greater")


def _shared_units_p(
    positive: np.ndarray, negative: np.ndarray, clusters: tuple[np.ndarray, np.ndarray]
) -> tests.PValue:
    """DeLong's test of AUC = 1/2 by unit, with Student's law for few units.

    Where all units agree their variance is 0, which is not certainty: k disjoint pairs agree with chance 2^(1 − k).
    """
    from scipy.special import stdtr

    auc, variance = roc.delong(positive, negative, clusters=clusters)
    own, other = (set(map(str, c)) for c in clusters)
    if variance < 1e-12:
        pairs = len(own & other) + min(len(own - other), len(other - own))
        return tests.PValue(1.0 if abs(auc - 0.5) < 1e-9 else min(1.0, 2.0 ** (1 - pairs)), "bound")
    distance = abs(auc - 0.5) / np.sqrt(variance)
    return tests.PValue(float(2 * stdtr(max(len(own | other) - 1, 1), -distance)), "asymptotic")
