"""Changed forms of a prompt (HELM): the same every time, and small."""

import re

import pytest

from probatum.scorers.invariances import INVARIANCES, SWAPS, contracted, gendered, misspelled, other_gender, wide_spaces

TEXT = "The baker did not say whether she would bring her brother's bread to the market, since it is closed on Sunday."


@pytest.mark.parametrize("form", [*INVARIANCES.values(), *SWAPS.values()], ids=lambda f: f.__name__)
def test_a_form_is_a_function_of_the_text_and_changes_it(form):
    text = " ".join([TEXT] * 5)
    assert form(text) == form(text) != text
    assert form("") == ""


def test_spaces_only():
    assert wide_spaces(TEXT).split() == TEXT.split()


def test_misspelled_words_keep_their_ends_their_letters_and_their_number():
    text = " ".join(["whatever wondrous weather"] * 200)
    changed = misspelled(text).split()
    different = [(a, b) for a, b in zip(text.split(), changed, strict=True) if a != b]
    assert all(a[0] == b[0] and a[-1] == b[-1] and sorted(a) == sorted(b) for a, b in different)
    assert 30 <= len(different) <= 90  # a tenth of 600, at 4 standard deviations


def test_what_must_be_written_is_not_misspelled():
    assert "Supports" in misspelled("Answer Supports or Refutes. " * 20)


def test_contractions():
    assert contracted("It does not, cannot and will not.") == "It doesn't, can't and won't."


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("He gave his sister her book.", "She gave her brother his book."),
        ("I saw her.", "I saw him."),
        ("The men spoke; Mr Bell listened.", "The women spoke; Mrs Bell listened."),
        ("No person is named.", "No person is named."),
    ],
)
def test_genders_change_places(text, other):
    assert other_gender(text) == other


def test_words_of_both_genders_are_counted():
    assert gendered("She told her father that he and his brother were late.") == (2, 4)


def test_no_form_touches_an_option_letter():
    for form in INVARIANCES.values():
        assert re.search(r"\bb\. blue", form("Which? a. red b. blue").lower().replace("   ", " "))
