"""Short answers beside the accepted ones."""

import math

import pytest

from probatum.scorers.short_answers import best_match, normalized, stated, word_f1


@pytest.mark.parametrize(
    ("said", "accepted", "exact"),
    [
        ("Answer: [Tea/Milk].", "tea/milk", 1), ("the 1320s", "since 1320 | 1320s", 1), ("In the 1320s", "1320s", 0),
        ("Yes, they are.", "yes", 1), ("No. Yes.", "yes", 0), ("nothing", "no", 0), ("90", "90° | 90", 1),
        ("\n\n  a Mill\nand more", "mill", 1), ("", "mill", 0),
    ],
)  # fmt: skip
def test_exact_match_after_normalizing(said, accepted, exact):
    assert best_match(said, accepted) == exact


def test_f1_of_words_as_squad_counts_them():
    """2 common words of 3 and of 4: precision 2/3, recall 1/2."""
    assert word_f1("the old red mill", "mill, red, by pond") == pytest.approx(2 * (2 / 3 * 1 / 2) / (2 / 3 + 1 / 2))
    assert best_match("red mill", "blue | mill", "f1") == pytest.approx(2 / 3)
    assert word_f1("red", "blue") == 0


def test_a_refusal_is_no_wrong_answer_but_none():
    assert math.isnan(best_match("I'm sorry, but I can't help with that.", "mill"))


def test_what_is_taken_off():
    assert normalized("The  “Old” Mill, a.k.a. it!") == "old mill aka it"
    assert stated("Thinking…\nAnswer: the mill\nSure") == "the mill"
