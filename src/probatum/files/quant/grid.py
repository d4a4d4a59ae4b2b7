"""What all schemes have in common: a code picks a value of a table, a scale and an offset turn it into a number.

number = scale · table[code] + offset (Gholami et al. 2021, arXiv 2103.13630, equation 3, with any table of values).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from probatum.core.errors import BadInput

#: What may lie beside a quantized matrix and has no part in its numbers: scales of activations and of the cache.
BESIDE = ("input_scale", "activation_scale", "input_zero_point", "input_global_scale", "output_scale", "k_scale",
          "v_scale", "q_scale", "weight_format")  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Some rows of a matrix as codes: ``codes`` [rows, columns] of whole numbers, ``table`` [values] float32.

    ``scale`` and ``offset`` are float32 and spread over [rows, columns] by the rules of numpy.
    """

    codes: np.ndarray
    table: np.ndarray
    scale: np.ndarray
    offset: np.ndarray | None = None

    def numbers(self) -> np.ndarray:
        """[rows, columns] float32."""
        with np.errstate(all="ignore"):  # scales of a damaged file may not be finite
            out = np.take(self.table, self.codes) * self.scale
            return np.asarray(out if self.offset is None else out + self.offset, np.float32)

    @property
    def turned(self) -> Grid:
        """Rows as columns."""
        scale = np.broadcast_to(self.scale, self.codes.shape).T
        offset = None if self.offset is None else np.broadcast_to(self.offset, self.codes.shape).T
        return Grid(self.codes.T, self.table, scale, offset)

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """How far below and above each number the values lie that rounding to the nearest would turn into it.

        [rows, columns] float32 each; infinite on the outer side of the lowest and the highest value.
        """
        below, above = half_gaps(self.table)
        with np.errstate(all="ignore"):
            scale, up = np.abs(self.scale), np.broadcast_to(self.scale >= 0, self.codes.shape)
            low, high = below[self.codes], above[self.codes]
            return np.where(up, low, high) * scale, np.where(up, high, low) * scale


@dataclass(frozen=True)
class Parameter:
    """A tensor under its original name and shape; ``parts`` are the stored tensors that it is made of.

    ``read`` gives rows by their places, [rows, all other axes]: a grid, or numbers where they are not quantized.
    ``exact``: the scheme's own tool rounds every number to the nearest value, so no number of the original lies
    outside of its cell; False where it compensates errors or scales columns (GPTQ, AWQ).
    """

    name: str
    stored: str
    shape: tuple[int, ...]
    parts: tuple[str, ...]
    read: Callable[[np.ndarray], Grid | np.ndarray]
    exact: bool = True


def half_gaps(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every value of a table: half of the way to the next lower and the next higher one; 0 where it is NaN."""
    finite = np.isfinite(table)
    values, where = np.unique(table[finite].astype(np.float64), return_inverse=True)  # 0 and -0 are one
    half = np.diff(values) / 2
    below, above = np.zeros(len(table), np.float32), np.zeros(len(table), np.float32)
    below[finite] = np.concatenate(([np.inf], half))[where]
    above[finite] = np.concatenate((half, [np.inf]))[where]
    return below, above


def expected_square(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Mean square of the rounding error of each number where originals are spread evenly over its cell.

    step²/12 for a cell of one step; the lowest and the highest value have the inner half of a cell.
    """
    low, high = (np.where(np.isfinite(v), v, 0) for v in (below, above))
    return np.asarray((low * low - low * high + high * high) / 3)  # (low³ + high³) / 3 (low + high)


def unpack(words: np.ndarray, bits: int, axis: int, order: tuple[int, ...] | None = None) -> np.ndarray:
    """Codes of ``bits`` bits out of whole numbers, the lowest bits first, along ``axis``; uint8.

    ``order``: the code of place i in a word lies at place ``order[i]``.
    """
    words = words.view(f"u{words.dtype.itemsize}")
    count = 8 * words.dtype.itemsize // bits
    shifts = np.array(order or range(count), words.dtype) * words.dtype.type(bits)
    spread = (np.expand_dims(words, axis + 1) >> shifts.reshape([-1 if k == axis + 1 else 1 for k in range(3)])) & (
        words.dtype.type((1 << bits) - 1)
    )
    shape = list(words.shape)
    shape[axis] *= count
    return np.asarray(spread.astype(np.uint8).reshape(shape))


def need(shapes: Mapping[str, tuple[int, ...]], owner: str, *names: str) -> None:
    """Raise BadInput for a part that a quantized matrix lacks."""
    for name in names:
        if name not in shapes:
            raise BadInput(f"{owner} is quantized, but {name}, without which it has no numbers, is missing")


def fits(owner: str, good: bool, expected: str) -> None:
    """Raise BadInput where the parts of a matrix do not belong together."""
    if not good:
        raise BadInput(f"{owner} is quantized, but its parts do not fit together: expected {expected}")


def beside(shapes: Mapping[str, tuple[int, ...]], stem: str) -> tuple[str, ...]:
    """The tensors beside a matrix that only a runtime needs."""
    return tuple(name for last in BESIDE if (name := stem + last) in shapes)
