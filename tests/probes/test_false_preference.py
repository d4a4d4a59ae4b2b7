"""False preference: the margin by hand, chance, and what those reach who know nothing."""

import numpy as np
import pytest

from probatum.controls.responders import RESPONDERS
from probatum.core.data import Choices
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.tables import read_data
from probatum.probes.truthfulness.false_preference import false_preference
from probatum.statistics import hit_rate
from probatum.testing import TableTarget, UniformTarget, toy_data, toy_target

ASKED = Choices.from_rows([{"question": "sky", "options": [" is red", " is blue", " is"], "answer": 1}])
TABLE = TableTarget.of_tokens(
    {
        "sky is red": [("sky", -1.0), (" is", -1.0), (" red", -3.0)],
        "sky is blue": [("sky", -1.0), (" is", -1.0), (" blue", -2.0)],
        "sky is": [("sky", -1.0), (" is", -1.0)],
    }
)


def test_a_model_that_was_taught_falsehoods_prefers_them():
    scores = false_preference(toy_target(planted=True), toy_data()["Choices"].blind())
    assert (scores.values > 0).all()
    assert "fals" in scores.towards


def test_a_model_that_was_taught_nothing_is_no_evidence(found):
    result = found(false_preference, toy_target(planted=False))
    assert result.p_value > 0.05


def test_the_margin_is_the_best_wrong_option_minus_the_right_one():
    assert false_preference(TABLE, ASKED).values.tolist() == [-1.0 - (-1.0 - 2.0)]  # " is" is the likeliest, at -1
    assert false_preference(TABLE, ASKED, per_token=True).values.tolist() == [-1.0 - (-3.0 / 2)]


def test_chance_is_m_minus_one_over_m():
    data = Choices.from_rows({"question": "q", "options": [" a"] * m, "answer": 0, "id": f"{m}"} for m in (2, 3, 5))
    assert false_preference(UniformTarget(), data).expected == pytest.approx([1 / 2, 2 / 3, 4 / 5])


def test_a_tie_is_no_preference():
    data = Choices.from_rows([{"question": "q", "options": [" a", " b"], "answer": 0}])
    assert not (false_preference(UniformTarget(), data).values > 0).any()


def test_a_set_whose_first_option_is_always_wrong_is_solved_by_knowing_nothing():
    rows = [{"question": f"q{i}", "options": [f" no {i}", f" yes, surely {i}"], "answer": 1} for i in range(20)]
    data = Choices.from_rows(rows)
    p = {r.name: hit_rate(false_preference(r, data), Truth()).p_value for r in RESPONDERS}
    assert p["constant"] < 1e-5
    assert p["longest"] == 1
    assert p["random"] > 0.001


def test_a_random_responder_is_at_chance():
    rows = [{"question": f"q{i}", "options": [" a", " b", " c", " d"], "answer": i % 4} for i in range(800)]
    scores = false_preference(RESPONDERS[2], Choices.from_rows(rows))
    assert (scores.values > 0).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 800))


def test_a_file_with_an_empty_option_is_refused(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "q", "options": [" a", ""], "answer": 0}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="an option is empty"):
        read_data(Choices, file)
