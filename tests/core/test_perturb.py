"""Altered texts: what is no word stays where it is, and what is put in is put in there."""

import pytest

from probatum.core.perturb import replaced, word_spans


def words(text):
    return [text[a:b] for a, b in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat's well-known 3 hats, café!", ["The", "cat's", "well-known", "3", "hats", "café"]),
        ("  a\n\tb  ", ["a", "b"]),
        ("'quoted' -- and -dashed-", ["quoted", "and", "dashed"]),
        ("東京 🙂 naïve", ["東京", "naïve"]),
        ("…?! --", []),
        ("", []),
    ],
)
def test_words_are_found_without_their_punctuation(text, expected):
    assert words(text) == expected


def test_words_put_back_where_they_were_give_the_same_text():
    text = "  Two  spaces,\n\na new-line\tand “quotes”. "
    assert replaced(text, {span: text[slice(*span)] for span in word_spans(text)}) == text


def test_replacements_of_other_lengths_do_not_move_what_follows():
    text = "one two, three."
    first, second, third = word_spans(text)
    assert replaced(text, {third: "", first: "eleven", second: "2"}) == "eleven 2, ."
    assert replaced(text, {}) == text


def test_a_long_text_takes_no_quadratic_time():
    text = "word " * 200_000
    changed = replaced(text, dict.fromkeys(word_spans(text), "x"))
    assert changed == "x " * 200_000
