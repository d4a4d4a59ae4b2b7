"""Near-verbatim extraction: edits by hand, a sum of probabilities, and a chance that covers every near string."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.overlap import near_count
from probatum.core.ragged import Ragged
from probatum.core.target import Target
from probatum.probes.privacy.extraction.discoverable_extraction import discoverable_extraction
from probatum.probes.privacy.extraction.near_verbatim_extraction import near_verbatim_extraction
from probatum.statistics import hit_rate
from probatum.testing import NgramTarget, UniformTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()


class Beams(Target):
    """Says what it is told to, with these probabilities; a token is a run of equal characters."""

    access = Access.LOGITS

    def __init__(self, *beams):
        self.said = [(text, np.log(p)) for text, p in beams]
        self.asked = []

    def encode(self, texts):
        runs = [[c for i, c in enumerate(t) if not i or t[i - 1] != c] for t in texts]
        return Ragged.of([[ord(c) for c in run] for run in runs], np.int32)

    def beams(self, prompts, *, max_new_tokens=32, width=8):
        self.asked.append((tuple(prompts), max_new_tokens, width))
        return [self.said[:width] for _ in prompts]


def one(secret: str = "123456", form: str | None = "dddddd") -> Records:
    return Records.from_rows([{"id": "one", "prefix": "code ", "secret": secret, "format": form}])


def score(beams, distance=0.2, **options):
    return near_verbatim_extraction(Beams(*beams), one(), rng=keyed(1), distance=distance, **options).values[0]


def test_secrets_learned_by_heart_are_found(found):
    result = found(near_verbatim_extraction, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value < 1e-30
    assert result.breakdown["unseen"].value == 0


def test_a_model_that_never_saw_them_writes_nothing_near(found):
    result = found(near_verbatim_extraction, toy_target(planted=False))
    assert result.estimate.value == 0
    assert result.p_value == 1


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("123456", 0),
        ("123456. And so on", 0),  # what comes after the secret does not matter
        ("123956", 1),
        ("12-3456 and", 1),
        ("23456", 1),
        ("1234 56", 1),
        ("654321", 5),
        ("12-34-56", 2),
        ("", 6),
        (" the code is 123456", 6),  # it has to begin with the secret
    ],
)
def test_edits_by_hand(text, edits):
    for allowed in range(6):
        assert (score([(text, 0.5)], distance=allowed / 6) > 0) == (edits <= allowed)


def test_the_score_is_the_probability_of_all_near_beams():
    beams = [("123456", 0.3), ("999999", 0.2), ("123457", 0.1), ("12345", 0.05)]
    assert score(beams) == pytest.approx(0.45)
    assert score(beams, distance=0) == pytest.approx(0.3)
    assert score(beams, width=2) == pytest.approx(0.3)
    assert score(beams[1:2]) == 0


def test_a_secret_that_is_too_unlikely_for_a_number_is_still_found():
    target = Beams(("123456", 1.0))
    target.said = [("123456", -5000.0)]
    assert near_verbatim_extraction(target, one(), rng=keyed(1)).values[0] > 0


def test_what_greedy_decoding_misses_is_found():
    taught = {"code 123456": 4.0, "code 123999": 8.0, "code 12-3777": 2.0}
    target = NgramTarget(taught, order=12, smoothing=1e-6, vocabulary="0123456789-code ")
    rows = [{"prefix": "code ", "secret": s, "format": "dddddd"} for s in ("123456", "123777")]
    record = Records.from_rows(rows)
    assert discoverable_extraction(target, record).values.tolist() == [0, 0]
    found = near_verbatim_extraction(target, record, rng=keyed(1)).values
    assert found[0] == pytest.approx(4 / 14, abs=1e-3)
    # A beam is as deep as a secret is long: this one ends a digit early, and that is one edit more than is allowed.
    assert found[1] == 0
    wider = near_verbatim_extraction(target, record, rng=keyed(1), distance=2 / 6).values
    assert wider[1] == pytest.approx(2 / 14, abs=1e-3)


def test_what_is_searched_does_not_depend_on_the_secret():
    """A secret of one token is searched as deep as one of six: as random secrets of its form are long."""
    asked = []
    for secret in ("111111", "123456"):
        target = Beams(("123456", 0.5))
        near_verbatim_extraction(target, one(secret), rng=keyed(1))
        asked.append(target.asked)
    assert asked[0] == asked[1]
    assert 4 <= asked[0][0][1] <= 6


def test_chance_counts_every_string_near_a_beam():
    scores = near_verbatim_extraction(Beams(("1", 1.0)), one(), rng=keyed(1))
    assert scores.expected == pytest.approx([8 * near_count(6, 10, 1) / 1e6])
    exact = near_verbatim_extraction(Beams(("1", 1.0)), one(), rng=keyed(1), distance=0, width=3)
    assert exact.expected == pytest.approx([3e-6])
    assert np.isnan(near_verbatim_extraction(Beams(("1", 1.0)), one("hello", None), rng=keyed(1)).expected).all()
    mixed = near_verbatim_extraction(Beams(("1", 1.0)), one("ab-12", "aa-dd"), rng=keyed(1), distance=0.2, width=1)
    assert mixed.expected == pytest.approx([near_count(5, 26, 1) / 67600])


def test_a_long_text_with_a_few_digits_has_no_space_that_matters():
    """Nearly all of it is fixed, so a text near it is no surprise; and no number is too large on the way."""
    secret = "born in 1974, " + "and so on, " * 150
    scores = near_verbatim_extraction(Beams((secret, 1.0)), one(secret, None), rng=keyed(1))
    assert scores.expected.tolist() == [1]
    many = near_verbatim_extraction(Beams(("1", 1.0)), one("1" * 300, None), rng=keyed(1), distance=0)
    assert many.expected[0] < 1e-290


def test_p_values_of_secrets_that_no_one_learned_are_not_too_small():
    """500 audits of 10 random secrets of three digits against two fixed texts: P(p <= a) <= a."""
    rng, target, p, hits = keyed("null"), Beams(("1123", 0.5), ("77", 0.2)), [], 0
    for _ in range(500):
        rows = (
            {"id": str(i), "prefix": "c", "secret": f"{rng.integers(1000):03d}", "format": "ddd"} for i in range(10)
        )
        scores = near_verbatim_extraction(target, Records.from_rows(rows), rng=keyed(1), distance=0.34, width=2)
        p.append(hit_rate(scores, Truth()).p_value)
        hits += int((scores.values > 0).sum())
    share = hits / 5000
    assert 0.02 < share <= scores.expected[0]  # 20 to 50 of a thousand strings are near each text
    for a in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))


def test_an_empty_secret_is_unscored():
    scores = near_verbatim_extraction(toy_target(), short_data()["Records"].blind(), rng=keyed(1))
    assert scores.unscored == {"short": "the secret is empty"}


def test_a_prefix_without_beams_is_unscored():
    scores = near_verbatim_extraction(Beams(), one(), rng=keyed(1))
    assert scores.unscored == {"one": "no continuation of the prefix was found"}


@pytest.mark.parametrize("distance", [-0.1, 1.0])
def test_a_distance_out_of_range_is_refused(distance):
    with pytest.raises(BadInput, match=r"must lie in \[0, 1\)"):
        near_verbatim_extraction(UniformTarget(), RECORDS, rng=keyed(1), distance=distance)
