"""Overlap by hand, edit distance against its recursion, and the ball of near strings against every string."""

import functools
import itertools
import math

import numpy as np
import pytest

from probatum.core.overlap import edit_distances, near_count, rouge_1_precision, rouge_1_recall, units


def distance(a: str, b: str) -> int:
    """Levenshtein's recursion, as it is defined."""

    @functools.cache
    def d(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


@pytest.mark.parametrize(
    ("candidate", "reference", "recall", "precision"),
    [
        ("the cat sat", "the cat sat", 1, 1),
        ("dogs bark", "the cat sat", 0, 0),
        ("the cat", "the cat sat on", 1 / 2, 1),
        ("the the the", "the cat", 1 / 2, 1 / 3),  # a word that the reference has once counts once
        ("the cat", "the the the cat", 1 / 2, 1),  # and one that it has three times has to be said three times
        ("The CAT, sat!", "the cat sat", 1, 1),
        ("über東京", "Über東京", 1, 1),
    ],
)
def test_rouge_by_hand(candidate, reference, recall, precision):
    said, true = units(candidate, "word"), units(reference, "word")
    assert rouge_1_recall(said, true) == pytest.approx(recall)
    assert rouge_1_precision(said, true) == pytest.approx(precision)


def test_characters_are_units_of_codes():
    assert rouge_1_precision(units("441340", "character"), units("441341", "character")) == pytest.approx(5 / 6)
    assert rouge_1_precision(units("441340", "word"), units("441341", "word")) == 0
    assert units("A b-1", "character") == ["A", "b", "-", "1"]
    assert units("A b-1", "word") == ["a", "b", "1"]


def test_nothing_is_in_common_with_nothing():
    assert math.isnan(rouge_1_recall(["the"], []))
    assert rouge_1_recall([], ["the"]) == 0
    assert rouge_1_precision([], ["the"]) == 0
    assert rouge_1_precision(["the"], []) == 0


@pytest.mark.parametrize("seed", range(5))
def test_edit_distance_to_every_prefix_is_that_of_the_recursion(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        text, other = ("".join(rng.choice(list("abc"), rng.integers(0, 9))) for _ in range(2))
        expected = [distance(text, other[:n]) for n in range(len(other) + 1)]
        assert edit_distances(text, other).tolist() == expected


def test_edit_distances_by_hand():
    assert edit_distances("kitten", "sitting").tolist()[-1] == 3
    assert edit_distances("123456", "123-456. And more").min() == 1
    assert edit_distances("", "ab").tolist() == [0, 1, 2]
    assert edit_distances("ab", "").tolist() == [2]


@pytest.mark.parametrize("text", ["", "abca", "aaaa", "abcabc", "xbc-a", "cbacb"])
@pytest.mark.parametrize(("length", "edits"), [(3, 0), (3, 1), (4, 1), (4, 2), (3, 3), (5, 2)])
def test_no_more_strings_are_near_than_is_said(text, length, edits):
    near = sum(
        min(distance("".join(z), text[:n]) for n in range(len(text) + 1)) <= edits
        for z in itertools.product("abc", repeat=length)
    )
    assert near <= near_count(length, 3, edits)


def test_the_bound_by_hand():
    assert near_count(6, 10, 0) == 1
    # One edit of six digits: one of 7 skips (none, or before one of six places), or one of 6 places changed to one of
    # ten digits, by substitution or insertion.
    assert near_count(6, 10, 1) == 7 + 6 * 10 * 2
    # Two edits of two letters of three: only skips; one place changed and at most one skip; both places changed.
    assert near_count(2, 3, 2) == 6 + 2 * 3 * (3 + 2) + 9 * (1 + 2 + 1)
