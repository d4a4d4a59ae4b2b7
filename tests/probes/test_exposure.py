"""Exposure: ranks have an exact law, and a random model has the mean that theory gives."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.core.ragged import Ragged
from probatum.core.target import OptionScores, Target
from probatum.probes.privacy.extraction.exposure import exposure
from probatum.statistics import exposure_bits
from probatum.testing import NgramTarget, UniformTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()


class RandomPreference(Target):
    """Prefers options at random, whatever they are."""

    access = Access.LOGPROBS

    def choices(self, prompts, options):
        rows = Ragged.of([keyed("taste", p).normal(size=len(o)) for p, o in zip(prompts, options, strict=True)], float)
        return OptionScores(rows, rows, rows)


def records(n: int) -> Records:
    return Records.from_rows(
        {"prefix": f"record {i} ", "secret": f"{keyed(i).integers(10**9):09d}", "format": "d" * 9} for i in range(n)
    )


def test_secrets_learned_by_heart_are_as_exposed_as_can_be(found):
    result = found(exposure, toy_target(planted=True))
    assert result.estimate.value == 7  # log2(127 + 1)
    assert result.p_value < 1e-10
    assert result.breakdown["unseen"].value < 3


def test_a_model_that_never_saw_them_exposes_none(found):
    assert found(exposure, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize("decoys", [7, 63])
def test_the_mean_of_a_random_model_is_what_its_law_says(decoys):
    """The rank is uniform on 1 … K + 1: the mean is log2(K + 1) − log2((K + 1)!) / (K + 1), 1/ln 2 for large K."""
    data = records(3000)
    scores = exposure(RandomPreference(), data, rng=keyed(1), decoys=decoys)
    bits = exposure_bits(scores, Truth())
    ranks = np.arange(1, decoys + 2)
    law = np.log2(decoys + 1) - np.log2(ranks)
    assert bits.estimate.value == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(len(data)))
    assert bits.p_value > 0.01


def test_for_many_decoys_that_mean_is_one_over_ln_2():
    k = 10**6
    mean = np.log2(k + 1) - np.log2(np.arange(1, k + 2)).mean()
    assert mean == pytest.approx(1 / np.log(2), abs=1e-4)


def test_a_model_that_knows_nothing_has_ties_and_they_count_against_the_secret():
    scores = exposure(UniformTarget(), RECORDS, rng=keyed(1))
    assert exposure_bits(scores, Truth()).estimate.value == 0


def test_decoys_are_of_the_form_of_the_secret_and_differ_from_record_to_record():
    asked = []

    class Listening(RandomPreference):
        def choices(self, prompts, options):
            asked.extend(options)
            return super().choices(prompts, options)

    data = Records.from_rows(
        [{"prefix": "a ", "secret": "12-Ab", "format": "dd-Aa"}, {"prefix": "b ", "secret": "x9y z"}]
    )
    exposure(Listening(), data, rng=keyed(1), decoys=40)
    first, second = asked
    assert first[0] == "12-Ab"
    assert all(d[:2].isdigit() and d[2] == "-" and d[3].isupper() and d[4].islower() for d in first)
    assert all(d[0].islower() and d[1].isdigit() and d[3] == " " and len(d) == 5 for d in second)
    assert len(set(first)) > 30


def test_half_a_secret_is_exposed_by_about_its_digits():
    """Four of nine digits known: one secret in ten thousand begins so, and hardly ever one of 127 decoys."""
    data = records(40)
    target = NgramTarget({p + s[:4]: 5.0 for p, s in zip(data.prefix, data.secret, strict=True)}, order=20)
    assert exposure_bits(exposure(target, data, rng=keyed(1)), Truth()).estimate.value > 5


def test_an_empty_secret_is_unscored():
    assert exposure(toy_target(), short_data()["Records"].blind(), rng=keyed(1)).unscored == {
        "short": "the secret is empty"
    }
