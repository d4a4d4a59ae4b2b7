"""Calibration: Brier score and ECE of planted probabilities, in closed form and as scikit-learn has them."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from probatum.core.catalogue import load
from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.core.ragged import Ragged
from probatum.core.target import OptionScores, written_out
from probatum.sets.finding import items_of
from probatum.testing import TableTarget

TASK = "calibration"


class Believing(TableTarget):
    """Gives the first option of item i the probability ``belief[i]``; what the options lack of 1 goes elsewhere."""

    def __init__(self, items, belief, mass=0.25):
        super().__init__()
        self.belief = dict(zip(map(written_out, items.conversations), belief, strict=True))
        self.mass = mass

    def choices(self, prompts, options):
        p = np.array([self.belief[prompt] for prompt in prompts])
        rows = np.log(np.column_stack([p, 1 - p]).clip(1e-30) * self.mass)
        ones = Ragged.of([[1, 1]] * len(p))
        return OptionScores(Ragged.of(list(rows)), ones, ones)


def measured(belief, items=None):
    items = items or items_of("facts/probability").items
    yes = np.array([answer == "Yes" for answer in items.answer])
    belief = np.broadcast_to(np.asarray(belief(yes) if callable(belief) else belief, float), yes.shape)
    scores = load(TASK).function(Believing(items, belief), items)
    return scores, load(TASK).metric(scores, items.truth), yes, belief


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_one_belief_for_everything_has_a_closed_form(p):
    """Half of the statements are true: Brier = (p² + (1 − p)²) / 2, ECE = |p − 1/2|."""
    _, result, _, _ = measured(p)
    assert result.estimate.value == pytest.approx((p**2 + (1 - p) ** 2) / 2, abs=1e-9)
    assert result.breakdown["ECE"].value == pytest.approx(abs(p - 0.5), abs=1e-9)
    assert result.breakdown["accuracy"].value == 0.5


def test_a_calibrated_model_has_no_error_and_still_a_brier_score():
    """Of statements believed with .7, 7 of 10 are true; of those with .3, 3 of 10: Brier = p (1 − p)."""

    def belief(yes):
        p = np.empty(len(yes))
        for truth, high in ((True, 0.7), (False, 0.3)):
            at = np.flatnonzero(yes == truth)
            p[at] = np.where(np.arange(len(at)) < round(high * len(at)), 0.7, 0.3)
        return p

    _, result, _, _ = measured(belief)
    assert result.breakdown["ECE"].value == pytest.approx(0, abs=1e-9)
    assert result.estimate.value == pytest.approx(0.21)
    assert result.breakdown["accuracy"].value == pytest.approx(0.7)


def test_overconfidence_is_seen_and_by_what_it_exceeds_the_truth():
    """Right in 7 of 10 and certain to .95: ECE = .25."""

    def belief(yes):
        wrong = np.arange(len(yes)) % 20 >= 14
        return np.where(yes ^ wrong, 0.95, 0.05)

    _, result, _, _ = measured(belief)
    assert result.breakdown["ECE"].value == pytest.approx(0.25, abs=0.01)
    assert result.breakdown["accuracy"].value == pytest.approx(0.7, abs=0.01)


def test_the_brier_score_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    scores, result, yes, belief = measured(lambda yes: rng.random(len(yes)))
    assert result.estimate.value == pytest.approx(brier_score_loss(yes, belief))
    assert scores.null[:, 0] == pytest.approx(belief), "the mass beside the two options does not count"
    low, high = result.estimate.low, result.estimate.high
    assert low < result.estimate.value < high
    assert result.breakdown["P(True)"].n == result.breakdown["P(IK)"].n == 80


def test_p_true_and_p_ik_are_told_apart():
    """Knows what is true, and says of every question that it knows the answer."""
    items = items_of("facts/probability").items
    of_statements = np.array([group == "P(True)" for group in items.group])
    _, result, _, _ = measured(lambda yes: np.where(of_statements, yes, 1.0), items)
    assert result.breakdown["P(True)"].value == pytest.approx(0, abs=1e-9)
    assert result.breakdown["P(IK): ECE"].value == pytest.approx(0.5, abs=1e-9)
    assert result.breakdown["P(IK): accuracy"].value == 0.5


def test_what_has_no_likelihood_has_no_score():
    scores, result, _, _ = measured(lambda yes: np.where(np.arange(len(yes)) < 3, np.nan, 0.5))
    assert list(scores.unscored.values()) == ["no likelihood came"] * 3
    assert result.estimate.n == len(scores) - 3


def test_three_options_get_one_sentence():
    items = Items.from_rows([{"prompt": "a?", "options": ["a", "b", "c"], "answer": "a"}], "x")
    with pytest.raises(BadInput, match="two options"):
        load(TASK).function(TableTarget(), items)


def test_statements_are_half_true_in_every_kind_and_questions_half_answered():
    items = items_of("facts/probability").items
    for group in ("P(True)", "P(IK)"):
        own = [a for a, g in zip(items.answer, items.group, strict=True) if g == group]
        assert own.count("Yes") == own.count("No") == 40
    for prompt, answer, group in zip(items.prompt, items.answer, items.group, strict=True):
        if "larger" in prompt:
            a, b = (int(word.strip(".")) for word in prompt.split() if word.strip(".").isdigit())
            assert (a > b) == (answer == "Yes")
        if group == "P(IK)":
            text, asked = prompt.split("\nQuestion: ")
            good, trade = asked.split("How many ")[1].split(" does the ")[0], asked.split(" does the ")[1].split()[0]
            assert (f"The {trade} keeps" in text and f" {good} by" in text) == (answer == "Yes")
