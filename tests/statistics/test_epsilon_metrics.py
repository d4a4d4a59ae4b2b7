"""Metrics of guarantees: coins of singles and pairs, and choices that are fixed before anything is seen."""

import itertools

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew, bayes_security_bound, credible_epsilon, one_run, one_shot_epsilon, two_rates
from probatum.statistics import epsilon as e
from probatum.statistics import epsilon_metrics as metrics
from probatum.statistics.epsilon_metrics import coins_of

DELTA = 1e-6


def canaries(m, *, shift=0.0, seed=0, paired=False, response=None):
    """Scores and truth of m coins: Gaussian with a shift for those that are in, or randomized response."""
    rng = np.random.default_rng([seed, m])
    inside = np.tile([True, False], m) if paired else rng.random(m) < 0.5
    values = rng.normal(size=len(inside)) + shift * inside
    if response is not None:
        values = np.where(rng.random(m) < expit(response), inside, ~inside).astype(float)
    cluster = np.repeat([f"pair {i}" for i in range(m)], 2).astype(object) if paired else None
    return values, Truth(label=inside, cluster=cluster, seed=seed)


def said(metric, values, truth, **parameters):
    ids = [f"c{i}" for i in range(len(values))]
    given = {"delta": DELTA, "guesses": 0.3, **{name.replace("_", " "): p for name, p in parameters.items()}}
    return metric(Scores(ids, values, "member", parameters=given), truth)


# -- the null


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize(
    ("metric", "more"), [(two_rates, {}), (two_rates, {"bonferroni": 1.0}), (one_run, {}), (one_run, {"gaussian": 1.0})]
)
def test_without_a_leak_the_p_value_is_small_as_seldom_as_it_says(metric, more, paired):
    runs = 200
    p = np.array([said(metric, *canaries(60, seed=i, paired=paired), **more).p_value for i in range(runs)])
    for alpha in (0.01, 0.05, 0.2):
        assert (p <= alpha).sum() <= binom.ppf(0.999, runs, alpha)


