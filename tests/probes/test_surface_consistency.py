"""Surface consistency: only facts that are known to begin with can be lost."""

import numpy as np
import pytest

from probatum.core.data import Forms
from probatum.core.estimate import Truth
from probatum.probes.robustness.surface_consistency import surface_consistency
from probatum.statistics import hit_rate
from probatum.testing import TableTarget, toy_target


def fact(name, canonical, *others):
    """A fact, and a table in which the right value leads by so much in each form."""
    rows, texts = [], {}
    for number, margin in enumerate((canonical, *others)):
        question = f"{name}{number}"
        form = "canonical" if number == 0 else f"form {number}"
        rows.append({"question": question, "options": [" yes", " no"], "answer": 0, "form": form, "cluster": name})
        texts |= {
            question + " yes": [(question, 0.0), (" yes", -5.0)],
            question + " no": [(question, 0.0), (" no", -5.0 - margin)],
        }
    return rows, texts


def made(*facts):
    rows, texts = [], {}
    for each in facts:
        own, table = fact(*each)
        rows, texts = rows + own, texts | table
    return TableTarget.of_tokens(texts), Forms.from_rows(rows)


def test_facts_that_only_their_canonical_form_gives_are_lost(found):
    result = found(surface_consistency, toy_target(planted=True))
    assert result.estimate.value == 1
    assert result.p_value == pytest.approx(0.1**12)


def test_a_model_that_gives_every_form_rightly_loses_nothing():
    target, data = made(*((f"f{i}", 2.0, 1.0, 3.0) for i in range(10)))
    result = hit_rate(surface_consistency(target, data), Truth())
    assert result.estimate.value == 0
    assert result.p_value == 1


def test_the_score_is_minus_the_mean_margin_of_the_other_forms():
    target, data = made(("kept", 2.0, 1.0, 3.0), ("lost", 1.0, -3.0, 1.0))
    scores = surface_consistency(target, data)
    assert dict(zip(scores.ids, scores.values.tolist(), strict=True)) == {"kept": -2.0, "lost": 1.0}


def test_a_model_that_always_names_the_same_value_is_not_consistent_but_ignorant():
    target, data = made(("never known", -1.0, -1.0, -1.0))
    assert surface_consistency(target, data).unscored == {"never known": "not known in its canonical form"}


def test_a_fact_in_one_form_has_nothing_to_compare():
    target, data = made(("alone", 1.0), ("whole", 1.0, 1.0))
    scores = surface_consistency(target, data)
    assert np.isnan(scores.values[scores.ids.index("alone")])
    assert scores.unscored["alone"]


def test_the_tolerated_share_is_chance():
    target, data = made(("a", 1.0, -1.0), ("b", 1.0, -1.0))
    scores = surface_consistency(target, data, tolerated=0.3)
    assert hit_rate(scores, Truth()).p_value == pytest.approx(0.09)
