"""Bits of knowledge: a perfect table holds the entropy of the records to the bit, a guesser none."""

import numpy as np
import pytest

from probatum.controls.memorization import Reciter, knowledge
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.probes.privacy.extraction.knowledge_bits import knowledge_bits
from probatum.statistics import TooFew
from probatum.statistics import knowledge as metric
from probatum.testing import NgramTarget, TableTarget, UnigramTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()
S0 = np.log2(10**6)  # of the toy records, six digits each
DIGITS = dict.fromkeys("0123456789", 0.1)


def records(n, form="dddddd", prefix="record {} "):
    draw = keyed("bits", form)
    rows = [
        {"prefix": prefix.format(i), "secret": "".join(str(d) for d in draw.integers(10, size=len(form)))}
        for i in range(n)
    ]
    return Records.from_rows([{**row, "format": form} for row in rows])


def held(target, data, truth=None):
    return metric(knowledge_bits(target, data), truth or Truth())


def test_a_perfect_table_holds_n_log2_s0():
    """The paper's own number: where p2 = 0, the bound is N log2 S0 exactly."""
    texts = [p + s for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)]
    result = held(Reciter("all", texts), RECORDS)
    assert result.estimate.value == pytest.approx(len(RECORDS) * S0, abs=1e-6)
    assert result.p_value is None
    assert result.breakdown["of all there is to know"].value == pytest.approx(1)


def test_a_uniform_guesser_holds_none():
    data = records(30, prefix="")
    result = held(UnigramTarget(DIGITS), data)
    assert result.estimate.value == pytest.approx(0, abs=1e-3)
    assert result.breakdown["per record"].value == pytest.approx(0, abs=1e-4)


def test_the_bits_of_a_text_are_summed_over_its_tokens_and_not_averaged():
    """p = 1/2 for each of three digits: log2 1000 − 3 bits. (An average would give log2 1000 − 1.)"""
    text = {f"{i} 123": [(f"{i}", 0.0), (" ", 0.0), *((c, -np.log(2)) for c in "123")] for i in range(2)}
    data = Records.from_rows([{"prefix": f"{i} ", "secret": "123", "format": "ddd"} for i in range(2)])
    assert knowledge_bits(TableTarget.of_tokens(text), data).values == pytest.approx([np.log2(1000) - 3] * 2)


def test_the_mean_is_clipped_and_never_the_record():
    """Equation 1: one record known and one held to be impossible are no knowledge; clipping each would claim some."""
    text = {"a 1": [("a", 0.0), (" ", 0.0), ("1", 0.0)], "b 2": [("b", 0.0), (" ", 0.0), ("2", -20.0)]}
    data = Records.from_rows([{"prefix": f"{k[:2]}", "secret": k[2], "format": "d"} for k in text])
    result = held(TableTarget.of_tokens(text), data)
    assert result.estimate.value == 0
    assert result.estimate.low == 0 < result.estimate.high
    assert result.breakdown["per record"].value < 0


def test_what_is_learned_rises_with_exposure_and_saturates():
    known = []
    for dose in (0.01, 0.1, 1.0, 30.0):
        texts = {p + s: dose for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)}
        known.append(held(NgramTarget(texts, order=18), RECORDS).estimate.value / (len(RECORDS) * S0))
    assert known == sorted(known)
    assert known[0] < 0.3
    assert 0.95 < known[-1] <= 1


def test_bits_per_parameter_are_the_bits_over_the_parameters():
    texts = [p + s for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)]
    target = Reciter("all", texts)
    assert "per parameter" not in held(target, RECORDS).breakdown
    target.parameter_count = 1000
    parts = held(target, RECORDS).breakdown
    assert parts["per parameter"].value == pytest.approx(len(RECORDS) * S0 / 1000)
    assert parts["of 2 bits a parameter"].value == pytest.approx(len(RECORDS) * S0 / 2000)


def test_the_planted_toy_holds_its_records_and_its_twin_none(found):
    result = found(knowledge_bits, toy_target(planted=True))
    assert result.estimate.value > 0.8 * 12 * S0  # 12 of 24 were planted
    assert result.breakdown["per record, unseen"].value < 0.1
    assert found(knowledge_bits, toy_target(planted=False)).estimate.value < 0.1 * 12 * S0


def test_the_interval_holds_the_truth_of_a_half_known_corpus():
    """Each record is known with chance 1/2, so the expected bits are half the entropy; 95 % intervals cover it."""
    data, covered = records(60), 0
    for seed in range(60):
        inside = keyed("half", seed).random(len(data)) < 0.5
        known = [p + s for p, s, k in zip(data.prefix, data.secret, inside, strict=True) if k]
        e = held(Reciter("half", known), data, Truth(seed=seed)).estimate
        covered += e.low <= len(data) * S0 / 2 <= e.high
    assert covered >= 52


def test_a_secret_with_nothing_random_in_it_is_unscored():
    data = Records.from_rows(
        [{"id": "word", "prefix": "p ", "secret": "hello"}, {"id": "n", "prefix": "p ", "secret": "12"}]
    )
    assert knowledge_bits(toy_target(), data).unscored == {"word": "nothing in the secret is random"}


def test_an_empty_secret_is_unscored():
    scores = knowledge_bits(toy_target(), short_data()["Records"].blind())
    assert scores.unscored == {"short": "no token of the secret has a score"}


def test_one_record_is_too_few():
    with pytest.raises(TooFew):
        held(toy_target(), records(1, prefix="p{} "))


def test_the_exact_controls_say_what_their_tables_hold():
    cases = [c for c in knowledge(lambda name: None) if not isinstance(c.target, str)]
    assert [c.kind for c in cases] == ["positive", "positive", "negative"]
    for case in cases:
        value = held(case.target, case.data["Records"], case.data["Records"].truth).estimate.value
        assert case.expected[0] <= value <= case.expected[1]
        assert case.expected[1] - case.expected[0] < 0.1
