"""What the numbers of one tensor say about how it came from the other: equal, rounded, cut, scaled, low-rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.lineage.blocks import Block
from probatum.lineage.rounding import Fit, fitted

LINES = 24  #: rows that are sorted, to see whether one is a rounding of the other
GROUPS = (0, 128, 64, 32)  #: entries that share a scale: a whole row, or so many
CASTS = {"F16": 10, "BF16": 7}  #: bits of the mantissa


@dataclass(frozen=True)
class Facts:
    """Numbers of one block. ``x`` is of the first model, ``y`` of the second."""

    name: str
    shape: tuple[int, ...]
    entries: int
    tokens: bool
    vector: bool
    equal: float  #: share of entries
    change: float  #: ‖x − y‖ / ‖y‖
    cosine: float
    varied: bool = True  #: a matrix of many values, not zeros, ones or a mask
    spoiled: float = 0.0  #: share of entries that are not finite in one of the two
    cut_x: float = 0.0  #: share of entries that are 0 in x and not in y
    cut_y: float = 0.0
    rest_equal: float = 0.0  #: of the entries that are 0 in neither, the share that is equal
    cast: str = ""  #: "x F16": x is y rounded to F16
    rounded: str = ""  #: "x" or "y": that one is a rounding of the other, entry by entry
    levels: int = 0  #: distinct values of the rounded one within a group
    group: int = 0  #: entries that share a scale; 0: a row
    scaled: str = ""  #: "tensor", "rows", "columns", "rows and columns"
    scale: float = 1.0  #: median of |x / y|
    rank: int | None = None  #: of x − y, where it is low
    noise: float = 0.0  #: share of ‖x − y‖² that rounding explains
    fit: Fit | None = None  #: where one side is stored as codes of a scheme


def facts(block: Block) -> Facts:
    """Look at one block."""
    x, y = block.x, block.y
    with np.errstate(all="ignore"):
        equal = float(((x == y) | (np.isnan(x) & np.isnan(y))).mean())
        whole = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(whole, x, 0), np.where(whole, y, 0)
        delta = x.astype(np.float64) - y
        size, other = float(np.linalg.norm(y)), float(np.linalg.norm(x))
        moved = float(np.linalg.norm(delta))
        dot = float((x.astype(np.float64) * y).sum())
        both = (x != 0) & (y != 0)
        base: dict[str, Any] = {
            "name": block.name, "shape": block.shape, "entries": x.size, "tokens": block.tokens,
            "vector": block.vector, "varied": not block.vector and len(np.unique(x.ravel()[:4096])) > 16,
            "equal": equal,
            "change": moved / size if size else (0.0 if not moved else math.inf),
            "spoiled": float(1 - whole.mean()), "cosine": dot / (size * other) if size and other else math.nan,
        }  # fmt: skip
        if moved == 0:
            return Facts(**base, rest_equal=1.0)  # what differs, if anything does, is not finite
        cut: dict[str, Any] = {
            "cut_x": float(((x == 0) & (y != 0)).mean()),
            "cut_y": float(((y == 0) & (x != 0)).mean()),
            "rest_equal": float((x == y)[both].mean()) if both.any() else 0.0,
        }
        found = fitted(block, x, y)
        if found is not None:  # the scheme is known: nothing is to be guessed from the numbers
            return Facts(**base, **cut, fit=found)
        rounded, levels, group = _rounded(x, y) if not block.vector else ("", 0, 0)
        kind, scale = _scaled(x, y, both)
        rank, noise = _rank(delta, x) if min(x.shape) >= 8 else (None, 0.0)
        return Facts(
            **base,
            **cut,
            cast=_cast(x, y),
            rounded=rounded,
            levels=levels,
            group=group,
            scaled=kind,
            scale=scale,
            rank=rank,
            noise=noise,
        )


def mantissa(x: np.ndarray) -> int:
    """Bits of precision that the numbers really use, however wide they are stored."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    if not (bits & 0xFFFF).any():
        return 7
    return 10 if not (bits & 0x1FFF).any() else 23


