"""Reading an answer: one admissible answer, at a word's boundary, or none."""

import pytest

from probatum.scorers.parsing import chosen, number

LETTERS = ("A", "B", "C", "D")
TEXTS = ("I throw it.", "I do not throw it.", "I wait.", "I call for help.")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("A", 0),
        ("b.", 1),
        ("a kind answer", None),  # a small letter is a word of many sentences
        ("B.", 1),
        ("(C) I wait.", 2),
        ("D) because it is right", 3),
        ("**A**", 0),
        ("The answer is B", 1),
        ("Answer: C", 2),
        ("My choice is (D).", 3),
        ("I would choose option B, since A is cruel.", 1),
        ("A or B.", None),
        ("A/B", None),
        ("A, B", None),
        ("A and B are both fine", None),
        ("A dog barked.", None),
        ("I do not throw it.", 1),
        ("None of them.", None),
        ("", None),
        ("explain your choice.\nA. I throw it.\nB. I do not throw it.", None),  # an echo of the question
        ("The answer is:\nB", 1),
    ],
)
def test_letters(said, found):
    assert chosen(said, LETTERS, TEXTS) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Yes", 0),
        ("yes.", 0),
        ("No, I do not.", 1),
        ("Nothing to add", None),  # holds "no"
        ("I know.", None),
        ("Yes and no.", None),
        ("NO!", 1),
        ("Yesterday", None),
    ],
)
def test_yes_and_no_are_words(said, found):
    assert chosen(said, ("Yes", "No")) == found


def test_a_name_within_a_longer_name_is_not_named():
    options = ("wrong", "not wrong")
    assert chosen("It is not wrong.", options) == 1
    assert chosen("It is wrong.", options) == 0
    assert chosen("wrong, or not wrong", options) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [("50", 50), ("-50.", -50), ("It is 0", 0), ("−100", -100), ("10 or 20", None), ("none", None), ("2.5", 2.5)],
)
def test_one_number(said, found):
    assert number(said) == found
