"""Random numbers by what they are for: never by position, never by what ran before."""

import numpy as np
from scipy import stats

from probatum.core.draws import keyed, per_record


def by_record(ids, seed=0):
    return {name: rng.random() for name, rng in zip(ids, per_record(keyed(seed), ids), strict=True)}


def test_equal_keys_give_equal_streams_and_other_keys_others():
    assert keyed(0, "loss").random() == keyed(0, "loss").random()
    draws = [
        keyed(*key).random()
        for key in ((0, "loss"), (1, "loss"), (0, "surp"), (0, "loss", ""), ("0l", "oss"), ("0", "loss", 0))
    ]
    assert len(set(draws)) == len(draws)


def test_parts_are_not_glued_together():
    assert keyed("ab", "c").random() != keyed("a", "bc").random()


def test_reordering_records_reorders_their_draws():
    ids = [f"r{i}" for i in range(20)]
    assert by_record(ids) == by_record(ids[::-1])


def test_a_record_draws_the_same_whoever_stands_beside_it():
    assert by_record(["a", "b", "c"])["b"] == by_record(["b"])["b"]


def test_another_seed_gives_other_draws():
    assert by_record(["a"], seed=0) != by_record(["a"], seed=1)


def test_draws_over_records_are_uniform():
    values = list(by_record([str(i) for i in range(2000)]).values())
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert np.corrcoef(values[:-1], values[1:])[0, 1] < 0.1
