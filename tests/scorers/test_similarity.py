"""Likeness of answers by their character n-grams."""

import numpy as np
import pytest

from probatum.scorers.similarity import similarity


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
