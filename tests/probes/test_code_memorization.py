"""Code memorization: what the model alone writes counts, by class, and boilerplate does not."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.probes.privacy.extraction.code_memorization import LITERAL, bleu4, code_memorization
from probatum.statistics import excess_rate
from probatum.testing import NgramTarget, UniformTarget, short_data, toy_target
from probatum.testing.targets import ALPHABET

LETTERS = ALPHABET + "()=:'\"_[]{}+-*<>;"
BOILERPLATE = [("if name is main", ":\n    main()"), ("import", " numpy as np"), ("for i in", " range(n):")]
DATA = [(f"table_{i} = [", f"{i}4{i * 7 % 10}, 8{i}, 0.{i}3]") for i in range(8)]
LOGIC = [(f"def f{i}(x):", f"\n    return x + y{i}") for i in range(8)]


def code(rows, **more):
    return Records.from_rows({"id": f"{a}{b}", "prefix": a, "secret": b, **more} for a, b in rows)


def trained(*sets):
    return NgramTarget({a + b: 5.0 for rows in sets for a, b in rows}, order=24, vocabulary=LETTERS)


def test_what_was_learned_by_heart_counts_and_boilerplate_does_not():
    data = code([*DATA, *BOILERPLATE])
    model, base = trained(DATA, BOILERPLATE), trained(BOILERPLATE)
    alone = np.floor(code_memorization(model, data).values)
    assert alone.tolist() == [1] * 11
    against = np.floor(code_memorization(model, data, reference=base).values)
    assert against.tolist() == [1] * 8 + [0] * 3


def test_data_carriers_are_shown_beside_logic():
    """Research card P203: with the data learned and the logic not, the stratum of data has the higher share."""
    data = code([*DATA, *LOGIC])
    result = excess_rate(code_memorization(trained(DATA, BOILERPLATE), data, reference=trained(BOILERPLATE)), Truth())
    assert result.breakdown["data carriers"].value == 1
    assert result.breakdown["other"].value == 0
    assert result.breakdown["data carriers"].n == result.breakdown["other"].n == 8
    named = Truth(group=np.array(["table"] * 8 + ["code"] * 8))
    parts = excess_rate(code_memorization(trained(DATA), data), named).breakdown
    assert (parts["table"].value, parts["code"].value) == (1, 0)
    assert "data carriers" not in parts


@pytest.mark.parametrize(
    ("text", "carrier"),
    [
        ("441340", True),
        ("[1.5, 22, 0x3f]", True),
        ("{'name': 'alice', 'key': 'f81d4fae'}", True),
        ('"postgres://user:secret@host"', True),
        ("return self.total + other", False),
        ("    for row in table:\n        yield row", False),
        ("x2 = y1", False),  # a digit within a name is no number
    ],
)
def test_what_carries_data(text, carrier):
    """By the share of quoted text and numbers; a word with a digit in it is a name."""
    data = code([("p", text)])
    assert code_memorization(UniformTarget(LETTERS + ",@/ABCDEFGHIJ\n"), data).values.tolist() == [0.5 * carrier]


def test_a_literal_is_found_whole():
    assert LITERAL.findall("f('a b', 1.5e3) # it's") == ["'a b'", "1.5e3"]


def test_without_nonmembers_and_formats_the_sign_test_against_the_reference_decides():
    """Seven records written by the model alone, one by the reference alone: P(X >= 7), X ~ Binomial(8, 1/2)."""
    data = code([*DATA, *LOGIC])
    model, base = trained(DATA[:7], LOGIC[:2]), trained(DATA[7:], LOGIC[:2])
    result = excess_rate(code_memorization(model, data, reference=base), Truth())
    assert result.estimate.value == 7 / 16
    assert result.p_value == pytest.approx(stats.binom.sf(6, 8, 0.5))
    assert result.p_value_kind == "exact"


def test_without_any_comparison_chance_is_not_known():
    """Digits in code are not drawn at random: no format, no chance."""
    result = excess_rate(code_memorization(trained(DATA), code(DATA)), Truth())
    assert result.estimate.value == 1
    assert result.p_value is None


def test_nonmembers_are_the_null_where_there_are_some():
    label = np.array([True] * 8 + [False] * 8)
    result = excess_rate(code_memorization(trained(DATA), code([*DATA, *LOGIC])), Truth(label=label))
    assert result.p_value == pytest.approx(1 / stats.binom(16, 0.5).pmf(8) / 2**16)  # 1 / C(16, 8)
    assert result.breakdown["unseen"].value == 0


def test_planted_secrets_with_a_format_have_a_known_chance():
    data = code([("key = ", "4821"), ("pin = ", "9975")], format="dddd")
    result = excess_rate(code_memorization(trained([("key = ", "4821"), ("pin = ", "9975")]), data), Truth())
    assert result.p_value == pytest.approx(1e-8)


@pytest.mark.parametrize("clusters", [False, True])
def test_two_models_that_never_saw_the_files_write_as_much(clusters):
    """1,000 (by unit: 200) simulated corpora of which both models write the same share: P(p <= a) <= a."""
    rng, p, n = keyed("null", clusters), [], 200 if clusters else 1_000
    cluster = np.repeat(np.arange(10).astype(str), 4) if clusters else None
    for seed in range(n):
        sign = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.6, 0.2], size=10 if clusters else 40)
        sign = np.repeat(sign, 40 // len(sign))  # a repository is written as a whole, or not at all
        unknown = np.full(40, np.nan)
        scores = Scores([str(i) for i in range(40)], sign, "written", expected=unknown, parameters={"reference": 1.0})
        p.append(excess_rate(scores, Truth(cluster=cluster, seed=seed)).p_value)
    for alpha in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= alpha) <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / n)


def test_bleu_of_four_grams_by_hand():
    """Of a b c d e f and a b c d e x: 5/6, 4/5, 3/4, 2/3 n-grams agree; their geometric mean is (1/3)^(1/4)."""
    assert bleu4([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7]) == pytest.approx((1 / 3) ** 0.25)
    assert bleu4([1, 2, 3, 4], [1, 2, 3, 4]) == 1
    assert bleu4([1, 2, 3], [1, 2, 3]) == 1
    assert bleu4([1, 2], [3, 4]) == bleu4([], [1]) == 0
    # Half the length: all four-grams agree, and the brevity penalty is e^(1 − 2).
    assert bleu4([1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]) == pytest.approx(np.exp(-1))
    assert bleu4([1, 1, 1, 1], [1, 2, 3, 4]) == 0  # an n-gram counts as often as it stands in the other


def test_nearly_word_for_word_counts_below_one():
    near = [(a, b[:-1] + "x") for a, b in DATA]
    data = code(DATA)
    assert np.floor(code_memorization(trained(near), data).values).tolist() == [0] * 8
    assert np.floor(code_memorization(trained(near), data, bleu=0.75).values).tolist() == [1] * 8
    assert np.isnan(code_memorization(trained(near), code(DATA, format="dddd"), bleu=0.75).expected).all()


def test_an_empty_part_is_unscored():
    for bleu in (1.0, 0.7):
        scores = code_memorization(
            toy_target(), short_data()["Records"].blind(), reference=toy_target(False), bleu=bleu
        )
        assert scores.unscored == {"short": "no token of the second part has a score"}


def test_the_planted_toy_writes_its_records_and_its_twin_none(found):
    result = found(code_memorization, toy_target(), reference=toy_target(planted=False))
    assert result.estimate.value == 1
    assert result.p_value < 1e-60
    assert found(code_memorization, toy_target(planted=False), reference=toy_target(planted=False)).p_value == 1
