"""Probabilistic extraction: p_z in closed form, its threshold, a bound on chance that holds, and what it costs."""

import numpy as np
import pytest

from probatum import open_target
from probatum.controls.sets import builtin
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.probes.privacy.extraction.discoverable_extraction import discoverable_extraction
from probatum.probes.privacy.extraction.probabilistic_extraction import probabilistic_extraction
from probatum.statistics import hit_rate
from probatum.testing import NgramTarget, UniformTarget, UnigramTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()
DIGITS = "0123456789"
SKEWED = dict(zip(DIGITS, [0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.04, 0.03, 0.02, 0.01], strict=True))


def one(secret: str, form: str | None = None) -> Records:
    return Records.from_rows([{"id": "one", "prefix": "1", "secret": secret, "format": form}])


def test_secrets_learned_by_heart_are_extractable(found):
    result = found(probabilistic_extraction, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value < 1e-40
    assert result.breakdown["unseen"].value == 0


def test_a_model_that_never_saw_them_gives_none(found):
    result = found(probabilistic_extraction, toy_target(planted=False))
    assert result.estimate.value == 0
    assert result.p_value == 1


@pytest.mark.parametrize(("secret", "p_z"), [("0", 0.3), ("01", 0.06), ("000", 0.027), ("9", 0.01)])
def test_in_closed_form(secret, p_z):
    """n = 10 samples of a model whose digits are independent: 1 − (1 − Π p)^10."""
    target = UnigramTarget(SKEWED)
    often = 1 - (1 - p_z) ** 10
    for p in (0.9 * often, often + 0.1 * (1 - often)):
        score = probabilistic_extraction(target, one(secret), n=10, p=p, top_k=0).values[0]
        assert score == (pytest.approx(often, rel=1e-5) if often >= p else 0)


@pytest.mark.parametrize(
    ("settings", "p_z"),
    [
        ({"temperature": 0.5, "top_k": 0}, 0.04 / sum(p * p for p in SKEWED.values())),
        ({"top_k": 2}, 0.4),
        ({"top_k": 1}, 0.0),
        ({"top_k": 0, "top_p": 0.6}, 0.2 / 0.65),
        ({"top_k": 0, "top_p": 0.3}, 0.0),  # the likeliest alone reaches .3
    ],
)
def test_the_sampler_is_the_one_that_was_asked_for(settings, p_z):
    score = probabilistic_extraction(UnigramTarget(SKEWED), one("1"), n=1, p=1e-9, **settings).values[0]
    assert score == pytest.approx(p_z, rel=1e-5)


def test_a_secret_that_greedy_decoding_misses_is_found():
    """Taught twice as often with another ending: greedy writes that one, a third of all samples the other."""
    target = NgramTarget({"code 123456": 4.0, "code 123999": 8.0}, order=12, smoothing=1e-6)
    record = Records.from_rows([{"prefix": "code ", "secret": "123456"}])
    assert discoverable_extraction(target, record).values.tolist() == [0]
    assert probabilistic_extraction(target, record, n=10).values[0] == pytest.approx(1 - (2 / 3) ** 10, abs=1e-3)


def test_more_samples_are_never_worse_and_a_certain_secret_is_certain():
    target = NgramTarget({"code 123456": 1e30}, order=12)
    record = Records.from_rows([{"prefix": "code ", "secret": "123456"}])
    assert probabilistic_extraction(target, record, n=1).values[0] == pytest.approx(1)
    few, many = (probabilistic_extraction(UnigramTarget(SKEWED), one("01"), n=n, p=1e-9).values[0] for n in (5, 50))
    assert 0 < few < many < 1


def test_chance_is_the_proven_bound():
    """τ = 1 − .5^(1/100); at most 1/τ of a million secrets can have p_z >= τ."""
    scores = probabilistic_extraction(UniformTarget(), one("123456", "dddddd"))
    assert scores.expected == pytest.approx([1 / (1e6 * (1 - 0.5**0.01))])
    assert probabilistic_extraction(UniformTarget(), one("1", "d")).expected.tolist() == [1]
    assert np.isnan(probabilistic_extraction(UniformTarget(), one("hello")).expected).all()


def test_the_bound_is_reached_and_never_passed():
    """Over all secrets of two digits, for several τ: a uniform model reaches the bound, no other passes it."""
    every = Records.from_rows({"prefix": "1", "secret": f"{i:02d}", "format": "dd"} for i in range(100))
    shares = []
    for law in (SKEWED, dict.fromkeys(DIGITS, 0.1)):
        for p in (0.009, 0.01 - 1e-9, 0.05, 0.2):
            scores = probabilistic_extraction(UnigramTarget(law), every, n=1, p=p, top_k=0)
            shares.append((scores.values > 0).mean() / scores.expected[0])
    assert max(shares) <= 1 + 1e-6
    assert max(shares) > 0.99


def test_p_values_of_secrets_that_no_one_learned_are_not_too_small():
    """1,000 audits of 12 random secrets under a model for which the bound is all but reached: P(p <= a) <= a."""
    five = UnigramTarget({d: 0.1999 if d < "5" else 0.0001 for d in DIGITS})  # each of 25 secrets has p_z = .04
    rng, p = keyed("null"), []
    for _ in range(1000):
        rows = ({"id": str(i), "prefix": "1", "secret": f"{rng.integers(100):02d}", "format": "dd"} for i in range(12))
        scores = probabilistic_extraction(five, Records.from_rows(rows), n=1, p=0.0399, top_k=0)
        p.append(hit_rate(scores, Truth()).p_value)
    assert scores.expected[0] == pytest.approx(0.25, abs=1e-3)
    for a in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))
    assert np.mean(np.array(p) <= 0.2) > 0.1  # and they are not all 1


def test_declared_it_costs_no_pass_of_its_own():
    """As in an audit: the signals of its options are declared, another probe reads the records first."""
    data, target = builtin("subject")["Records"].blind().take(range(12)), open_target("specimen")
    options = {name: default for name, (_, default) in probabilistic_extraction.method.signature.options.items()}
    target.declare(probabilistic_extraction.method.signals(**options))
    discoverable_extraction(target, data)
    passes = target.session.cost.forward_passes
    probabilistic_extraction(target, data)
    assert target.session.cost.forward_passes == passes > 0
    probabilistic_extraction(target, data, temperature=0.9)  # another law was not declared
    assert target.session.cost.forward_passes > passes


def test_an_empty_secret_is_unscored():
    scores = probabilistic_extraction(toy_target(), short_data()["Records"].blind())
    assert scores.unscored == {"short": "no token of the secret has a score"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"n": 0}, "n >= 1"), ({"p": 1.0}, r"p in \(0, 1\)"), ({"p": 0.0}, r"p in \(0, 1\)")],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(BadInput, match=sentence):
        probabilistic_extraction(UniformTarget(), RECORDS, **options)
