"""Discoverable extraction: one scored pass says what greedy decoding would write."""

import numpy as np
import pytest

from probatum.core.data import Records
from probatum.probes.privacy.extraction.discoverable_extraction import discoverable_extraction
from probatum.testing import NgramTarget, UniformTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()


def test_secrets_learned_by_heart_are_written(found):
    result = found(discoverable_extraction, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value < 1e-60
    assert result.breakdown["unseen"].value == 0


def test_a_model_that_never_saw_them_writes_none(found):
    result = found(discoverable_extraction, toy_target(planted=False))
    assert result.estimate.value == 0
    assert result.p_value == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_scored_pass_agrees_with_greedy_decoding(seed):
    """Greedy decoding writes the whole secret iff every token of it is the likeliest given the true ones before."""
    rng = np.random.default_rng(seed)
    taught = {
        p + s: float(d) for p, s, d in zip(RECORDS.prefix, RECORDS.secret, rng.choice([0, 0.05, 1, 8], 24), strict=True)
    }
    taught |= {p + s[:3] + "999": 1.0 for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)}
    target = NgramTarget({text: dose for text, dose in taught.items() if dose}, order=18)
    written = [
        text == secret
        for text, secret in zip(target.generate(RECORDS.prefix, max_new_tokens=6), RECORDS.secret, strict=True)
    ]
    assert 0 < sum(written) < len(written)
    assert discoverable_extraction(target, RECORDS).values.astype(bool).tolist() == written


def test_half_a_secret_is_not_the_secret():
    record = Records.from_rows([{"prefix": "code ", "secret": "123456"}])
    assert discoverable_extraction(NgramTarget({"code 123999": 1.0}), record).values.tolist() == [0]
    assert discoverable_extraction(NgramTarget({"code 123456": 1.0}), record).values.tolist() == [1]


@pytest.mark.parametrize(
    ("form", "secret", "chance"),
    [("dddd", "1234", 1e-4), ("aaA", "abC", 26.0**-3), ("xx-xx", "0a-ff", 16.0**-4), (None, "ab 12", 1e-2)],
)
def test_chance_is_one_over_the_secrets_of_that_form(form, secret, chance):
    data = Records.from_rows([{"prefix": "p ", "secret": secret, "format": form}])
    target = UniformTarget("abcdefghijklmnopqrstuvwxyzABC0123456789- ")
    assert discoverable_extraction(target, data).expected == pytest.approx([chance])


def test_a_secret_with_nothing_random_in_it_has_no_known_chance():
    data = Records.from_rows([{"prefix": "p ", "secret": "hello"}])
    assert np.isnan(discoverable_extraction(UniformTarget(), data).expected).all()


def test_an_empty_secret_is_not_extracted():
    scores = discoverable_extraction(toy_target(), short_data()["Records"].blind())
    assert scores.unscored == {"short": "no token of the secret has a score"}
