"""Batches and noise: what they must be distributed as, and where they come from."""

import numpy as np
import pytest
import torch
from scipy import stats

from probatum.core.errors import BadInput
from probatum.engine.private_noise import Draws, checked_rate, fresh_generator, poisson_sample


def test_batch_sizes_are_binomial_and_units_are_drawn_alike():
    rng = np.random.default_rng(0)
    n, rate, rounds = 60, 0.1, 4000
    batches = [poisson_sample(rng, n, rate) for _ in range(rounds)]
    sizes = np.bincount([len(b) for b in batches], minlength=n + 1)
    expected = stats.binom.pmf(np.arange(n + 1), n, rate) * rounds
    low = np.flatnonzero(expected >= 5)
    bins = [sizes[: low[0] + 1].sum(), *sizes[low[1:-1]], sizes[low[-1] :].sum()]
    wanted = [expected[: low[0] + 1].sum(), *expected[low[1:-1]], expected[low[-1] :].sum()]
    assert stats.chisquare(bins, wanted).pvalue > 1e-4
    each = np.bincount(np.concatenate(batches), minlength=n)
    assert stats.chisquare(each).pvalue > 1e-4
    assert sizes[0] > 0, "an empty batch is an ordinary one"


def test_a_rate_of_1_takes_all_and_other_rates_are_refused():
    assert list(poisson_sample(np.random.default_rng(0), 5, checked_rate(1.0))) == [0, 1, 2, 3, 4]
    for rate in (0.0, -0.1, 1.5, float("nan")):
        with pytest.raises(BadInput, match="sample_rate"):
            checked_rate(rate)


def test_batches_follow_from_the_key_and_noise_does_not():
    first = Draws(torch, torch.device("cpu"))
    again = Draws(torch, torch.device("cpu"), sampler_key=first.sampler_key)
    other = Draws(torch, torch.device("cpu"))
    steps = [d.batch(3, 200, 0.5) for d in (first, again, other)]
    np.testing.assert_array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[0], steps[2])
    assert not np.array_equal(steps[0], first.batch(4, 200, 0.5))
    noise = []
    for draws in (first, again, first):
        sums = {"a": torch.zeros(50)}
        draws.add_noise(3, sums, 1.0)
        noise.append(sums["a"])
    assert not torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])


def test_noise_has_the_deviation_that_was_asked_for():
    """Chi-square of the sum of squares; and the shape, out to where float32 normals alone would end."""
    draws, deviation, n = Draws(torch, torch.device("cpu")), 3.0, 200_000
    sums = {"a": torch.full((n,), 7.0), "b": torch.zeros(2, n // 2)}
    draws.add_noise(0, sums, deviation)
    drawn = np.concatenate([sums["a"].double().numpy() - 7, sums["b"].double().numpy().ravel()]) / deviation
    tail = stats.chi2.cdf(np.square(drawn).sum(), 2 * n)
    assert 1e-4 < tail < 1 - 1e-4
    assert stats.kstest(drawn, "norm").pvalue > 1e-4
    assert abs(np.corrcoef(drawn[:n], drawn[n:])[0, 1]) < 5 / np.sqrt(n)


def test_the_whole_state_of_the_generator_comes_from_the_operating_system():
    """`manual_seed` uses 32 bits of its seed on a CPU; 624 words of state are filled here."""
    alike = [torch.Generator().manual_seed(s) for s in (1, 1 + 2**32)]
    assert torch.equal(*(torch.randn(8, generator=g) for g in alike)), "the defect that made this necessary is gone"
    states = [fresh_generator(torch, "cpu").get_state().numpy()[24 : 24 + 8 * 624].view(np.uint64) for _ in range(2)]
    assert np.mean(states[0] == states[1]) < 0.01
    assert max(s.max() for s in states) < 2**32
    words = np.concatenate(states).astype(np.uint32)
    bits = int(np.unpackbits(words.view(np.uint8)).sum())
    assert abs(bits - 16 * len(words)) < 5 * np.sqrt(8 * len(words))


def test_an_insecure_seed_repeats_everything_step_by_step():
    one, two = (Draws(torch, torch.device("cpu"), insecure_seed=4) for _ in range(2))
    for step in (0, 5):
        np.testing.assert_array_equal(one.batch(step, 100, 0.3), two.batch(step, 100, 0.3))
        sums = [{"a": torch.zeros(9)}, {"a": torch.zeros(9)}]
        one.add_noise(step, sums[0], 1.0)
        two.add_noise(step, sums[1], 1.0)
        assert torch.equal(sums[0]["a"], sums[1]["a"])
    assert not np.array_equal(one.batch(0, 100, 0.3), one.batch(1, 100, 0.3))
