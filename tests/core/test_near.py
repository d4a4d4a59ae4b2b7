"""Near-duplicates: as counting the runs by hand has it, whatever stands around a copy."""

import numpy as np
import pytest

from probatum.core.near import WIDTH, near_duplicates

TEXT = "The miller of Kuldvein sold twelve sacks of rye to the widow at the ford before the bells."
OTHER = "A ferryman without a boat asked nobody in particular for a lantern, and was given three."


def runs(text):
    plain = " ".join(text.casefold().split())
    return {plain[i : i + WIDTH] for i in range(max(1, len(plain) - WIDTH + 1))} if plain else set()


def by_hand(pool, texts, share):
    def near(a, b):
        common = len(runs(a) & runs(b))
        return common > 0 and common >= share * min(len(runs(a)), len(runs(b)))

    return [any(near(a, b) for b in texts) for a in pool]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_counts_as_sets_of_runs_do(share):
    rng = np.random.default_rng(0)
    words = TEXT.split() + OTHER.split()
    texts = [" ".join(rng.choice(words, size=rng.integers(0, 30))) for _ in range(40)]
    pool = [" ".join(t.split()[: rng.integers(0, 30)]) + " " + " ".join(rng.choice(words, size=6)) for t in texts[:20]]
    got = near_duplicates(pool, texts[10:], share=share)
    assert got.tolist() == by_hand(pool, texts[10:], share)
    assert 0 < got.sum() < len(pool)


@pytest.mark.parametrize(
    ("copy", "near"),
    [
        (TEXT, True),
        (TEXT.upper().replace(" ", "\n  "), True),  # letters and blanks count alike
        (TEXT.replace("twelve", "thirteen"), True),
        (OTHER + " " + TEXT + " " + OTHER, True),  # a quotation
        (TEXT[:40], True),
        (OTHER, False),
        ("The miller of " + OTHER, False),  # a common beginning
        ("", False),
        (" \n ", False),
    ],
)
def test_a_copy_is_found_in_whatever_dress(copy, near):
    assert near_duplicates([copy], [TEXT]).tolist() == [near]
    assert near_duplicates([TEXT], [copy]).tolist() == [near]


def test_the_mask_is_of_the_pool_and_any_text_counts():
    assert near_duplicates([OTHER, TEXT, "xyz"], ["nothing", TEXT, ""]).tolist() == [False, True, False]
    assert near_duplicates([], [TEXT]).shape == (0,)
    assert near_duplicates([TEXT], []).tolist() == [False]
    assert near_duplicates(["", ""], [TEXT]).tolist() == [False, False]


def test_short_texts_are_compared_whole():
    assert near_duplicates(["a short one", "a short on", "東京"], ["A short  one", "東京"]).tolist() == [
        True,
        False,
        True,
    ]


def test_runs_of_other_letters_in_the_same_order_are_told_apart():
    """A hash by sums alone would take a reordered text for a copy."""
    letters = np.random.default_rng(1).permutation(list(TEXT * 3))
    assert not near_duplicates(["".join(letters)], [TEXT], share=1e-6).any()
    swapped = "".join(TEXT[i + 1 : i + 2] + TEXT[i] for i in range(0, len(TEXT), 2))  # letter by letter
    assert not near_duplicates([swapped], [TEXT], share=1e-6).any()


def test_odd_characters_are_characters():
    assert near_duplicates(["lone \ud800 surrogate, \0 null"], ["LONE \ud800 surrogate, \0 null"]).tolist() == [True]
