"""Metrics: what is made of a probe's scores. The only place where a probe's numbers meet a statistic.

Every metric takes `Scores` and `Truth`, leaves unscored records out, and returns a `Result`. "Too few records" is an
error (`TooFew`), never an estimate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

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
    records. (Carlini et al. 2019, definition 2, with the estimated rank of §4.3.) Where ``scores.expected`` holds the
    rank among all secrets of the form, over their number, the bits are those; the p-value stays that of the decoys.
    """
    label = truth.label if truth.label is not None else np.ones(len(scores), bool)
    keep = scores.scored
    value, null = scores.values[keep], _need(scores.null, "decoys")[keep]
    p = np.asarray(tests.decoy_p(value, null))
    bits = -np.log2(p if scores.expected is None else scores.expected[keep])
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


def running_files(scores: Scores, truth: Truth) -> Result:
    """Files that run code when they are opened. A proof decides, so p is 0 or 1: an inert file could not look so.

    ``parameters``: how many are dangerous; a file that calls what nobody knows is evidence of lower severity. Files
    that were not covered decide only where nothing was found, and then nothing may be concluded.
    """
    values, _ = _scored(scores, truth)
    unread, running = len(scores.values) - len(values), int(values.sum())
    if not running and (unread or not len(values)):
        raise TooFew(f"nothing was found, and {unread} files were not covered" if unread else "there are no files")
    estimate = Estimate(
        "files that run code", float(running), None, None, len(values), "count; every path of a loader followed",
        kind="point",
    )  # fmt: skip
    severity: Literal["high", "medium"] | None = None
    if running:
        severity = "high" if scores.parameters.get("dangerous") else "medium"
    return Result(estimate, 0.0 if running else 1.0, "exact", severity=severity)


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


def success_at_budget(scores: Scores, truth: Truth) -> Result:
    """Share of records of which the secret is among the first B candidates of an attacker, as `hit_rate`.

    A value is −log10 of the number of candidates that the attack needs, B the parameter ``budget``. The curve has the
    share against every budget; nothing stands there for a secret that is no candidate at all (needs over 1e100).
    """
    least = -np.log10(scores.parameters["budget"]) - 1e-9
    hits = np.where(scores.scored, scores.values >= least, np.nan)
    result = hit_rate(dataclasses.replace(scores, values=hits), truth)
    counted = scores.scored & (truth.label if truth.label is not None else True)
    needed = 10.0 ** -scores.values[counted]
    x, count = np.unique(np.rint(needed[needed < 1e100]), return_counts=True)
    curve = Curve("success against budget", tuple(x.tolist()), tuple((np.cumsum(count) / len(needed)).tolist()))
    parts = dict(result.breakdown)
    if scores.expected is not None and not np.isnan(chance := scores.expected[counted]).any():
        name, mean = result.estimate.metric, float(chance.mean())
        how = "at most, of secrets drawn at random"
        parts["by chance"] = Estimate(name, mean, None, mean, len(chance), how, kind="bound")
    return dataclasses.replace(result, breakdown=parts, curves=(curve,) if len(x) else ())