def best_of_a_grid(values, inside, alpha=0.05):
    """What a peer does: the best of all numbers of guesses of either kind, in steps of √m, as if it were the only
    one."""
    m, order = len(values), np.argsort(-values)
    steps = np.arange(0, m // 2 + 1, int(np.sqrt(m)))
    right_in, right_out = np.r_[0, np.cumsum(inside[order])], np.r_[0, np.cumsum(~inside[order[::-1]])]
    pairs = [(a, b) for a, b in itertools.product(steps, steps) if 0 < a + b <= m]
    guesses = np.array([a + b for a, b in pairs])
    right = np.array([right_in[a] + right_out[b] for a, b in pairs])
    return bool((binom.sf(right - 1, guesses, 0.5) <= alpha).any())


def test_the_best_of_a_grid_of_guesses_rejects_a_true_null_and_ours_does_not():
    """A.2.9: uncorrected, a third of all audits of a perfectly private training "prove" a loss."""
    runs, m = 250, 200
    cases = [canaries(m, seed=i) for i in range(runs)]
    naive = np.mean([best_of_a_grid(values, truth.label) for values, truth in cases])
    assert naive > 0.2
    ours = np.array([[said(one_run, *c, delta=0.0).p_value, said(two_rates, *c).p_value] for c in cases])
    assert ((ours <= 0.05).sum(0) <= binom.ppf(0.999, runs, 0.05)).all()


def test_the_best_of_a_grid_of_guesses_does_so_with_pairs_as_well():
    """The best number of guessed pairs, from ten on, as if it were the only one."""
    runs, m, naive, ours = 250, 200, [], []
    for i in range(runs):
        values, truth = canaries(m, seed=i, paired=True)
        z = values[::2] - values[1::2]
        right = np.cumsum(z[np.argsort(-np.abs(z))] > 0)
        guesses = np.arange(10, m + 1)
        naive.append((binom.sf(right[9:] - 1, guesses, 0.5) <= 0.05).any())
        ours.append(said(one_run, values, truth, delta=0.0).p_value <= 0.05)
    assert np.mean(naive) > 0.15
    assert np.sum(ours) <= binom.ppf(0.999, runs, 0.05)


@pytest.mark.parametrize("paired", [False, True])
def test_as_many_are_guessed_as_was_declared_whatever_the_scores_are(paired):
    for i in range(20):
        guessed = said(one_run, *canaries(60, seed=i, shift=i % 3, paired=paired), guesses=0.4).breakdown[
            "right guesses"
        ]
        assert guessed.n == 24


def test_a_threshold_is_chosen_on_canaries_that_do_not_certify():
    """Whatever the certifying canaries are, the threshold stays; so no bound is the best of many on the same
    canaries."""
    values, truth = canaries(200, shift=1.5)
    coins = coins_of(Scores([f"c{i}" for i in range(200)], values, "member"), truth)
    choosing = metrics._drawn(coins, truth.seed)
    assert choosing.sum() == pytest.approx(40, abs=2)
    threshold = metrics._best_threshold(coins.take(choosing), DELTA, 4.0)
    hits, inside, alarms, outside = coins.take(~choosing).counts(threshold)
    assert said(two_rates, values, truth).estimate.value == e.two_rates_bound(
        hits, inside, alarms, outside, delta=DELTA
    )
    every = e.two_rates_bound(*coins.take(~choosing).counts(np.unique(values)), delta=DELTA)
    assert said(two_rates, values, truth).estimate.value < every.max()


@pytest.mark.parametrize("paired", [False, True])
def test_the_best_of_a_fixed_grid_pays_for_each_of_its_thresholds(paired):
    values, truth = canaries(200, shift=1.5, paired=paired)
    result = said(two_rates, values, truth, bonferroni=1.0)
    grid = metrics.GRID_OF_PAIRS if paired else metrics.GRID
    size = np.abs(values[::2] - values[1::2]) if paired else values
    coins = coins_of(Scores([f"c{i}" for i in range(len(values))], values, "member"), truth)
    counts = coins.counts(np.quantile(size, 1 - np.array(grid), method="higher"))
    assert result.estimate.value == e.two_rates_bound(*counts, delta=DELTA, alpha=0.05 / len(grid)).max()
    single = min(
        e.two_rates_p(int(k), counts[1], int(f), counts[3], delta=DELTA)
        for k, f in zip(counts[0], counts[2], strict=True)
    )
    assert result.p_value == len(grid) * single


# -- the truth


@pytest.mark.parametrize("metric", [two_rates, one_run])
@pytest.mark.parametrize(
    ("more", "least"), [({"response": 1.5}, 0.5), ({"shift": 1.0}, 0.4), ({"shift": 1.0, "paired": True}, 0.6)]
)
def test_a_bound_is_above_the_truth_in_at_most_5_percent_and_not_worthless(metric, more, least):
    truth_of = {"response": 1.5, "shift": e.gaussian_epsilon(DELTA, 2**0.5 if "paired" in more else 1.0)}
    true = next(value for name, value in truth_of.items() if name in more)
    bounds = np.array([said(metric, *canaries(300, seed=i, **more)).estimate.value for i in range(60)])
    assert (bounds > true).sum() <= binom.ppf(0.999, 60, 0.05)
    assert np.median(bounds) > least


def test_the_credible_interval_holds_the_epsilon_of_randomized_response():
    inside = []
    for i in range(40):
        estimate = said(credible_epsilon, *canaries(400, seed=i, response=1.0)).estimate
        inside.append(estimate.low <= 1.0 <= estimate.high)
    assert np.mean(inside) > 0.85


# -- what is one coin


def test_a_pair_is_one_coin_and_its_score_is_the_difference():
    values, truth = canaries(40, shift=3.0, paired=True)
    result = said(one_run, values, truth, guesses=1.0)
    right = int((values[::2] > values[1::2]).sum())
    assert result.estimate.n == 40
    assert result.estimate.value == pytest.approx(e.one_run_bound(40, 40, right, delta=DELTA))
    assert "replace-one" in result.estimate.method
    assert "add-or-remove-one" in said(one_run, *canaries(40, shift=3.0)).estimate.method


def test_a_common_part_of_a_pair_cancels():
    """Of pairs it does not matter how hard a text is; singles are lost in it."""
    values, truth = canaries(100, shift=2.0, paired=True)
    hard = values + np.repeat(np.random.default_rng(5).normal(0, 30, 100), 2)
    assert said(one_run, hard, truth).estimate.value == pytest.approx(said(one_run, values, truth).estimate.value)
    assert said(one_run, hard, Truth(label=truth.label)).estimate.value == 0


def test_guesses_are_the_most_extreme_on_both_sides():
    """20 coins, 10 guesses: the five highest say in, the five lowest out; what lies between says nothing."""
    values = np.arange(20.0)
    inside = np.array([False] * 5 + [True, False] * 5 + [True] * 5)
    result = said(one_run, values, Truth(label=inside), guesses=0.5)
    assert result.breakdown["right guesses"].value == 1
    assert result.breakdown["right guesses"].n == 10
    assert result.p_value == pytest.approx(e.one_run_p(20, 10, 10, epsilon=0.0, delta=DELTA))
    other = said(one_run, -values, Truth(label=inside), guesses=0.5)
    assert other.breakdown["right guesses"].value == 0
    assert (other.estimate.value, other.p_value) == (0, 1)


def test_at_least_ten_are_guessed():
    assert said(one_run, *canaries(12, shift=9.0, paired=True)).breakdown["right guesses"].n == 10


def test_ties_are_broken_by_hash_and_not_by_the_order():
    inside = np.arange(60) < 30  # a tie broken by place would be right every time
    result = said(one_run, np.zeros(60), Truth(label=inside), guesses=1.0)
    assert 0.25 < result.breakdown["right guesses"].value < 0.75
    pairs = Truth(label=np.tile([True, False], 60), cluster=np.repeat(np.arange(60).astype(str), 2).astype(object))
    assert 0.25 < said(one_run, np.zeros(120), pairs, guesses=1.0).breakdown["right guesses"].value < 0.75
    assert said(two_rates, np.zeros(120), pairs).estimate.value == 0


@pytest.mark.parametrize("metric", [two_rates, one_run, credible_epsilon])
@pytest.mark.parametrize("paired", [False, True])
def test_the_order_of_canaries_does_not_matter(metric, paired):
    values, truth = canaries(80, shift=1.0, paired=paired)
    ids, parameters = [f"c{i}" for i in range(len(values))], {"delta": DELTA, "guesses": 0.3}
    turn = np.random.default_rng(1).permutation(len(values))
    one = metric(Scores(ids, values, "member", parameters=parameters), truth)
    other = metric(Scores([ids[i] for i in turn], values[turn], "member", parameters=parameters), truth.take(turn))
    assert one.estimate == other.estimate
    assert one.p_value == other.p_value


def test_a_pair_of_which_one_has_no_score_does_not_count():
    values, truth = canaries(30, shift=3.0, paired=True)
    values[7] = np.nan
    assert said(one_run, values, truth, guesses=1.0).estimate.n == 29


def test_where_far_more_are_on_one_side_the_larger_is_cut():
    """Of 30 in and 270 out a perfect attack knows all 60 that are left; half of 300 guessed "in" would be wrong."""
    inside = np.arange(300) < 30
    result = said(one_run, 9.0 * inside, Truth(label=inside), guesses=1.0)
    assert result.estimate.n == 60
    assert result.estimate.value == result.breakdown["at most provable"].value
    rng = np.random.default_rng(0)
    p = [said(one_run, rng.normal(size=300), Truth(label=inside, seed=i), guesses=1.0).p_value for i in range(100)]
    assert (np.array(p) <= 0.05).sum() <= binom.ppf(0.999, 100, 0.05)


@pytest.mark.parametrize("metric", [two_rates, one_run, credible_epsilon])
def test_what_no_coins_can_be_made_of_is_too_few(metric):
    values, truth = canaries(40)
    with pytest.raises(TooFew, match="does not say"):
        said(metric, values, Truth())
    with pytest.raises(TooFew, match="must be a pair"):
        said(metric, values, Truth(label=truth.label, cluster=np.array(["one"] * 40, dtype=object)))
    with pytest.raises(TooFew, match="too few canaries"):
        said(metric, values[:8], truth.take(np.arange(8)))
    with pytest.raises(TooFew, match="too few canaries"):
        said(metric, values, Truth(label=np.ones(40, bool)))
    with pytest.raises(TooFew, match="too few canaries"):
        said(metric, np.full(40, np.nan), truth)


# -- what stands beside a bound


def test_the_ceiling_is_what_all_guesses_right_would_prove():
    result = said(one_run, *canaries(100, shift=1.0))
    assert result.breakdown["at most provable"].value == e.one_run_bound(100, 30, 30, delta=DELTA)
    result = said(two_rates, *canaries(100, shift=9.0, paired=True))
    assert result.breakdown["at most provable"].value == pytest.approx(
        float(e.two_rates_bound(80, 80, 0, 80, delta=DELTA))
    )
    assert result.estimate.value == result.breakdown["at most provable"].value


def test_the_three_kinds_of_estimate_are_told_apart():
    case = canaries(100, shift=2.0)
    bound, belief = said(one_run, *case).estimate, said(credible_epsilon, *case).estimate
    assert (bound.kind, bound.low, bound.high) == ("bound", bound.value, None)
    assert belief.kind == "credible"
    assert belief.low < belief.value < belief.high
    assert said(credible_epsilon, *case).p_value is None
    cosines = np.random.default_rng(0).normal(1.0, 1.0, 100)
    point = said(one_shot_epsilon, cosines, Truth(), dimension=1e5)
    assert (point.estimate.kind, point.estimate.low, point.p_value) == ("point", None, None)


@pytest.mark.parametrize("metric", [two_rates, one_run])
def test_a_lower_bound_above_the_accountant_is_an_alarm(metric):
    """The same canaries, and a log that promises far less than what is proved; or one that does not."""
    case = canaries(200, shift=4.0, paired=True)
    ids = [f"c{i}" for i in range(len(case[0]))]

    def with_upper(bound, truth=case[1]):
        parameters = {
            "delta": DELTA,
            "guesses": 0.3,
            "accountant replace-one": bound,
            "accountant add-or-remove-one": 0.01,
        }
        return metric(Scores(ids, case[0], "member", parameters=parameters), truth)

    alarm, fine = with_upper(0.5), with_upper(8.0)
    assert "ALARM" in alarm.note
    assert fine.note == ""
    assert alarm.breakdown["accountant"].value == 0.5  # of the neighbors that pairs have
    assert alarm.breakdown["accountant"].kind == "bound"
    copies = Truth(label=case[1].label, cluster=case[1].cluster, dose=np.where(case[1].label, 16.0, 0.0))
    assert "ALARM" not in with_upper(0.5, copies).note
    assert "stand there more often" in with_upper(0.5, copies).note


# -- one shot


def test_one_shot_is_the_epsilon_of_two_normal_laws():
    rng = np.random.default_rng(0)
    values = rng.normal(1.85, 1.0, 500)
    result = said(one_shot_epsilon, values, Truth(), dimension=2e5, delta=1e-5)
    assert result.estimate.value == pytest.approx(e.normal_epsilon(values.mean(), values.std(ddof=1), 1e-5))
    assert result.estimate.value == pytest.approx(9.08, abs=1.2)


def test_directions_left_out_check_the_null_and_are_not_fitted():
    rng = np.random.default_rng(0)
    planted, left = rng.normal(2.0, 1.0, 60), rng.normal(0.0, 1.0, 60)
    both = said(one_shot_epsilon, np.r_[planted, left], Truth(label=np.arange(120) < 60), dimension=1e5)
    assert both.estimate.value == said(one_shot_epsilon, planted, Truth(), dimension=1e5).estimate.value
    assert both.breakdown["not planted"].value == pytest.approx(left.mean())


def test_the_spread_of_few_cosines_alone_is_shown():
    """Without any signal the estimate is not 0; the number beside it says how far it may go."""
    rng = np.random.default_rng(0)
    for n in (50, 500):
        found = [said(one_shot_epsilon, rng.normal(size=n), Truth(), dimension=1e5, delta=1e-5) for _ in range(40)]
        floor = found[0].breakdown["of no signal"].value
        assert floor / 6 < np.median([r.estimate.value for r in found]) < floor
        assert np.mean([r.estimate.value <= floor for r in found]) > 0.8


def test_few_directions_are_too_few():
    with pytest.raises(TooFew, match="at least 30"):
        said(one_shot_epsilon, np.ones(100), Truth(label=np.arange(100) < 20), dimension=1e5)


def test_a_log_without_a_bound_is_too_few():
    with pytest.raises(TooFew, match="no bound"):
        said(bayes_security_bound, [np.nan], Truth())
