"""Metrics of the probes that audit a privacy guarantee: what canaries, or a log, say of epsilon.

Where clusters pair the canaries, exactly one of each pair having been put in, a pair is one coin: the score is the
difference of the two, and neighboring data sets differ by one record replaced. Else every canary is a coin, and
neighbors differ by one record added or removed. A *bound* holds with 95 % confidence, a *credible* interval is as good
as its prior, a *point* promises nothing: three kinds of estimate, never mixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from probatum.core.data import digest_of
from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics import epsilon as e
from probatum.statistics.intervals import clopper_pearson
from probatum.statistics.metrics import TooFew
from probatum.statistics.tests import binomial_tail

LEAST = 10  # coins; with fewer even a perfect attack proves nothing at 1 %
#: Share of the coins on which a threshold is chosen; the others certify.
CHOOSING = 0.2
#: Shares of the coins above the thresholds among which "bonferroni" takes the best; fixed before any score is seen.
GRID = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
GRID_OF_PAIRS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Coins:
    """``value``: the score of each coin. ``inside``: its truth; for pairs all true, since a pair's value is its score
    with the one that was in minus the other's, and a guess is right where it is positive."""

    value: np.ndarray
    inside: np.ndarray
    keys: tuple[str, ...]
    paired: bool

    def __len__(self) -> int:
        return len(self.value)

    @property
    def relation(self) -> str:
        """What neighboring data sets differ by."""
        return "replace-one" if self.paired else "add-or-remove-one"

    def take(self, keep: np.ndarray) -> Coins:
        """The coins of a boolean mask."""
        keys = tuple(k for k, there in zip(self.keys, keep, strict=True) if there)
        return replace(self, value=self.value[keep], inside=self.inside[keep], keys=keys)

    def counts(self, threshold: np.ndarray | float) -> tuple[np.ndarray, int, np.ndarray, int]:
        """Hits, members, alarms, others at each threshold. Of pairs, either of the two could have been in: both rates
        are of all pairs, and a difference within ± threshold is no guess."""
        t = np.asarray(threshold, dtype=np.float64)[..., None]
        if self.paired:
            right = ((self.value > t) | ((self.value == t) & (t > 0))).sum(-1)
            wrong = ((self.value < -t) | ((self.value == -t) & (t > 0))).sum(-1)
            return right, len(self), wrong, len(self)
        above = self.value >= t
        inside = int(self.inside.sum())
        return (above & self.inside).sum(-1), inside, (above & ~self.inside).sum(-1), len(self) - inside


def coins_of(scores: Scores, truth: Truth) -> Coins:
    """The coins behind the scored canaries; a pair of which one has no score counts not at all."""
    if truth.label is None:
        raise TooFew("needs to know which canaries were put in, and the data does not say")
    index = np.flatnonzero(scores.scored)
    value, label = scores.values[index], truth.label[index].astype(bool)
    if truth.cluster is None:
        coins = Coins(value, label, tuple(scores.ids[i] for i in index), False)
    else:
        names, unit = np.unique(truth.cluster[index].astype(str), return_inverse=True)
        inside, outside = (np.bincount(unit[side], minlength=len(names)) for side in (label, ~label))
        if max(inside.max(initial=0), outside.max(initial=0)) > 1:
            raise TooFew("canaries of one cluster must be a pair of which one was put in, and some clusters are not")
        whole = (inside == 1) & (outside == 1)
        sums = np.bincount(unit, weights=np.where(label, value, -value), minlength=len(names))
        coins = Coins(sums[whole], np.ones(whole.sum(), bool), tuple(names[whole].tolist()), True)
    sides = (len(coins), len(coins)) if coins.paired else (coins.inside.sum(), (~coins.inside).sum())
    if len(coins) < LEAST or min(sides) < 4:
        what = f"{len(coins)} pairs" if coins.paired else f"{sides[0]} canaries put in and {sides[1]} left out"
        raise TooFew(f"too few canaries: {what}, at least {LEAST} coins")
    return coins