def knowledge(scores: Scores, truth: Truth) -> Result:
    """Bits of the planted records that a model holds: n · max(0, mean bits of a record), by bootstrap.

    A value is log2 of the secrets that there could have been, less the bits that the model needs for this one
    (negative where it is worse than a guess); ``scores.expected`` is one over the secrets that there could have been.
    The mean is clipped and not the record: chance alone makes some records seem known. (Allen-Zhu and Li 2024, eq. 1.)
    """
    values, truth = _scored(scores, truth)
    planted = truth.label if truth.label is not None else np.ones(len(values), bool)
    n = int(planted.sum())
    if n < 2:
        raise TooFew("too few records: bits of knowledge need at least 2 planted records")

    def mean(which: np.ndarray, name: str) -> Interval:
        cluster = None if truth.cluster is None else truth.cluster[which]
        return bootstrap(values[which], np.mean, clusters=cluster, rng=keyed(truth.seed, "knowledge", name))

    each = mean(planted, "planted")
    chance = _need(scores.expected, "the secrets that there could have been")[scores.scored]
    entropy = float(-np.log2(chance[planted]).sum())

    def of(unit: float, name: str) -> Estimate:
        value, low, high = (n * max(0.0, x) / unit for x in (each.value, each.low, each.high))
        if high == 0:
            method = f"{each.method}: the model does no better than a guess"
            return Estimate(name, 0.0, None, None, each.n, method, kind="point")
        return _estimate(name, dataclasses.replace(each, value=value, low=low, high=high))

    parts = {"per record": _estimate("bits", each), "of all there is to know": of(entropy, "share")}
    if (~planted).sum() >= 2:
        parts["per record, unseen"] = _estimate("bits", mean(~planted, "unseen"))
    if parameters := scores.parameters.get("parameters"):
        parts["per parameter"] = of(parameters, "bits")
        parts["of 2 bits a parameter"] = of(2 * parameters, "share")
    spread = _spread(scores, n * values, planted) if each.value >= 0 else None
    return Result(of(1.0, "bits of knowledge"), breakdown=parts, contributions=spread)


def forecast(scores: Scores, truth: Truth) -> Result:
    """Precision: of the records that the earlier model has, the share that the later one has too.

    A value is 2 · (the later model has it) + (the earlier one has it). Test of independence over the planted records
    (others are had by neither, which would look like foresight): Fisher's exact test, one-sided; where records form
    units, the units are compared. An earlier model that has none has no precision, and its recall of 0 stands there.
    """
    values, truth = _scored(scores, truth)
    planted = truth.label if truth.label is not None else np.ones(len(values), bool)
    values, truth = values[planted], truth.take(np.flatnonzero(planted))
    later, earlier = values >= 2, values % 2 == 1
    if not (later | earlier).any():
        raise TooFew("too few records: neither model memorizes any of them")
    both = int((later & earlier).sum())
    parts = {
        "this model": _estimate("share memorized", clopper_pearson(int(later.sum()), len(later))),
        "the earlier model": _estimate("share memorized", clopper_pearson(int(earlier.sum()), len(later))),
    }
    if later.any():
        parts["recall"] = _estimate("share foretold", clopper_pearson(both, int(later.sum())))
    if not earlier.all():
        missed = int((later & ~earlier).sum())
        parts["not foretold"] = _estimate("share memorized", clopper_pearson(missed, int((~earlier).sum())))
    if truth.cluster is None or earlier.all() or not earlier.any():
        from scipy.stats import fisher_exact

        table = [[int((later & side).sum()), int((~later & side).sum())] for side in (earlier, ~earlier)]
        p = tests.PValue(float(fisher_exact(table, alternative="greater").pvalue), "exact")
    else:
        p = _clustered_contrast(later.astype(float), earlier, truth.cluster, truth.seed)
    if not earlier.any():
        return Result(dataclasses.replace(parts["recall"], metric="recall"), p.value, p.kind, breakdown=parts)
    precision = clopper_pearson(both, int(earlier.sum()))
    return Result(_estimate("precision", precision), p.value, p.kind, breakdown=parts)


def excess_rate(scores: Scores, truth: Truth) -> Result:
    """Share of records that the model writes and a model that never saw them does not; by class of record.

    A value is 1 (only the model writes it), 0 or −1 (only the other does), and half more where the record is a data
    carrier. The p-value is that of `hit_rate` where chance is known or there are nonmembers; else, with the parameter
    ``reference``, the sign test: records written by one of the two models alone are as likely to be of either.
    """
    difference = np.floor(scores.values)
    result = hit_rate(dataclasses.replace(scores, values=difference), truth)
    values, truth = _scored(scores, truth)
    planted = truth.label if truth.label is not None else np.ones(len(values), bool)
    carrier, sign = values % 1 > 0, np.floor(values)
    names = np.where(carrier, "data carriers", "other") if truth.group is None else truth.group.astype(str)
    parts = dict(result.breakdown)
    for name in np.unique(names[planted]):
        which = planted & (names == name)
        rate = clopper_pearson(int((sign[which] > 0).sum()), int(which.sum()))
        parts[str(name)] = _estimate(result.estimate.metric, rate)
    if result.p_value is None and "reference" in scores.parameters:
        own, other = int((sign[planted] > 0).sum()), int((sign[planted] < 0).sum())
        p = tests.binomial_tail(own, own + other, 0.5)
        if truth.cluster is not None:
            p = tests.sign_flip(
                sign[planted], clusters=truth.cluster[planted], alternative="greater", rng=keyed(truth.seed, "excess")
            )
        result = dataclasses.replace(result, p_value=p.value, p_value_kind=p.kind)
    return dataclasses.replace(result, breakdown=parts)


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