def to_bf16(x: np.ndarray) -> np.ndarray:
    """Round to the nearest bfloat16, ties to even; given back as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16) & 0xFFFFFFFF).astype(np.uint32).view(np.float32)


def _cast(x: np.ndarray, y: np.ndarray) -> str:
    for dtype, to in (("BF16", to_bf16), ("F16", lambda v: v.astype(np.float16).astype(np.float32))):
        for side, coarse, fine in (("x", x, y), ("y", y, x)):  # a look at one row spares most of the work
            if np.array_equal(coarse[:1], to(fine[:1])) and np.array_equal(coarse, to(fine)):
                return f"{side} {dtype}"
    return ""


def _rounded(x: np.ndarray, y: np.ndarray) -> tuple[str, int, int]:
    """Is one a monotone function of the other within each row, column or group, with fewer values?

    Rounding to any grid never turns an order round; noise does. Else: does one have very few values by itself?
    """
    for side, (coarse, fine) in (("x", (x, y)), ("y", (y, x))):
        for group in GROUPS:
            for first, second in ((coarse, fine), (coarse.T, fine.T)) if not group else ((coarse, fine),):
                left, right = _lines(first, group), _lines(second, group)
                if left is None or right is None or left.shape[1] < 8:
                    continue
                if not (_monotone(left[:2], right[:2]) and _monotone(left, right)):
                    continue
                few, many = _distinct(left), _distinct(right)
                if few.mean() <= 0.9 * many.mean() or (on_a_grid(left) and not on_a_grid(right)):
                    return side, int(few.max()), group
    for side, (coarse, fine) in (("x", (x, y)), ("y", (y, x))):
        for group in GROUPS:
            left, right = _lines(coarse, group), _lines(fine, group)
            if left is None or right is None or left.shape[1] < 32:
                continue
            few, many = _distinct(left), _distinct(right)
            if few.max() <= min(256, left.shape[1] / 2) and few.mean() <= 0.3 * many.mean():
                return side + " compensated", int(few.max()), group
    return "", 0, 0


def on_a_grid(lines: np.ndarray) -> bool:
    """Are the numbers of each line whole multiples of a step that its largest number gives? For lines too short to
    have fewer values than numbers; the steps are those of 8 and 4 bits, with and without a zero point."""
    low, high = lines.min(axis=1, keepdims=True), lines.max(axis=1, keepdims=True)
    largest = np.maximum(high, -low)
    for count in (127, 128, 7, 8, 255, 15):
        values = (lines - low) / np.where(high > low, high - low, 1) if count in (255, 15) else lines / largest
        steps = count * values
        exact = np.abs(steps) <= 0.1 * 2.0 ** (
            mantissa(lines) + 1
        )  # larger ones were rounded off when they were stored
        off = np.where(exact, np.abs(steps - np.round(steps)), 0).max(axis=1)
        if exact.mean() * lines.shape[1] >= 4 and np.nanmedian(off) <= 0.12:
            return True
    return False


def _lines(values: np.ndarray, group: int) -> np.ndarray | None:
    lines = values[:: max(1, len(values) // LINES)][:LINES]
    if not group:
        return lines
    return lines.reshape(-1, group)[: 4 * LINES] if lines.shape[1] % group == 0 and lines.shape[1] > group else None


def _distinct(lines: np.ndarray) -> np.ndarray:
    return np.asarray((np.diff(np.sort(lines, axis=1), axis=1) != 0).sum(axis=1) + 1)


def _monotone(coarse: np.ndarray, fine: np.ndarray) -> bool:
    order = np.lexsort((coarse, fine), axis=-1)
    return bool((np.diff(np.take_along_axis(coarse, order, axis=1), axis=1) >= 0).all())


def _scaled(x: np.ndarray, y: np.ndarray, both: np.ndarray) -> tuple[str, float]:
    """Is x / y one number, or one a row, one a column, or a product of the two, up to rounding?"""
    x, y, both = x[:64], y[:64], both[:64]
    if both.mean() < 0.5 or np.sign(x[both]).dot(np.sign(y[both])) < 0.99 * both.sum():
        return "", 1.0
    logs = np.where(both, np.log(np.abs(x)) - np.log(np.abs(y)), np.nan)
    median = float(np.nanmedian(logs))
    allowed = 3.0 * max(2.0 ** -min(mantissa(x), mantissa(y)), 2e-6)
    if not np.isfinite(median) or np.nanmedian(np.abs(logs)) <= allowed:
        return "", math.exp(median) if np.isfinite(median) else 1.0
    rows = np.nanmedian(logs, axis=1, keepdims=True) if x.shape[1] > 8 else np.zeros((len(x), 1))
    columns = np.nanmedian(logs, axis=0, keepdims=True) if len(x) > 8 else np.zeros((1, x.shape[1]))
    cross = rows + np.nanmedian(logs - rows, axis=0, keepdims=True) if min(x.shape) > 8 else rows
    for kind, fit in (("tensor", median), ("rows", rows), ("columns", columns), ("rows and columns", cross)):
        # Tiny numbers round coarsely (denormals of F16): a few may stand out.
        if np.nanquantile(np.abs(logs - fit), 0.995) <= allowed:
            return kind, math.exp(median)
    return "", math.exp(median)


def _rank(delta: np.ndarray, x: np.ndarray) -> tuple[int | None, float]:
    """The rank of the difference above the rounding of ``x``, if at most a quarter of what could be seen."""
    power = np.linalg.eigvalsh(delta @ delta.T if len(delta) <= delta.shape[1] else delta.T @ delta)[::-1]
    total = float(power.sum())
    with np.errstate(all="ignore"):
        unit = np.where(x != 0, np.exp2(np.floor(np.log2(np.abs(x, dtype=np.float64))) - mantissa(x)), 0.0)
    noise = float((unit**2).sum() / 12)
    rest = total - np.cumsum(power)
    low = int(np.argmax(rest <= 1.3 * noise + 1e-9 * total)) + 1
    share = min(1.0, noise / total)
    return (low if share <= 0.25 and low <= len(power) / 4 else None), share
