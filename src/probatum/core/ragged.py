"""Rows of unequal length in one flat array, so that per-token arithmetic is vectorized and never looped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from probatum.core.errors import BadInput


class Ragged(NDArrayOperatorsMixin):
    """``n`` rows: row ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    Operators and NumPy functions work token by token between two Ragged of the same shape, with a scalar, or with
    one number per row. Reductions (``mean``, ``sum``, ``all`` …) give one number per row; a row without tokens has
    the mean NaN, which `Scores` turns into "unscored".
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray):
        self.values = np.asarray(values)
        self.offsets = np.asarray(offsets, dtype=np.int64)
        if len(self.offsets) == 0 or self.offsets[0] != 0 or self.offsets[-1] != len(self.values):
            raise ValueError("offsets must start at 0 and end at the number of values")

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any] | np.ndarray], dtype: Any = None) -> Ragged:
        """From a list of rows."""
        arrays = [np.asarray(row, dtype=dtype) for row in rows]
        offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
        return cls(np.concatenate(arrays) if arrays else np.zeros(0, dtype), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Ragged({len(self)} rows, {len(self.values)} values)"

    @property
    def lengths(self) -> np.ndarray:
        """Tokens per row, shape (n,)."""
        return np.diff(self.offsets)

    @property
    def row(self) -> np.ndarray:
        """For every value the number of its row, shape (tokens,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def position(self) -> Ragged:
        """For every value its place in its row, from 0."""
        return Ragged(np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths), self.offsets)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs.get("out") is not None:
            return NotImplemented
        flat = []
        for x in inputs:
            if isinstance(x, Ragged):
                if len(x.values) != len(self.values) or not np.array_equal(x.offsets, self.offsets):
                    raise ValueError("two Ragged must have rows of the same lengths")
                x = x.values
            elif np.ndim(x) == 1:
                if len(x) != len(self):
                    raise ValueError(f"expected one number per row ({len(self)}), got {len(x)}")
                x = np.asarray(x)[self.row]
            flat.append(x)
        return Ragged(ufunc(*flat, **kwargs), self.offsets)

    def sum(self) -> np.ndarray:
        """Per row, in float64; 0 for an empty row."""
        return np.bincount(self.row, weights=self.values.astype(np.float64), minlength=len(self))

    def mean(self) -> np.ndarray:
        """Per row, in float64; NaN for an empty row."""
        n = self.lengths
        out: np.ndarray = np.divide(self.sum(), n, out=np.full(len(self), np.nan), where=n > 0)
        return out

    def all(self) -> np.ndarray:
        """Per row: are all values true? (True for an empty row, as in logic.)"""
        out: np.ndarray = np.bincount(self.row, weights=self.values == 0, minlength=len(self)) == 0
        return out

    def where(self, mask: Ragged) -> Ragged:
        """The values at which ``mask`` is true; rows keep their places and may become empty."""
        keep = mask.values.astype(bool)
        return Ragged(self.values[keep], _offsets(self.row[keep], len(self)))

    def lowest(self, share: float) -> Ragged:
        """The ⌈share · length⌉ smallest values of each row, at least one."""
        if not 0 < share <= 1:
            raise BadInput(f"a share of tokens must lie in (0, 1], got {share}")
        # The small slack keeps 0.2 * 5, which is 1.0000000000000002 for some shares, from taking one more.
        count = np.ceil(share * self.lengths - 1e-9).astype(np.int64)
        kept = self.position.values < np.repeat(count, self.lengths)
        return Ragged(self._ascending()[kept], np.concatenate([[0], np.cumsum(count)]))

    def highest(self, share: float) -> Ragged:
        """The ⌈share · length⌉ largest values of each row, at least one."""
        return -((-self).lowest(share))  # type: ignore[no-any-return]

    def sliding_sum(self, width: int) -> Ragged:
        """The sum of every ``width`` neighboring values, in float64: length − width + 1 sums a row.

        A row that is shorter gives one sum, over all of it; an empty row none.
        """
        if width < 1:
            raise BadInput(f"a window must hold at least one token, got {width}")
        n = self.lengths
        used = np.minimum(width, n)
        start = np.flatnonzero((self.position <= n - used).values)
        # Every window is summed by itself. Differences of one running sum would depend on all values before it, and
        # a sum of exactly 0 would come out as a little more or less.
        between = np.stack([start, start + used[self.row[start]]], axis=1).ravel()
        sums = np.add.reduceat(np.append(self.values.astype(np.float64), 0.0), between)[::2]
        return Ragged(sums, _offsets(self.row[start], len(self)))

    def quantile(self, q: float) -> np.ndarray:
        """Per row, linear interpolation as in NumPy; NaN for an empty row."""
        out = np.full(len(self), np.nan)
        n = self.lengths
        full = n > 0
        ordered = self._ascending().astype(np.float64)
        at = (n[full] - 1) * q
        low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
        start = self.offsets[:-1][full]
        out[full] = ordered[start + low] + (at - low) * (ordered[start + high] - ordered[start + low])
        return out

    def _ascending(self) -> np.ndarray:
        """The values, every row sorted by itself: one sort of all by (row, value) takes thirty times longer."""
        values = self.values.copy()
        bounds = self.offsets.tolist()
        for start, stop in pairwise(bounds):
            values[start:stop].sort()
        return values

    def clip(self, low: float | None = None, high: float | None = None) -> Ragged:
        """Every value moved into [low, high]."""
        return Ragged(np.clip(self.values, low, high), self.offsets)

    def first_occurrence(self) -> Ragged:
        """True where a value stands in its row for the first time."""
        pairs = np.stack([self.row, self.values.astype(np.int64)], axis=1)
        _, first = np.unique(pairs, axis=0, return_index=True)
        mask = np.zeros(len(self.values), bool)
        mask[first] = True
        return Ragged(mask, self.offsets)


def _offsets(row: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