def two_rates(scores: Scores, truth: Truth) -> Result:
    """Lower bound of epsilon from the two error rates of a threshold (`e.two_rates_bound`), and the level at which it
    leaves 0.

    ``parameters``: delta; ``bonferroni`` 1 takes the best threshold of a fixed grid, each at its share of 5 %; else the
    threshold is chosen on a fifth of the coins, drawn by hash, and the others certify.
    """
    coins, delta = coins_of(scores, truth), scores.parameters["delta"]
    if scores.parameters.get("bonferroni"):
        shares = np.array(GRID_OF_PAIRS if coins.paired else GRID)
        size = np.abs(coins.value) if coins.paired else coins.value  # quantiles of what tells no coin
        thresholds, how = (
            np.quantile(size, 1 - shares, method="higher"),
            f"best of {len(shares)} thresholds (Bonferroni)",
        )
    else:
        choosing = _drawn(coins, truth.seed)
        thresholds = np.array([_best_threshold(coins.take(choosing), delta, 1 / CHOOSING - 1)])
        coins, how = coins.take(~choosing), f"threshold chosen on {choosing.sum()} other coins"
    tests = len(thresholds)
    hits, inside, alarms, outside = coins.counts(thresholds)
    bounds = e.two_rates_bound(hits, inside, alarms, outside, delta=delta, alpha=e.ALPHA / tests)
    p = [e.two_rates_p(int(k), inside, int(f), outside, delta=delta) for k, f in zip(hits, alarms, strict=True)]
    best = int(np.lexsort((np.array(p), -bounds))[0])
    ceiling = float(e.two_rates_bound(inside, inside, 0, outside, delta=delta, alpha=e.ALPHA / tests))
    parts = {
        "true positives": _rate(int(hits[best]), inside),
        "false positives": _rate(int(alarms[best]), outside),
    }
    level = min(1.0, tests * min(p))
    return _proved(float(bounds[best]), level, ceiling, coins, scores, truth, f"Clopper-Pearson, {how}", parts)


def one_run(scores: Scores, truth: Truth) -> Result:
    """Lower bound of epsilon from guessed coins of a single training (`e.one_run_bound`), and the p-value of epsilon 0.

    ``parameters``: delta; ``guesses``, the share of coins guessed, fixed beforehand (at least ten coins); ``gaussian``
    1 takes the bound by f-DP for Gaussian privacy. Of single canaries half of the guesses say "in", of the highest
    scores, and half "out"; of pairs those with the largest difference are guessed. Ties are broken by hash.
    """
    coins, delta = _fair(coins_of(scores, truth)), scores.parameters["delta"]
    m = len(coins)
    guesses = min(m, max(LEAST, round(scores.parameters["guesses"] * m)))
    coin = np.array([int(digest_of(str(truth.seed), "tie", k)[:12], 16) for k in coins.keys])
    if coins.paired:
        order = np.lexsort((coin, -np.abs(coins.value)))[:guesses]
        won = np.where(coins.value[order] == 0, coin[order] % 2 == 0, coins.value[order] > 0)
        right = int(won.sum())
    else:
        order, top = np.lexsort((coin, -coins.value)), (guesses + 1) // 2
        right = int(coins.inside[order[:top]].sum() + (~coins.inside[order[m - guesses + top :]]).sum())
    if scores.parameters.get("gaussian"):
        how, p = "one run, f-DP, for Gaussian privacy", e.fdp_p(m, guesses, right)
        bound, ceiling = (e.gaussian_epsilon(delta, e.fdp_bound(m, guesses, v)) for v in (right, guesses))
    else:
        how, p = "one run", e.one_run_p(m, guesses, right, epsilon=0.0, delta=delta)
        bound, ceiling = (e.one_run_bound(m, guesses, v, delta=delta) for v in (right, guesses))
    parts = {"right guesses": _rate(right, guesses, "share right")}
    return _proved(bound, p, ceiling, coins, scores, truth, f"{how}, {guesses} of {m} coins guessed", parts)


