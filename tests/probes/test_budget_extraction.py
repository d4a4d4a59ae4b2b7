"""Budget extraction: what the last layer hides and a middle one holds is guessed, and chance is what theory says."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.probes.privacy.extraction.budget_extraction import TOP, _chance, _place, _width, budget_extraction
from probatum.scorers.invariances import wide_spaces
from probatum.statistics import success_at_budget
from probatum.testing import NgramTarget, short_data, toy_data, toy_target
from probatum.testing.targets import LANGUAGE

RECORDS = toy_data()["Records"].blind()
TAUGHT = {p + s: 4.0 for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)}


class Layered(NgramTarget):
    """Says what it was taught last; its layers hold what they were taught."""

    def __init__(self, *layers):
        super().__init__(layers[-1], order=18, name="layered", access=LANGUAGE | Access.HIDDEN)
        self._layers = [NgramTarget(texts, order=18) for texts in layers]

    def layer(self, context):
        return [np.exp(each._row(context)[0]) for each in self._layers]


class Guessing(Layered):
    """Every layer orders all digits at random, whatever comes before."""

    def layer(self, context):
        orders = [keyed("guess", context, i).permutation(10) for i in range(len(self._layers))]
        law = np.full((len(orders), len(self.vocabulary)), 1e-6)
        for row, order in zip(law, orders, strict=True):
            row[[self.vocabulary.index(str(d)) for d in order]] = np.arange(10, 0, -1) / 60
        return list(law)


def records(n, digits=3, seed=0):
    rng = keyed("budget", n, digits, seed)
    return Records.from_rows(
        {"prefix": f"record {i} ", "secret": "".join(map(str, rng.integers(10, size=digits))), "format": "d" * digits}
        for i in range(n)
    )


def found_by(target, attack, data=RECORDS, **options):
    return success_at_budget(budget_extraction(target, data, attack=attack, **options), Truth())


@pytest.mark.parametrize("attack", ["logit_lens", "probability_delta"])
def test_what_a_middle_layer_holds_and_the_last_erases_is_guessed(attack):
    """Research card P064: black box 0, white box 1."""
    target = Layered({}, TAUGHT, {})
    assert found_by(target, "output").estimate.value == 0
    assert found_by(target, attack).estimate.value == 1


def test_what_is_said_only_in_other_words_is_guessed_by_rephrasing():
    """The model was made to forget the question as it was written, and nothing else."""
    other = Layered({wide_spaces(p) + s: 4.0 for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)})
    assert any(wide_spaces(p) != p for p in RECORDS.prefix)
    assert found_by(other, "output").estimate.value < 0.2
    assert found_by(other, "rephrase").estimate.value > 0.8


def test_what_the_last_layer_pushes_down_is_seen_in_what_falls():
    """The last layer erases and says another token instead; the lens has the old one in the layer below."""
    other = {p + "9": 4.0 for p in RECORDS.prefix}
    target = Layered({}, TAUGHT, other)
    delta = budget_extraction(target, RECORDS, attack="probability_delta", budget=64)
    assert (10.0**-delta.values <= 64.5).all()  # two candidates a token: what rises most, and what falls most


def test_with_every_layer_alike_the_lens_is_the_output():
    """Identity layers: the candidates of all layers are those of the output, and cost nothing more."""
    target = Layered(TAUGHT, TAUGHT, TAUGHT)
    lens, output = (budget_extraction(target, RECORDS, attack=a).values for a in ("logit_lens", "output"))
    assert lens.tolist() == output.tolist() == [0.0] * len(RECORDS)  # one guess each


def test_secrets_learned_by_heart_are_guessed_and_others_are_not(found):
    planted = found(
        budget_extraction,
        Layered(
            {},
            {
                p + s: 4.0
                for p, s, m in zip(RECORDS.prefix, RECORDS.secret, toy_data()["Records"].label, strict=True)
                if m
            },
        ),
    )
    assert planted.estimate.value == 1
    assert planted.breakdown["unseen"].value == 0  # what an attacker finds that was never taught
    assert planted.p_value < 1e-20
    assert found(budget_extraction, toy_target(planted=False).giving(LANGUAGE | Access.HIDDEN)).p_value == 1


@pytest.mark.parametrize(
    ("budget", "length", "width"), [(20, 1, 20), (1000, 3, 10), (1000, 6, 3), (64, 6, 2), (63, 6, 1), (999, 3, 9)]
)
def test_the_widest_tree_within_the_budget(budget, length, width):
    assert _width(budget, length) == width


def test_candidates_come_in_turn_from_the_layers_and_each_counts_once():
    lists = np.array([[1, 2, 3], [1, 4, 2]])  # in turn: 1, (1), 2, 4, 3, (2)
    assert [_place(lists, token) for token in (1, 2, 4, 3)] == [1, 2, 3, 4]
    assert _place(lists, 9) > 1e100


def test_success_needs_every_token_within_the_budget():
    """A secret whose worst token stands third needs 3^6 = 729 guesses."""
    alike = {
        p + s[:3] + d + s[4:]: 8.0 + int(d != s[3]) * (9 - (int(d) - int(s[3])) % 10)
        for p, s in zip(RECORDS.prefix, RECORDS.secret, strict=True)
        for d in "0123456789"
        if (int(d) - int(s[3])) % 10 < 3
    }
    values = budget_extraction(Layered({}, alike), RECORDS, attack="output").values
    np.testing.assert_allclose(10**-values, 3**6)
    assert found_by(Layered({}, alike), "output", budget=728).estimate.value == 0
    assert found_by(Layered({}, alike), "output", budget=729).estimate.value == 1


def test_answers_of_one_token_are_the_papers():
    """B = 20 candidates of one token, chance 20 over the answers that there could be."""
    data = Records.from_rows([{"prefix": "the answer is ", "secret": "x", "format": "a"}])
    scores = budget_extraction(Layered({}, {"the answer is x": 1.0}), data, budget=20)
    assert scores.values.tolist() == [0]
    assert scores.expected == pytest.approx([20 / 26])


def test_chance_is_the_guesses_over_the_secrets():
    assert _chance(1000, 1e6, 6) == (1000 + 31**2 + 10**3 + 5**4 + 3**5 + 3**6) / 1e6
    assert _chance(10**9, 1e6, 6) == 1
    assert np.isnan(_chance(1000, 1.0, 6))


@pytest.mark.parametrize("attack", ["logit_lens", "probability_delta", "rephrase", "output"])
def test_an_attacker_who_guesses_is_right_as_often_as_chance_says_and_never_significantly(attack):
    """Trees of 4 digits a place hold 64 of 1000 secrets; 40 simulated audits of 50 records."""
    hits, p = 0, []
    target = Guessing({}, {}, {})
    for seed in range(40):
        data = records(50, seed=seed)
        scores = budget_extraction(target, data, attack=attack, budget=64)
        result = success_at_budget(scores, Truth())
        hits += round(result.estimate.value * 50)
        p.append(result.p_value)
        assert scores.expected[0] >= 0.064
    assert 0 < hits / 2000 <= 0.064 + 3 * np.sqrt(0.064 * 0.936 / 2000)
    for alpha in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= alpha) <= alpha


def test_the_curve_is_the_share_within_every_budget():
    scores = Scores("abcd", [0.0, -2.0, -2.0, -300.0], "guessed", expected=[0.1] * 4, parameters={"budget": 99.0})
    result = success_at_budget(scores, Truth())
    (curve,) = result.curves
    assert (curve.x, curve.y) == ((1.0, 100.0), (0.25, 0.75))
    assert result.estimate.value == 0.25
    assert result.breakdown["by chance"].value == pytest.approx(0.1)


def test_a_secret_of_many_tokens_is_unscored():
    data = Records.from_rows(
        [
            {"id": "long", "prefix": "p ", "secret": "0123456789", "format": "d" * 10},
            {"id": "s", "prefix": "p ", "secret": "01"},
        ]
    )
    scores = budget_extraction(toy_target().giving(LANGUAGE | Access.HIDDEN), data)
    assert scores.unscored == {"long": "the budget leaves one candidate a token for a secret of 10 tokens"}


def test_an_empty_secret_is_unscored():
    scores = budget_extraction(toy_target().giving(LANGUAGE | Access.HIDDEN), short_data()["Records"].blind())
    assert scores.unscored == {"short": "no token of the secret has a score"}


def test_tokens_that_are_others_where_the_text_is_cut_are_unscored():
    class Merging(Layered):
        def encode(self, texts):
            ids = super().encode(texts)
            ids.values[-1] += 1  # of the last prompt
            return ids

    scores = budget_extraction(Merging({}, TAUGHT), RECORDS)
    assert list(scores.unscored.values()) == ["its tokens are others where the text is cut before them"]


def test_a_budget_of_one_guess_is_refused():
    with pytest.raises(BadInput, match="at least 2"):
        budget_extraction(toy_target(), RECORDS, budget=1)


def test_the_lists_are_long_enough_for_the_default_budget():
    assert _width(1000, 2) <= TOP
