"""Ragged: every operation agrees with the loop that it stands for."""

import numpy as np
import pytest

from probatum.core.errors import BadInput
from probatum.core.ragged import Ragged

ROWS = [[3.0, 1.0, 2.0], [], [5.0], [2.0, 2.0, -1.0, 4.0, 0.0]]
R = Ragged.of(ROWS, float)


def listed(x):
    return [list(map(float, row)) for row in x]


def test_rows_come_back_as_they_went_in():
    assert listed(R) == ROWS
    assert R.lengths.tolist() == [3, 0, 1, 5]
    assert R.row.tolist() == [0, 0, 0, 2, 3, 3, 3, 3, 3]
    assert listed(R.position) == [[0, 1, 2], [], [0], [0, 1, 2, 3, 4]]
    assert R[-1].tolist() == ROWS[-1]
    with pytest.raises(IndexError):
        R[4]


def test_no_rows_at_all_are_fine():
    none = Ragged.of([], float)
    assert len(none) == 0
    assert none.mean().tolist() == []
    assert listed(none.lowest(0.5)) == []
    assert none.quantile(0.5).tolist() == []


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (R + 1, lambda row: row + 1),
        (2 - R, lambda row: 2 - row),
        (R * R, lambda row: row * row),
        (-R, lambda row: -row),
        (np.exp(R), np.exp),
        (np.minimum(R, 2), lambda row: np.minimum(row, 2)),
        (R > 1.5, lambda row: row > 1.5),
        ((R > 0) & (R < 3), lambda row: (row > 0) & (row < 3)),
        (R.clip(0, 2.5), lambda row: np.clip(row, 0, 2.5)),
    ],
)
def test_operations_work_token_by_token(got, want):
    for row, own in zip(ROWS, got, strict=True):
        assert np.array_equal(own, want(np.array(row)))


def test_one_number_a_row_is_spread_over_its_row():
    assert listed(R - np.array([1.0, 2.0, 3.0, 4.0])) == [[2, 0, 1], [], [2], [-2, -2, -5, 0, -4]]
    with pytest.raises(ValueError, match=r"one number per row \(4\), got 3"):
        R + np.zeros(3)


def test_rows_of_other_lengths_are_refused():
    other = Ragged.of([[1.0, 2.0], [3.0], [4.0], [5.0] * 5])
    with pytest.raises(ValueError, match="same lengths"):
        R + other


@pytest.mark.parametrize("offsets", [[], [1, 9], [0, 8]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets"):
        Ragged(np.zeros(9), np.array(offsets))


def test_reductions_agree_with_the_loop_and_an_empty_row_has_no_mean():
    assert R.sum().tolist() == [6, 0, 5, 7]
    assert R.mean()[[0, 2, 3]].tolist() == [2, 5, 1.4]
    assert np.isnan(R.mean()[1])
    assert (R > 0).all().tolist() == [True, True, True, False]


def test_sums_of_float32_do_not_drift():
    row = np.full(2_000_000, 0.1, np.float32)
    assert Ragged.of([row]).mean()[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.2, 1 / 3, 0.5, 0.999, 1.0])
def test_the_lowest_and_highest_share_is_rounded_up(share):
    for row, low, high in zip(ROWS, R.lowest(share), R.highest(share), strict=True):
        k = int(np.ceil(share * len(row) - 1e-9))
        assert sorted(low) == sorted(row)[:k]
        assert sorted(high) == sorted(row, reverse=True)[:k][::-1]


@pytest.mark.parametrize(("n", "share", "k"), [(5, 0.2, 1), (10, 0.3, 3), (100, 0.07, 7), (1, 0.01, 1)])
def test_rounding_does_not_add_a_token(n, share, k):
    assert Ragged.of([np.arange(n, dtype=float)]).lowest(share).lengths.tolist() == [k]


@pytest.mark.parametrize("share", [0, -1, 1.01, float("nan")])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(BadInput, match="share"):
        R.lowest(share)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 100])
def test_sliding_sums_are_those_of_every_window_and_a_short_row_is_one(width):
    for row, sums in zip(ROWS, R.sliding_sum(width), strict=True):
        w = min(width, len(row))
        assert list(sums) == ([sum(row[i : i + w]) for i in range(len(row) - w + 1)] if row else [])


def test_a_sliding_sum_does_not_depend_on_what_stands_before_it():
    """Differences of a running sum would give 2.8e-17 for some of these zeros, and 0 for others."""
    row = [0.1, -0.1] * 3
    for rows in ([row], [[1e6, 1 / 3], row], [[0.7], row]):
        assert list(Ragged.of(rows, float).sliding_sum(2)[-1]) == [0.0] * 5


def test_sliding_sums_of_nothing_are_nothing():
    assert len(Ragged.of([], float).sliding_sum(3)) == 0
    assert Ragged.of([[], []], float).sliding_sum(3).lengths.tolist() == [0, 0]
    with pytest.raises(BadInput, match="at least one token"):
        R.sliding_sum(0)


@pytest.mark.parametrize("q", [0.0, 0.25, 0.4, 0.5, 1.0])
def test_quantiles_are_numpys(q):
    got = R.quantile(q)
    for row, own in zip(ROWS, got, strict=True):
        assert np.isnan(own) if not row else own == pytest.approx(np.quantile(row, q))


def test_where_keeps_the_places_of_rows_that_become_empty():
    assert listed(R.where(R > 2.5)) == [[3], [], [5], [4]]


def test_a_value_occurs_first_once_in_every_row():
    ids = Ragged.of([[7, 7, 8], [], [7, 9, 9, 7]], np.int64)
    assert [list(x) for x in ids.first_occurrence()] == [[True, False, True], [], [True, True, False, False]]
