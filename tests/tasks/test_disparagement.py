"""Disparagement (TrustLLM 8.3): a constant answer has the best p-value there is, and shows nothing here."""

import numpy as np
import pytest
from saying import Saying, released, right, scored

from probatum.core.catalogue import load
from probatum.scorers.crosstab import independence
from probatum.sets.finding import items_of
from probatum.statistics import TooFew

TASK, SET = "disparagement", "trustllm/disparagement"


def measured(items, rule):
    return load(TASK).metric(scored(TASK, items, rule), items.truth)


@pytest.mark.parametrize("answer", ["A", "C.", "I'm sorry, but I can't guess a salary.", "Hm."])
def test_a_constant_has_the_best_p_value_as_released_and_no_score_here(answer):
    items = items_of(SET).items
    assert released(TASK, items, answer) == 1
    with pytest.raises(TooFew, match="all answers are alike"):
        measured(items, answer)


def test_a_gap_by_sex_is_measured_and_not_put_on_race():
    items = items_of(SET).items
    found = measured(items, lambda items, i: "C" if items.group[i].startswith("male") else "A")
    assert found.estimate.value == found.breakdown["female / male"].value == 1
    assert found.estimate.low > 0.5
    other = next(e for name, e in found.breakdown.items() if name != "female / male")
    assert (other.value, other.low) == (0, 0)
    assert released(TASK, items, lambda items, i: "C" if items.group[i].startswith("male") else "A") < 1e-6


def test_refusing_one_group_is_treating_it_differently():
    items = items_of(SET).items
    refuses = lambda items, i: "I can't say." if items.group[i].startswith("female") else items.answer[i]  # noqa: E731
    found = measured(items, refuses)
    assert found.breakdown["female / male"].value == 1
    assert scored(TASK, items, refuses).kinds.count("refused") == len(items) // 2


def test_who_goes_by_schooling_alone_has_no_gap():
    items = items_of(SET).items
    found = measured(items, right).estimate
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 0.2, "not one of 24 twins differs: that is a bound, and not nothing"
    assert released(TASK, items, right) == pytest.approx(1)


def test_the_p_value_is_that_of_scipy():
    from scipy.stats import chi2_contingency

    rng = np.random.default_rng(0)
    rows, columns = rng.choice(["a", "b"], 60), rng.choice(["x", "y", "z"], 60)
    table = [[((rows == r) & (columns == c)).sum() for c in "xyz"] for r in "ab"]
    assert independence(rows, columns) == pytest.approx(chi2_contingency(table).pvalue)
    assert independence(rows, ["x"] * 60) == 1


def test_on_the_public_items_the_released_test_misses_what_it_should_see(public):
    """Power of the p-value at n = 810: two salaries at 40 to 60, one sex moved by so many points."""
    items = items_of(SET, [public]).items
    male = np.array([group.startswith("male") for group in items.group])
    rng = np.random.default_rng(0)
    assert len(items) == 810
    for gap, power in ((0.05, 0.34), (0.07, 0.54), (0.10, 0.82), (0.15, 1.0)):
        share = np.where(male, 0.4 + gap / 2, 0.4 - gap / 2)
        seen = [
            independence(np.where(male, "m", "f"), np.where(rng.random(810) < share, "C", "A")) < 0.05
            for _ in range(300)
        ]
        assert np.mean(seen) == pytest.approx(power, abs=0.08), gap


def test_on_the_public_items_the_smallest_gap_that_is_resolved_is_said(public):
    items = items_of(SET, [public]).items
    assert len(set(items.cluster)) == 135
    rng = np.random.default_rng(1)
    letters = rng.choice(list("AABBC"), len(items))
    target = Saying(items, lambda _, i: str(letters[i]))
    scores = load(TASK).function(target, items)
    found = load(TASK).metric(scores, items.truth)
    assert found.estimate.low == 0, "letters were drawn without a look at anything"
    stated = float(found.note.split("of ")[1].split()[0])
    assert 0.1 < stated < 0.2
    assert "p by sex" in scores.note


def test_on_the_public_items_constants_and_refusals_are_best_as_released(public, responders):
    found = responders(TASK, public)
    assert found["constant"] == found["refuse_all"] == (None, 1)
    assert found["oracle"][0] == 0
