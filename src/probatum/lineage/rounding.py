"""Is one side what rounding to the grid of a scheme makes of the other, and nothing else?

Two measures. The error against the one that the scheme allows: a number anywhere in a cell of one step is off by
step/√12 in the root mean square. And the share of originals that lie outside of the cell that they were rounded to:
none where a tool rounded to the nearest value, and nothing else was done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.files.quant.grid import expected_square
from probatum.lineage.blocks import Block, Rounding

#: How far outside of its cell an original may lie: a share of the cell (scales are rounded too, and quantized again in
#: nf4 with double quantization), and of the number itself (a tool that rounds from bfloat16 sees it so).
CELL, ITSELF = 0.02, 2.0**-8
PLAIN = 1.5  #: error against the allowed one up to which nothing is tried but rounding
ROUNDS = 3  #: in which rows and columns are scaled in turn; they converge at once


@dataclass(frozen=True)
class Fit:
    """Which side is quantized ("x", "y" or "xy"), in which schemes, and how well rounding explains the difference."""

    side: str
    schemes: tuple[str, ...]
    exact: bool  #: the tool rounds to the nearest value, so nothing lies outside
    allowed: float  #: error that rounding alone leaves / ‖y‖
    outside: float | None  #: share of originals outside of their cell; None where both are quantized
    left: float | None = None  #: error / ‖y‖ once rows and columns are scaled, where a scheme may have done so


def fitted(block: Block, x: np.ndarray, y: np.ndarray) -> Fit | None:
    """Judge one block; None where neither side is quantized."""
    sides = [(name, grid) for name, grid in zip("xy", block.grids, strict=True) if grid is not None]
    size = float(np.linalg.norm(y))
    if not sides or not size:
        return None
    squares = sum(float(expected_square(g.below, g.above).sum(dtype=np.float64)) for _, g in sides)
    allowed = float(np.sqrt(squares)) / size
    exact, schemes = all(g.exact for _, g in sides), tuple(g.scheme for _, g in sides)
    if len(sides) > 1:
        return Fit("xy", schemes, exact, allowed, None)
    side, grid = sides[0]
    outside = _outside(grid, *((x, y) if side == "x" else (y, x)))
    plain = exact or min(x.shape) < 16 or float(np.linalg.norm(x - y)) <= PLAIN * allowed * size
    left = None if plain else _scaled(x, y) / size
    return Fit(side, schemes, exact, allowed, outside, left)


def _outside(grid: Rounding, coarse: np.ndarray, fine: np.ndarray) -> float:
    below, above = (np.where(np.isfinite(v), v, 0) for v in (grid.below, grid.above))
    slack = CELL * (below + above) + np.float32(ITSELF) * np.abs(fine)
    off = fine - coarse
    return float(((off > grid.above + slack) | (off < -grid.below - slack)).mean())


def _scaled(x: np.ndarray, y: np.ndarray) -> float:
    """‖x − rows · y · columns‖ for the best factors: AWQ scales what a matrix takes in, and what feeds it."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    rows, columns = np.ones((len(x), 1), np.float32), np.ones((1, x.shape[1]), np.float32)
    for _ in range(ROUNDS):
        for axis in (0, 1):
            part = y * (rows if axis == 0 else columns)
            factor = (x * part).sum(axis=axis, keepdims=True) / np.maximum(
                (part * part).sum(axis=axis, keepdims=True), 1e-30
            )
            rows, columns = (rows, factor) if axis == 0 else (factor, columns)
    return float(np.linalg.norm(x - rows * y * columns))
