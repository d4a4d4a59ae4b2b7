"""Exposure: ranks have an exact law, and a random model has the mean that theory gives."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.ragged import Ragged
from probatum.core.target import OptionScores, Target
from probatum.probes.privacy.extraction.exposure import exposure
from probatum.statistics import exposure_bits
from probatum.testing import CharacterTarget, NgramTarget, UniformTarget, short_data, toy_data, toy_target

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


def test_the_rank_among_decoys_is_as_it_was():
    """The options change the bits and never the scores, the decoys, or the p-value."""
    target = toy_target()
    rows = zip(RECORDS.prefix[:6], RECORDS.secret[:6], strict=True)
    short = Records.from_rows({"prefix": p + s[:3], "secret": s[3:], "format": "ddd"} for p, s in rows)
    plain, full = (exposure(target, short, rng=keyed(1), rank=r) for r in ("decoys", "full"))
    assert plain.expected is None
    np.testing.assert_array_equal(plain.values, full.values)
    np.testing.assert_array_equal(plain.null, full.null)
    assert exposure_bits(plain, Truth()).p_value == exposure_bits(full, Truth()).p_value


class Skewed(CharacterTarget):
    """Digit d has probability proportional to 0.8^d, wherever it stands."""

    def __init__(self, **parts):
        super().__init__("0123456789 p", name="skewed", **parts)

    def seen(self, context):
        return ""

    def distribution(self, context):
        p = np.r_[0.8 ** np.arange(10), 1e-3, 1e-3]
        return p / p.sum()


def exact_ranks(secrets: list[str]) -> list[int]:
    """A secret's probability falls with the sum of its digits; those that tie count against it."""
    sums = np.array([sum(map(int, str(i).zfill(4))) for i in range(10_000)])
    return [int((sums <= sum(map(int, s))).sum()) for s in secrets]


FOUR = ["0000", "0001", "0030", "1212", "4444", "9999"]


def test_the_full_rank_is_the_exact_one():
    """Definition 2 over all |R| = 10^4: a rank of 1 is log2 |R| bits, the last one 0."""
    data = Records.from_rows({"id": s, "prefix": "p ", "secret": s, "format": "dddd"} for s in FOUR)
    scores = exposure(Skewed(), data, rng=keyed(1), rank="full")
    assert (scores.expected * 10_000).round().astype(int).tolist() == exact_ranks(FOUR)
    bits = -np.log2(scores.expected)
    assert bits[0] == pytest.approx(np.log2(10_000))
    assert bits[-1] == 0
    assert exposure_bits(scores, Truth()).estimate.value == pytest.approx(bits.mean())


def test_the_rank_from_the_models_own_samples_is_near_the_exact_one():
    """The exposed ones: those that ten of 127 decoys beat keep the rank among these."""
    data = Records.from_rows({"id": s, "prefix": "p ", "secret": s, "format": "dddd"} for s in FOUR)
    scores = exposure(Skewed(), data, rng=keyed(1), rank="model", samples=3_000)
    got = dict(zip(FOUR, scores.expected * 10_000, strict=True))
    assert got["0000"] == 1
    for secret in ("0001", "0030"):  # strictly likelier ones are counted here, so ties are left out
        likelier = sum(sum(map(int, str(i).zfill(4))) < sum(map(int, secret)) for i in range(10_000))
        assert got[secret] == pytest.approx(1 + likelier, rel=0.15)
    assert got["9999"] == 10_000 * 128 / 128
    assert "are of the form; the median standard error of a rank is" in scores.note


def test_what_the_model_writes_in_another_form_counts_among_its_samples():
    """A model that writes digits only half of the time: dropping the rest without counting would double the rank."""

    class Half(Skewed):
        def distribution(self, context):
            p = 0.8 ** np.arange(10)
            return np.r_[0.84 * p / p.sum(), 0.08, 0.08]  # 0.84^4 is a half

    data = Records.from_rows([{"id": "s", "prefix": "p ", "secret": "0012", "format": "dddd"}])
    scores = exposure(Half(), data, rng=keyed(2), rank="model", samples=3_000, decoys=15)
    likelier = sum(sum(map(int, str(i).zfill(4))) < 3 for i in range(10_000))
    assert scores.expected[0] * 10_000 == pytest.approx(1 + likelier, rel=0.2)
    assert "50% are of the form" in scores.note or "49% are" in scores.note or "51% are" in scores.note


def test_secrets_learned_by_heart_reach_all_their_bits(found):
    """Twenty bits of six digits, where 127 decoys end at 7."""
    result = found(exposure, toy_target(planted=True), rank="model", samples=20)
    assert result.estimate.value == pytest.approx(np.log2(10**6), abs=0.5)
    assert result.p_value == found(exposure, toy_target(planted=True)).p_value


def test_a_form_too_large_to_list_keeps_the_rank_among_decoys():
    """Or a control of six digits would fail whenever somebody asks for the full rank of four."""
    rows = [("many", "123456", "dddddd"), ("other", "12a", "ddd"), ("fits", "123", "ddd")]
    data = Records.from_rows({"id": i, "prefix": "p ", "secret": s, "format": f} for i, s, f in rows)
    scores = exposure(NgramTarget({"p 123456": 9.0}), data, rng=keyed(1), rank="full")
    assert scores.unscored == {"other": "the secret is not of its form"}
    assert scores.expected[[0, 2]] == pytest.approx([1 / 128, 1 / 1000])
    assert scores.note == "1 records have forms of over 100,000 secrets and are ranked among decoys"


def test_two_samples_are_the_least():
    with pytest.raises(BadInput, match="at least 2"):
        exposure(toy_target(), RECORDS, rng=keyed(1), rank="model", samples=1)


def test_an_empty_secret_is_unscored():
    assert exposure(toy_target(), short_data()["Records"].blind(), rng=keyed(1)).unscored == {
        "short": "the secret is empty"
    }
