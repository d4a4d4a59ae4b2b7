"""Check what comes in once, so that every other file can be only its formula."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def sample(values: ArrayLike, name: str, *, least: int = 1) -> Floats:
    """Return ``values`` as a float array (n,) without NaN, n >= ``least``; infinities may be ranked."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}.")
    if len(array) < least:
        raise ValueError(f"{name} must hold at least {least} value{'s' * (least > 1)}, got {len(array)}.")
    if np.isnan(array).any():
        raise ValueError(f"{name} must not hold NaN, got {int(np.isnan(array).sum())}; drop unscored records first.")
    return array


def finite(values: ArrayLike, name: str, *, least: int = 1) -> Floats:
    """Like ``sample``, for statistics that add the values up: infinities are refused too."""
    array = sample(values, name, least=least)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {int(np.isinf(array).sum())} infinite values.")
    return array


def fraction(value: float, name: str) -> float:
    """Return ``value`` if it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}.")
    return float(value)


def codes(labels: ArrayLike | Sequence[Any] | None, n: int, name: str = "clusters") -> Codes:
    """Number the units 0..C-1 in the order of their sorted labels; without labels every record is a unit."""
    if labels is None:
        return np.arange(n)
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ValueError(f"{name} must hold one label per record ({n}), got shape {array.shape}.")
    numbers: Codes = np.unique(array, return_inverse=True)[1].astype(np.intp)
    return numbers


def pair_codes(clusters: tuple[ArrayLike, ArrayLike] | None, m: int, n: int) -> tuple[Codes, Codes]:
    """Number the units of two samples together: the same label in both is the same unit."""
    if clusters is None:
        return np.arange(m), np.arange(m, m + n)
    if len(clusters) != 2:
        raise ValueError("clusters must be a pair: labels of the positives, labels of the negatives.")
    first, second = np.asarray(clusters[0]), np.asarray(clusters[1])
    if first.shape != (m,) or second.shape != (n,):
        raise ValueError(f"clusters must hold {m} and {n} labels, got shapes {first.shape} and {second.shape}.")
    together = codes(np.concatenate([first, second]), m + n)
    return together[:m], together[m:]
