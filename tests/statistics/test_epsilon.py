"""Epsilon: bounds that are never above the truth too often, and curves that are what integration gives."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import binom, norm

from probatum.statistics import epsilon as e

ALPHA = 0.05


# -- two rates


@pytest.mark.parametrize(
    ("n", "ceiling"), [(50, 2.57), (100, 3.28), (200, 3.98), (500, 4.91), (1000, 5.60), (5000, 7.21), (10_000, 7.90)]
)
def test_a_perfect_attack_proves_no_more_than_its_canaries_allow(n, ceiling):
    assert round(float(e.two_rates_bound(n, n, 0, n, delta=0)), 2) == ceiling


def test_both_errors_can_be_the_small_one():
    few_misses, few_alarms = e.two_rates_bound(100, 100, 60, 100, delta=0), e.two_rates_bound(40, 100, 0, 100, delta=0)
    assert few_misses == pytest.approx(few_alarms)
    assert few_misses > 1
    assert e.epsilon_of_rates(0.1, 0.2, 0.0) == pytest.approx(np.log(0.8 / 0.1))
    assert e.epsilon_of_rates(0.2, 0.1, 0.05) == pytest.approx(np.log(0.75 / 0.1))


def test_an_attack_that_does_nothing_proves_nothing():
    assert e.two_rates_bound(50, 100, 50, 100, delta=0) == 0
    assert e.two_rates_bound(0, 100, 100, 100, delta=0) == 0  # nor one that is always wrong
    assert e.two_rates_p(50, 100, 50, 100, delta=0) == 1


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_two_rates_of_randomized_response_are_above_its_epsilon_in_at_most_5_percent(epsilon):
    """Exactly, over all counts; and not far from as often as that, lest the bound be worthless."""
    n, k = 40, np.arange(41)
    bound = e.two_rates_bound(k[:, None], n, k[None, :], n, delta=0.0, alpha=ALPHA)
    hit, false = expit(epsilon), expit(-epsilon)
    chance = np.outer(binom.pmf(k, n, hit), binom.pmf(k, n, false))
    assert chance[bound > epsilon + 1e-9].sum() <= ALPHA


def test_two_rates_come_near_to_the_truth_as_canaries_grow():
    bounds = [
        float(e.two_rates_bound(round(n * expit(2)), n, round(n * expit(-2)), n, delta=0)) for n in (1e2, 1e4, 1e6)
    ]
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("delta", [0.0, 1e-5, 0.01])
def test_a_bound_leaves_0_where_its_p_value_says_so(delta):
    rng = np.random.default_rng(0)
    for _ in range(60):
        k, f = int(rng.integers(8, 26)), int(rng.integers(0, 20))
        p = e.two_rates_p(k, 25, f, 30, delta=delta)
        for alpha in (0.01, 0.05, 0.2):
            assert (e.two_rates_bound(k, 25, f, 30, delta=delta, alpha=alpha) > 0) == (p <= alpha)


def test_a_p_value_beyond_the_smallest_float_is_no_crash():
    assert 0 < e.two_rates_p(5000, 5000, 0, 5000, delta=0) < 1e-300


# -- one run


def test_the_published_number_of_one_run():
    assert e.one_run_bound(500, 100, 100, delta=1e-5) == pytest.approx(3.4792, abs=5e-5)


@pytest.mark.parametrize("r", [20, 50, 100, 500, 5000])
def test_all_guesses_right_prove_the_logit_of_a_root_of_alpha(r):
    assert e.one_run_bound(r, r, r, delta=0.0) == pytest.approx(logit(ALPHA ** (1 / r)), abs=1e-6)


def test_delta_lowers_the_ceiling():
    assert e.one_run_bound(5000, 5000, 5000, delta=0.0) == pytest.approx(7.42, abs=0.005)
    assert e.one_run_bound(5000, 5000, 5000, delta=1e-5) == pytest.approx(7.28, abs=0.005)


@pytest.mark.parametrize(("m", "r", "v", "epsilon"), [(50, 20, 15, 0.7), (200, 200, 130, 0.0), (1000, 60, 60, 2.5)])
def test_one_run_is_its_theorem_written_out(m, r, v, epsilon):
    q, delta = expit(epsilon), 1e-4
    steps = [(binom.sf(v - i - 1, r, q) - binom.sf(v - 1, r, q)) / i for i in range(1, m + 1)]
    expected = binom.sf(v - 1, r, q) + 2 * m * delta * max(steps)
    assert e.one_run_p(m, r, v, epsilon=epsilon, delta=delta) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("r", [20, 100])
def test_one_run_of_randomized_response_is_above_its_epsilon_in_at_most_5_percent(epsilon, r):
    chance = binom.pmf(np.arange(r + 1), r, expit(epsilon))
    above = np.array([e.one_run_bound(r, r, v, delta=0.0) > epsilon for v in range(r + 1)])
    assert chance[above].sum() <= ALPHA
    assert chance[above].sum() + chance[~above][-1] > ALPHA  # one right guess less would be too many


def test_nothing_right_proves_nothing():
    assert e.one_run_p(10, 10, 0, epsilon=0.0, delta=0.0) == 1
    assert e.one_run_bound(100, 100, 50, delta=0.0) == 0


@pytest.mark.parametrize(
    ("m", "right", "guesses", "published"), [(500, 100, 100, 6.12), (1000, 900, 1000, 3.78), (200, 150, 200, 1.73)]
)
def test_f_dp_proves_more_of_gaussian_privacy(m, right, guesses, published):
    found = e.gaussian_epsilon(1e-5, e.fdp_bound(m, guesses, right))
    assert round(found, 2) == published
    plain = {6.12: 3.48, 3.78: 2.02, 1.73: 0.82}[published]
    assert round(e.one_run_bound(m, guesses, right, delta=1e-5), 2) == plain


@pytest.mark.parametrize(
    ("m", "guesses", "critical", "exact"), [(200, 200, 113, 113), (500, 100, 60, 59), (1000, 1000, 528, 527)]
)
def test_f_dp_at_mu_0_is_the_binomial_test_or_a_little_stricter(m, guesses, critical, exact):
    """A step more or less in the recursion would move these counts."""
    rejects = [v for v in range(guesses + 1) if e.fdp_rejects(m, guesses, v, mu=0.0, alpha=ALPHA)]
    assert rejects == list(range(critical, guesses + 1))
    assert next(v for v in range(guesses) if binom.sf(v - 1, guesses, 0.5) <= ALPHA) == exact


def test_f_dp_covers_gaussian_canaries():
    """300 runs of m = 300 canaries at mu = 1; the 10 % with extreme scores on each side are guessed."""
    rng, m, k = np.random.default_rng(1), 300, 30
    above = 0
    for _ in range(300):
        inside = rng.random(m) < 0.5
        order = np.argsort(rng.normal(size=m) + inside)
        right = int(inside[order[-k:]].sum() + (~inside[order[:k]]).sum())
        above += e.fdp_rejects(m, 2 * k, right, mu=1.0, alpha=ALPHA)
    assert above <= 300 * ALPHA


def test_the_p_value_of_f_dp_is_where_it_begins_to_reject():
    p = e.fdp_p(200, 100, 64)
    assert e.fdp_rejects(200, 100, 64, mu=0.0, alpha=1.001 * p)
    assert not e.fdp_rejects(200, 100, 64, mu=0.0, alpha=0.999 * p)
    assert p == pytest.approx(binom.sf(63, 100, 0.5), rel=0.7)
    assert p >= binom.sf(63, 100, 0.5)


# -- curves


@pytest.mark.parametrize(("mu", "epsilon"), [(0.3, 0.5), (1.0, 0.0), (1.0, 3.0), (3.0, 10.0)])
def test_the_gaussian_curve_is_an_integral(mu, epsilon):
    def gap(x):
        return max(0.0, norm.pdf(x, mu) - np.exp(epsilon) * norm.pdf(x))

    start = epsilon / mu + mu / 2
    assert float(e.gaussian_delta(epsilon, mu)) == pytest.approx(quad(gap, start, start + 20)[0], rel=1e-6)


def test_the_gaussian_curve_and_back():
    for mu in (0.05, 0.5, 2.0, 8.0):
        for delta in (1e-9, 1e-5, 1e-2):
            epsilon = e.gaussian_epsilon(delta, mu)
            if epsilon > 0:
                assert float(e.gaussian_delta(epsilon, mu)) == pytest.approx(delta, rel=1e-4)
            else:
                assert float(e.gaussian_delta(0.0, mu)) <= delta


@pytest.mark.parametrize(("sigma", "epsilon"), [(4.22, 0.874), (1.54, 2.673), (0.541, 9.076)])
def test_the_gaussian_mechanism_of_the_paper_on_directions(sigma, epsilon):
    assert e.gaussian_epsilon(1e-5, 1 / sigma) == pytest.approx(epsilon, abs=5e-4)
    assert e.normal_epsilon(1 / sigma, 1.0, 1e-5) == pytest.approx(epsilon, abs=5e-4)


def test_without_a_delta_no_gaussian_has_an_epsilon():
    assert e.gaussian_epsilon(0.0, 1.0) == np.inf
    assert e.gaussian_epsilon(0.0, 0.0) == 0


@pytest.mark.parametrize("mean", [0.0, 0.4, -1.5])
@pytest.mark.parametrize("sd", [0.7, 0.999, 1.0, 1.3])
@pytest.mark.parametrize("epsilon", [0.0, 0.4, 2.0])
def test_two_normal_laws_are_an_integral_too(mean, sd, epsilon):
    x = np.linspace(-15, 15, 400_001)
    p, q = norm.pdf(x, mean, sd), norm.pdf(x)
    for first, second, a, b in (((mean, sd), (0.0, 1.0), p, q), ((0.0, 1.0), (mean, sd), q, p)):
        expected = np.trapezoid(np.maximum(0, a - np.exp(epsilon) * b), x)
        assert e.normal_delta(epsilon, first, second) == pytest.approx(expected, abs=1e-8)


def test_equal_laws_lose_nothing_and_a_wider_one_does():
    assert e.normal_epsilon(0.0, 1.0, 1e-5) == 0
    assert e.normal_epsilon(0.0, 1.05, 1e-5) > 0.5
    assert e.normal_epsilon(0.0, 0.95, 1e-5) > 0.5


# -- posteriors


def test_the_posterior_of_the_papers_toolbox():
    """TP 487, TN 1, FP 512, FN 0, delta 1e-5, 90 %: [0.145, 6.399] in its README."""
    low, high = e.posterior_epsilon(487, 0, 512, 1, delta=1e-5, levels=(0.05, 0.95))
    assert (low, high) == (pytest.approx(0.145, abs=0.02), pytest.approx(6.399, abs=0.02))


@pytest.mark.parametrize(
    ("hits", "misses", "alarms", "passes"), [(487, 0, 512, 1), (30, 20, 15, 40), (50, 50, 48, 52), (5, 60, 44, 10)]
)
def test_quadrature_agrees_with_drawing(hits, misses, alarms, passes):
    rng, n, levels = np.random.default_rng(0), 400_000, (0.05, 0.5, 0.95)
    fnr, fpr = rng.beta(0.5 + misses, 0.5 + hits, n), rng.beta(0.5 + alarms, 0.5 + passes, n)
    turned = fnr + fpr > 1
    drawn = e.epsilon_of_rates(np.where(turned, 1 - fpr, fpr), np.where(turned, 1 - fnr, fnr), 1e-5)
    found = e.posterior_epsilon(hits, misses, alarms, passes, delta=1e-5, levels=levels)
    assert found == pytest.approx(np.quantile(drawn, levels), abs=0.02)


def test_quadrature_agrees_with_drawing_for_pairs():
    rng, levels = np.random.default_rng(0), (0.025, 0.5, 0.975)
    right, wrong = rng.dirichlet([60.5, 2.5, 48.5], 400_000)[:, :2].T
    drawn = np.quantile(e.epsilon_of_rates(wrong, 1 - right, 1e-5), levels)
    assert e.posterior_epsilon_of_pairs(60, 2, 48, delta=1e-5, levels=levels) == pytest.approx(drawn, abs=0.02)
    share = rng.beta(20.5, 90.5, 400_000)
    drawn = np.quantile(e.epsilon_of_rates(share, share, 1e-5), levels)
    assert e.posterior_epsilon_of_pairs(90, 20, None, delta=1e-5, levels=levels) == pytest.approx(drawn, abs=0.02)


def test_a_perfect_attack_lets_one_believe_in_ln_n():
    lows = [e.posterior_epsilon(n, 0, 0, n, delta=0.0, levels=(0.025,))[0] for n in (100, 1000, 10_000)]
    assert np.diff(lows) == pytest.approx(np.log(10), abs=0.05)


def test_a_reversed_attack_is_as_good():
    levels = (0.1, 0.5, 0.9)
    assert e.posterior_epsilon(40, 10, 5, 45, delta=1e-5, levels=levels) == pytest.approx(
        e.posterior_epsilon(10, 40, 45, 5, delta=1e-5, levels=levels), abs=1e-3
    )


# -- what cannot be


@pytest.mark.parametrize(
    "call",
    [
        lambda: e.one_run_p(10, 11, 5, epsilon=0, delta=0),
        lambda: e.one_run_p(10, 5, 6, epsilon=0, delta=0),
        lambda: e.one_run_bound(10, 10, 10, delta=1.0),
        lambda: e.two_rates_bound(6, 5, 0, 5, delta=0),
        lambda: e.two_rates_bound(5, 5, 0, 0, delta=0),
        lambda: e.epsilon_of_rates(0.1, 0.1, -0.1),
        lambda: e.gaussian_epsilon(-1e-5, 1.0),
        lambda: e.normal_epsilon(0.0, 0.0, 1e-5),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError, match=r"must|expected"):
        call()