def credible_epsilon(scores: Scores, truth: Truth) -> Result:
    """Posterior of epsilon (Jeffreys' prior on the error rates of a threshold chosen on other coins): median, 95 %."""
    coins, delta = coins_of(scores, truth), scores.parameters["delta"]
    choosing = _drawn(coins, truth.seed)
    threshold = _best_threshold(coins.take(choosing), delta, 1 / CHOOSING - 1)
    coins = coins.take(~choosing)
    hits, inside, alarms, outside = coins.counts(threshold)
    k, f, levels = int(hits), int(alarms), (0.025, 0.5, 0.975)
    if coins.paired:
        unsure = None if threshold == 0 else inside - k - f
        wrong = inside - k if unsure is None else f
        low, middle, high = e.posterior_epsilon_of_pairs(k, wrong, unsure, delta=delta, levels=levels)
    else:
        low, middle, high = e.posterior_epsilon(k, inside - k, f, outside - f, delta=delta, levels=levels)
    name = f"epsilon (delta {delta:g})"
    method = f"posterior median, Jeffreys' prior, {coins.relation}, threshold chosen on {choosing.sum()} other coins"
    parts = {"true positives": _rate(k, inside), "false positives": _rate(f, outside)}
    parts |= _accountant(scores, coins.relation)
    return Result(Estimate(name, middle, low, high, len(coins), method, kind="credible"), breakdown=parts)


def one_shot_epsilon(scores: Scores, truth: Truth) -> Result:
    """Epsilon between N(mean, sd²) of the planted directions' cosines and N(0, 1/d), both in units of 1/√d.

    ``parameters``: delta, dimension. Directions that were not planted, if there are any, check the second law.
    """
    index = np.flatnonzero(scores.scored)
    value, delta, d = scores.values[index], scores.parameters["delta"], scores.parameters["dimension"]
    label = np.ones(len(value), bool) if truth.label is None else truth.label[index].astype(bool)
    planted, others = value[label], value[~label]
    if len(planted) < 30:
        raise TooFew(f"too few directions: {len(planted)} were planted, at least 30")
    mean, sd = float(planted.mean()), float(planted.std(ddof=1))
    parts = {"cosine, in units of 1/√d": Estimate("mean", mean, None, None, len(planted), f"sd {sd:.3f}", kind="point")}
    if len(others) >= 2:
        method = f"sd {others.std(ddof=1):.3f}; chance gives mean 0 and sd 1"
        parts["not planted"] = Estimate("mean", float(others.mean()), None, None, len(others), method, kind="point")
    n = len(planted)
    floor = max(e.normal_epsilon(2 * n**-0.5, 1 + side * (2 / n) ** 0.5, delta) for side in (-1, 1))
    method = "what mean and sd two standard errors off would give, without any signal"
    parts["of no signal"] = Estimate("epsilon", floor, None, None, n, method, kind="point")
    parts |= _accountant(scores, "add-or-remove-one")
    method = f"two normal laws, {n} directions in {d:.3g} dimensions ({n / d:.2%}), no coverage promised"
    estimate = Estimate(
        f"epsilon (delta {delta:g})", e.normal_epsilon(mean, sd, delta), None, None, n, method, kind="point"
    )
    return Result(estimate, breakdown=parts)


def bayes_security_bound(scores: Scores, truth: Truth) -> Result:
    """Bayes security β* = 1 − TV of a training log, a lower bound; the breakdown holds the largest advantage, and from
    ``parameters`` β* with or without the record, the paper's closed form, and the accountant's epsilon."""
    if not scores.scored.any():
        raise TooFew("the log gives no bound")
    value, said, name = float(scores.values[scores.scored][0]), scores.parameters, "Bayes security"
    parts = {
        "advantage of any attack": Estimate("advantage", 1 - value, None, 1 - value, 1, "at most 1 − β*", kind="bound"),
        "with or without the record": Estimate(name, said["without"], said["without"], None, 1, "1 − TV", kind="bound"),
        "closed form": Estimate(name, said["closed_form"], None, None, 1, "P049; exact without sampling", kind="point"),
        **_accountant(scores, "add-or-remove-one"),
    }
    method = f"1 − TV, {'from the accountant' if said['sampled'] else 'closed form'}, neighbors by replace-one"
    return Result(Estimate(name, value, value, None, 1, method, kind="bound"), breakdown=parts)