def learned_auroc(scores: Scores, truth: Truth) -> Result:
    """`auroc`, one-sided: the direction of the scores was learned on other records of the same model.

    Below 1/2 lies only chance then, and no reversed finding.
    """
    result = auroc(scores, truth)
    p = 1.0 if result.p_value is None else result.p_value
    tails = 2 if result.p_value_kind in ("exact", "asymptotic") else 1  # the others' tails need not be alike
    one_sided = p / tails if result.estimate.value >= 0.5 else 1 - p / 2 if tails == 2 else 1.0
    return dataclasses.replace(result, p_value=one_sided)


def set_difference(scores: Scores, truth: Truth) -> Result:
    """Mean score of members minus mean score of nonmembers, one-sided: Welch's t-test over independent units.

    Where every unit holds members and nonmembers, labels are exchangeable within a unit only: sign-flip test of the
    differences within units. Where some do, the t-test sums what each unit adds to the difference.
    """
    values, truth = _scored(scores, truth)
    label = _need(truth.label, "labels")
    names = truth.cluster.astype(str) if truth.cluster is not None else np.arange(len(values)).astype(str)
    (inside, own), (outside, other) = (_units(values[side], names[side]) for side in (label, ~label))
    if min(len(own), len(other)) < 5:
        raise TooFew(f"too few units: {len(own)} with members and {len(other)} with nonmembers, at least 5 of each")
    both, i, j = np.intersect1d(inside, outside, return_indices=True)
    if len(both) == len(own) == len(other):
        p = tests.sign_flip(own[i] - other[j], alternative="greater", rng=keyed(truth.seed, "set"))
        interval = mean_t(own[i] - other[j])
    else:
        p, interval = _welch(own, other, (i, j), truth.seed)
    direction = "expected" if interval.value >= 0 else "reversed"
    return Result(_estimate("mean difference", interval), p.value, p.kind, direction)  # type: ignore[arg-type]


def _welch(
    own: np.ndarray, other: np.ndarray, shared: tuple[np.ndarray, np.ndarray], seed: int
) -> tuple[tests.PValue, Interval]:
    """One-sided Welch test of own > other; ``shared``: which values of the two are of the same unit."""
    from scipy.special import stdtr, stdtrit

    m, n = len(own), len(other)
    a, b = float(own.var(ddof=1)) / m, float(other.var(ddof=1)) / n
    together = float((own[shared[0]] - own.mean()) @ (other[shared[1]] - other.mean())) / (m * n)
    difference, variance = float(own.mean() - other.mean()), a + b - 2 * together
    if variance <= 1e-24:  # no spread, no t: only the order of the two can be told
        p = tests.permutation_two_sample(own, other, rng=keyed(seed, "welch"), alternative="greater")
        return p, Interval(difference, difference, difference, 0.95, m + n - len(shared[0]), "Welch t")
    df = min(m, n) - 1 if len(shared[0]) else (a + b) ** 2 / (a**2 / (m - 1) + b**2 / (n - 1))
    error = variance**0.5
    half = float(stdtrit(df, 0.975)) * error
    p = tests.PValue(float(stdtr(df, -difference / error)), "asymptotic")
    return p, Interval(difference, difference - half, difference + half, 0.95, m + n - len(shared[0]), "Welch t")
