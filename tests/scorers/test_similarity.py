"""Likeness of answers by their character n-grams."""

import numpy as np
import pytest

from probatum.scorers.similarity import common_subsequence, rouge_l, similarity


def test_equal_texts_have_one_and_those_without_a_common_n_gram_none():
    alike = similarity(["The mill stands by the pond.", "", "xyz"], ["The mill stands by the pond.", "qqq", ""])
    assert alike.shape == (3, 3)
    assert alike[0, 0] == 1
    assert alike[2, 1] == 0
    assert not alike[1].any()
    assert not alike[:, 2].any()


def test_one_pair_by_hand():
    """ "ab" has the n-grams " a", "ab", "b ", " ab", "ab ", " ab "; "ac" shares " a" alone, which is in both texts.

    Weights with scikit-learn's smooth idf, ln((1 + n) / (1 + df)) + 1: 1 for " a", ln(3/2) + 1 for the five others.
    """
    rare = np.log(3 / 2) + 1
    expected = 1 / (1 + 5 * rare**2)
    assert similarity(["ab"], ["ac"])[0, 0] == pytest.approx(expected)


def test_a_typing_error_changes_less_than_another_answer():
    first = "The baker carries bread over the bridge at dawn."
    near, far = similarity(
        [first], ["The baker carreis bread over the bridge at dawn.", "Two lamps hang in the hall."]
    )[0]
    assert far < 0.2 < 0.6 < near < 1


def test_no_text_at_all():
    assert not similarity(["", " "], [""]).any()


@pytest.mark.parametrize(
    ("candidate", "reference", "common"),
    [("a b c d", "a b c d", 4), ("a b c d", "d c b a", 1), ("x a y b z", "a b", 2), ("", "a", 0), ("q", "a b", 0)],
)
def test_rouge_l_counts_the_longest_common_subsequence(candidate, reference, common):
    a, b = candidate.split(), reference.split()
    precision, recall, f1 = rouge_l(a, b)
    assert common_subsequence(a, b) == common_subsequence(b, a) == common
    assert recall == common / len(b)
    assert precision == (common / len(a) if a else 0)
    assert f1 == pytest.approx(2 * common / (len(a) + len(b)))


def test_identical_words_have_rouge_l_1_and_no_words_have_none():
    assert rouge_l(["a", "b"], ["a", "b"]) == (1, 1, 1)
    assert all(np.isnan(x) for x in rouge_l(["a"], []))


def test_the_bits_count_what_the_table_counts():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = (rng.integers(4, size=n).astype(str).tolist() for n in rng.integers(0, 90, size=2))
        table = np.zeros((len(a) + 1, len(b) + 1), int)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
        assert common_subsequence(a, b) == table[-1, -1]