def _proved(
    bound: float,
    p: float,
    ceiling: float,
    coins: Coins,
    scores: Scores,
    truth: Truth,
    how: str,
    parts: dict[str, Estimate],
) -> Result:
    """A lower bound, with what so many coins could prove at most, and what the accountant says beside it."""
    name = f"epsilon, lower bound (delta {scores.parameters['delta']:g})"
    n, copies = len(coins), 1.0 if truth.dose is None else float(truth.dose.max())
    method = f"{how}, neighbors by {coins.relation}" + (f" of up to {copies:g} copies" if copies > 1 else "")
    most = Estimate(name, ceiling, None, None, n, "had every guess been right", kind="point")
    parts = {"at most provable": most, **parts, **_accountant(scores, coins.relation)}
    above, note = parts.get("accountant"), ""
    if above is not None and bound > above.value:
        note = f"at least {bound:.3g} is proved, the accountant allows {above.value:.3g} at most: "
        if copies > 1:
            note += "it speaks of records that stand in the data once, and canaries stand there more often"
        else:
            note += "ALARM, the log is not of this training, or the training does not do what its log says"
    estimate = Estimate(name, bound, bound, None, n, method, kind="bound")
    return Result(estimate, p, "bound", breakdown=parts, note=note)


def _accountant(scores: Scores, relation: str) -> dict[str, Estimate]:
    """The accountant's upper bound for these neighbors, where the probe had a log to compute it from."""
    upper = scores.parameters.get(f"accountant {relation}")
    if upper is None:
        return {}
    method = f"upper bound from the training log, neighbors by {relation}"
    return {"accountant": Estimate("epsilon", upper, None, upper, 1, method, kind="bound")}


def _rate(hits: int, n: int, name: str = "rate") -> Estimate:
    i = clopper_pearson(hits, n)
    return Estimate(name, i.value, i.low, i.high, n, i.method)


def _by_hash(coins: Coins, purpose: str, seed: int) -> np.ndarray:
    """An order of the coins that tells nothing of their scores, and does not depend on the order they came in."""
    return np.argsort([digest_of(str(seed), purpose, key) for key in coins.keys])


def _drawn(coins: Coins, seed: int) -> np.ndarray:
    """A fifth of the coins of each side, by hash."""
    order, drawn = _by_hash(coins, "threshold", seed), np.zeros(len(coins), bool)
    for side in (True, False):
        own = order[coins.inside[order] == side]
        drawn[own[: math.ceil(CHOOSING * len(own)) if len(own) else 0]] = True
    return drawn


def _fair(coins: Coins) -> Coins:
    """The coins, where as many may have been put in by fair coins; else the larger side is cut to the smaller by
    hash."""
    sides = int(coins.inside.sum()), int((~coins.inside).sum())
    if coins.paired or 2 * binomial_tail(max(sides), sum(sides), 0.5).value > 1e-3:
        return coins
    order, keep = _by_hash(coins, "fair", 0), np.zeros(len(coins), bool)
    for side in (True, False):
        keep[order[coins.inside[order] == side][: min(sides)]] = True
    return coins.take(keep)


def _best_threshold(coins: Coins, delta: float, factor: float) -> float:
    """The threshold at which ``factor`` times as many coins, guessed as these, would prove the largest epsilon.

    Half an error is added to either rate, lest a few coins without one look perfect; of equals the lowest is taken.
    """
    size = np.unique(np.abs(coins.value) if coins.paired else coins.value)
    candidates = (size[1:] + size[:-1]) / 2
    candidates = np.r_[0.0, candidates] if coins.paired or not len(candidates) else candidates
    hits, inside, alarms, outside = coins.counts(candidates)
    tpr, fpr = (hits + 0.5) / (inside + 1), (alarms + 0.5) / (outside + 1)
    a, b = factor * inside, factor * outside
    bound = e.two_rates_bound(tpr * a, a, fpr * b, b, delta=delta)
    return float(candidates[np.argmax(np.where(bound > 0, bound, tpr - fpr - 1))])
