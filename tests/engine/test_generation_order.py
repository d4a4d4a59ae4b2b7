"""The order in which prompts are taken: groups of a common start together, the longest first."""

from itertools import pairwise

import numpy as np
import pytest

from probatum.engine.waiting import _FEW, Row, in_order


def rows_of(sequences, limit=4):
    return [Row(i, np.array(s, np.int32), limit) for i, s in enumerate(sequences)]


def made(seed):
    """Random prompts under a tree of random headers."""
    rng = np.random.default_rng(seed)
    heads = [rng.integers(0, 9, rng.integers(0, 120)) for _ in range(3)]
    heads += [np.concatenate([heads[0], rng.integers(0, 9, rng.integers(1, 80))]) for _ in range(3)]
    chosen = rng.integers(0, len(heads), rng.integers(1, 70))
    return [np.concatenate([heads[c], rng.integers(0, 9, rng.integers(1, 60))]) for c in chosen]


@pytest.mark.parametrize("seed", range(12))
def test_groups_agree_in_what_they_share_and_widths_only_fall(seed):
    sequences = made(seed)
    ordered = in_order(rows_of(sequences))
    assert sorted(row.index for row in ordered) == list(range(len(sequences)))
    assert [row.order for row in ordered] == list(range(len(sequences)))
    for first, second in pairwise(ordered):
        if first.group == second.group:
            assert first.whole >= second.whole
    numbers = [row.group for row in ordered]
    assert len({a for a, b in pairwise([*numbers, -1]) if a != b}) == len(set(numbers))  # every group in one piece
    for at, row in enumerate(ordered):
        assert row.widest == max(other.whole for other in ordered[at:])
        assert 0 <= row.shared < len(row.sequence)
        assert (row.shared > 0) == (row.group > 0)
    for number in set(numbers) - {0}:
        own = [row for row in ordered if row.group == number]
        assert len(own) >= _FEW
        assert len({row.sequence[: row.shared].tobytes() for row in own}) == 1
        assert sum(row.shared for row in own) > own[0].shared  # it saves


def test_a_header_is_found_and_small_gains_are_not_taken():
    header = list(range(100))
    shared = in_order(rows_of([[*header, i, i] for i in range(8)]))
    assert {row.shared for row in shared} == {100}
    assert all(row.tail == 2 for row in shared)
    assert {row.shared for row in in_order(rows_of([[*header, i] for i in range(3)]))} == {0}  # too few
    assert {row.shared for row in in_order(rows_of([[*header[:20], i] for i in range(8)]))} == {0}  # too short


def test_a_prompt_that_is_the_header_keeps_a_token_of_its_own():
    header = list(range(100))
    ordered = in_order(rows_of([header, *([*header, i] for i in range(8))]))
    assert {row.shared for row in ordered} == {99}
