"""Monte Carlo ranks agree with exact ones where these can be listed, and their error says how far they may be off."""

import numpy as np
import pytest

from probatum.statistics.ranks import monte_carlo_rank

N = 100_000
ZIPF = 1 / np.arange(1, N + 1)
ZIPF /= ZIPF.sum()
RANKS = np.array([2, 10, 100, 1_000, 10_000, 90_000])


def sampled(n, seed):
    return np.log(ZIPF[np.random.default_rng(seed).choice(N, n, p=ZIPF)])


def test_zipf_ranks_are_within_five_percent():
    """Research card P129: a Zipf toy with exact ranks, n = 10,000."""
    rank, error = monte_carlo_rank(np.log(ZIPF[RANKS - 1]), sampled(10_000, 0))
    assert np.abs(rank / RANKS - 1).max() < 0.05
    # Var(1 / p · [p > p_x]) = Σ_(i<r) 1/p_i − (r − 1)², in closed form for Zipf
    exact = [np.sqrt(((1 / ZIPF[: r - 1]).sum() - (r - 1) ** 2) / 10_000) for r in RANKS]
    np.testing.assert_allclose(error, exact, rtol=0.1)


def test_it_is_unbiased_and_its_error_covers():
    ranks, errors = zip(*(monte_carlo_rank(np.log(ZIPF[RANKS - 1]), sampled(500, s)) for s in range(400)), strict=True)
    mean, spread = np.mean(ranks, axis=0), np.std(ranks, axis=0)
    assert (np.abs(mean - RANKS) < 4 * spread / 20).all()
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.2)


def test_samples_that_are_no_candidates_count_among_the_n_and_stand_for_none():
    """Half of what the model writes is of another form; of the other half, the ranks are those within it."""
    rng = np.random.default_rng(3)
    drawn = rng.choice(N, 40_000, p=ZIPF)
    even = np.arange(N) % 2 == 0
    samples = np.where(even[drawn], np.log(ZIPF[drawn]), -np.inf)
    rank, _ = monte_carlo_rank(np.log(ZIPF[1_000]), samples)
    assert rank == pytest.approx(501, rel=0.05)  # 0, 2, …, 998 are likelier


def test_ties_are_not_likelier():
    assert monte_carlo_rank(-1.0, [-1.0, -1.0, -2.0])[0] == 1
    assert monte_carlo_rank(-2.0, [-1.0, -1.0, -2.0])[0] == pytest.approx(1 + 2 * np.e / 3)


def test_the_least_numbers_do_not_overflow():
    rank, error = monte_carlo_rank(-5_000.0, [-4_000.0, -2.0])
    assert rank > 1e100
    assert np.isfinite([rank, error]).all()


@pytest.mark.parametrize("bad", [[-1.0], [[-1.0, -2.0]], [-1.0, np.nan], [-1.0, 0.5]])
def test_bad_samples_are_refused(bad):
    with pytest.raises(ValueError, match=r"samples|probabilities"):
        monte_carlo_rank(-1.0, bad)
