"""Statistics of a text's record, by hand; the most memorized tokens count, and the least likely ones are the least."""

import zlib

import numpy as np
import pytest
from scipy.stats import entropy

from probatum.core.ragged import Ragged
from probatum.core.target import RECORD, TokenStatistics
from probatum.statistics.features import SHARES, attack_features, text_features

LOGITS = ("mean", "std", "rank", "logsumexp")


def record(logprob, **columns):
    row = np.zeros(len(logprob), RECORD)
    row["logprob"] = logprob
    for name, values in columns.items():
        row[name] = values
    return row


def tokens(*rows, fields=("id", "logprob", "end")):
    return TokenStatistics.of(rows, fields)


LOSSES = [-1.0, -4.0, 0.0, -2.0, -0.5]
FULL = record(LOSSES, mean=[-1, -2, -1, -3, -1], std=[1, 2, 1, 1, 0.5], rank=[0, 3, 0, 1, 0], id=[5, 6, 7, 8, 9],
              argmax=[5, 0, 7, 0, 9])  # fmt: skip


def one(features):
    return {name: float(values[0]) for name, values in features.items()}


def test_every_statistic_by_hand():
    got = one(attack_features(tokens(FULL, fields=RECORD.names), ["abcde"]))
    z = [0.0, -1.0, 1.0, 1.0, 1.0]
    assert got["mean log-probability"] == -1.5
    assert got["probability per token"] == pytest.approx(np.exp(-1.5))
    assert got["least likely 40% of tokens"] == -3.0
    assert got["most likely 40% of tokens"] == -0.25
    assert got["log-probability per zlib byte"] == pytest.approx(-7.5 / len(zlib.compress(b"abcde")))
    assert got["log-probability of the first half"] == pytest.approx(-5 / 3)
    assert got["log-probability of the second half"] == pytest.approx(-2.5 / 3)
    assert got["evenness of log-probabilities"] == pytest.approx(-np.std(LOSSES))
    assert got["standardized, lowest 20% of tokens"] == -1.0
    assert got["standardized, lowest 100% of tokens"] == pytest.approx(np.mean(z))
    assert got["certainty (minus the entropy)"] == pytest.approx(-8 / 5)
    assert got["log-probability above its expectation"] == pytest.approx((8 - 7.5) / 5)
    assert got["rank (minus its logarithm)"] == pytest.approx(-(np.log(4) + np.log(2)) / 5)
    assert got["share of tokens that are the likeliest"] == pytest.approx(3 / 5)


def test_tokens_of_loss_0_are_the_most_memorized_and_count():
    """A published tool drops them, so that a text known by heart has nothing left to be known by."""
    got = one(attack_features(tokens(record([0.0, 0.0, 0.0, -8.0])), ["abcd"]))
    assert got["mean log-probability"] == -2.0
    assert got["most likely 60% of tokens"] == 0.0
    assert one(attack_features(tokens(record([0.0, 0.0])), ["ab"]))["mean log-probability"] == 0.0


@pytest.mark.parametrize("share", SHARES)
def test_the_least_likely_tokens_have_the_largest_losses(share):
    """A published tool's "k_min" are the lowest losses, which are the likeliest tokens."""
    logprob = -np.arange(1.0, 21.0)
    got = one(attack_features(tokens(record(logprob)), ["x" * 20]))
    n = int(np.ceil(share * 20 - 1e-9))
    assert got[f"least likely {share:.0%} of tokens"] == logprob[-n:].mean()
    assert got[f"most likely {share:.0%} of tokens"] == logprob[:n].mean()


def test_all_shares_and_the_whole_agree_on_a_constant():
    got = one(attack_features(tokens(record([-2.0] * 7)), ["abcdefg"]))
    assert {v for name, v in got.items() if "log-probability of" in name or "likely" in name} == {-2.0}
    assert got["evenness of log-probabilities"] == 0.0


def test_fields_that_are_not_there_are_left_out():
    few = attack_features(tokens(FULL), ["abcde"])
    endpoint = attack_features(tokens(FULL, fields=("id", "logprob", "argmax", "end")), ["abcde"])
    full = attack_features(tokens(FULL, fields=RECORD.names), ["abcde"])
    assert set(endpoint) - set(few) == {"share of tokens that are the likeliest"}
    assert len(full) == len(endpoint) + 5
    assert all(np.array_equal(few[name], full[name]) for name in few)


def test_the_reference_is_compared_token_by_token_or_per_byte():
    other = tokens(record([-2.0, -3.0, -1.0, -1.0, -1.0]))
    same = one(attack_features(tokens(FULL), ["äbcd"], reference=other))
    assert same["log-probability above the reference"] == pytest.approx((-7.5 + 8) / 5)
    assert same["share of tokens above the reference"] == pytest.approx(3 / 5)
    differ = one(attack_features(tokens(FULL), ["äbcd"], reference=tokens(record([-3.0, -3.0])), same_tokens=False))
    assert differ["log-probability above the reference"] == pytest.approx((-7.5 + 6) / 5)
    assert "share of tokens above the reference" not in differ


def test_a_text_without_a_token_has_no_statistic_and_one_token_has_all():
    both = tokens(record([]), FULL[:1], fields=RECORD.names)
    for same in (True, False):
        got = attack_features(both, ["", "a"], reference=both, same_tokens=same)
        assert all(np.isnan(v[0]) and np.isfinite(v[1]) for v in got.values())


def test_text_features_by_hand():
    ids = Ragged.of([[1, 1, 2, 3], []], np.int32)
    got = {name: values.tolist() for name, values in text_features(ids, ["aab ä", ""]).items()}
    assert got["tokens (logarithm)"][0] == pytest.approx(np.log(4))
    assert got["bytes per token"][0] == 6 / 4
    assert got["zlib bytes per byte"][0] == pytest.approx(len(zlib.compress("aab ä".encode())) / 6)
    assert got["share of distinct tokens"][0] == 3 / 4
    assert got["entropy of characters"][0] == pytest.approx(entropy([2, 1, 1, 1]))
    assert all(np.isnan(values[1]) for values in got.values())
