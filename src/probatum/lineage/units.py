"""Hidden units: where they lie in a file, how their weights are read, and which of another model's they answer to."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.files.tensors import Weights

#: First and last matrix of an MLP, in the names that common architectures give them.
_MLP = (
    ("mlp.gate_proj", "mlp.down_proj"), ("mlp.up_proj", "mlp.down_proj"), ("mlp.gate_up_proj", "mlp.down_proj"),
    ("mlp.c_fc", "mlp.c_proj"), ("mlp.dense_h_to_4h", "mlp.dense_4h_to_h"), ("mlp.fc_in", "mlp.fc_out"),
    ("mlp.fc1", "mlp.fc2"), (".fc1", ".fc2"), (".w1", ".w2"), ("intermediate.dense", "output.dense"),
    (".wi_0", ".wo"), (".wi", ".wo"),
)  # fmt: skip
_LAST = {first.lstrip("."): last.lstrip(".") for first, last in _MLP}
FIRST = re.compile("(" + "|".join(("" if f[0] != "." else r"(?<=\.)") + re.escape(f.lstrip(".")) for f, _ in _MLP)
                   + r")\.weight$")  # fmt: skip


@dataclass(frozen=True)
class Hidden:
    """A layer of hidden units: its inward matrix has a unit along ``axis``, its outward matrix along the other."""

    inward: str
    outward: str
    axis: int
    units: int
    mlp: bool  #: an MLP of a known architecture: its units can be reordered without touching another layer's


def hidden_layers(shapes: Mapping[str, Sequence[int]]) -> list[Hidden]:
    """The MLPs of a transformer; else matrices that follow one another, each taking in what the one before gives."""
    found = []
    for name in one_a_layer(shapes):
        shape = shapes[name]
        match = FIRST.search(name)
        last = name[: match.start()] + _LAST[match[1]] + ".weight" if match else ""
        if len(shape) == 2 and min(shape) > 1:
            axis = 0 if shape[0] >= shape[1] else 1  # GPT-2 stores the transpose; the hidden side is the longer one
            units = shape[axis] // (2 if "gate_up_proj" in name else 1)  # gate and up of one unit: counted once
            outward = last if last in shapes and units in shapes[last] and len(shapes[last]) == 2 else ""
            found.append(Hidden(name, outward, axis, units, True))
    return found or _chain(shapes)


def one_a_layer(names: Mapping[str, Sequence[int]] | Sequence[str]) -> list[str]:
    """Gate and up projection share their hidden units: counting both would count one assignment twice."""
    first: dict[str, str] = {}
    for name in names:
        if found := FIRST.search(name):
            layer = name[: found.start()]
            first[layer] = min(name, first.get(layer, name))
    return list(first.values())


def _chain(shapes: Mapping[str, Sequence[int]]) -> list[Hidden]:
    """Matrices and filters in the order of their names; the last one's outputs are classes, not hidden units."""
    names = sorted((n for n, s in shapes.items() if len(s) >= 2), key=_natural)
    out = []
    for name, after in itertools.pairwise(names):
        n = shapes[name][0]
        flattened = len(shapes[name]) > 2 and len(shapes[after]) == 2 and shapes[after][1] % max(n, 1) == 0
        if n > 1 and (shapes[after][1] == n or flattened):
            out.append(Hidden(name, after, 0, n, False))
    return out


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def inward(weights: Weights, layer: Hidden, units: np.ndarray, features: np.ndarray | None = None) -> np.ndarray:
    """What the units take in: [units, features], all features unless some are named."""
    if layer.axis == 0:
        read = _read(weights, layer.inward, units).reshape(len(units), -1)
        return read if features is None else read[:, features]
    every = np.arange(weights.shapes[layer.inward][0]) if features is None else features
    return _read(weights, layer.inward, every)[:, units].T


def outward(weights: Weights, layer: Hidden, units: np.ndarray, features: np.ndarray) -> np.ndarray:
    """What the units give out: [units, features]; a feature is a row of a Linear, a column of GPT-2's transpose."""
    shape = weights.shapes[layer.outward]
    if layer.mlp and layer.axis == 1:
        return _read(weights, layer.outward, units)[:, features]
    read = _read(weights, layer.outward, features).reshape(len(features), layer.units, -1)
    return read[:, units].transpose(1, 0, 2).reshape(len(units), len(features) * (math.prod(shape[1:]) // layer.units))


def outward_features(weights: Weights, layer: Hidden) -> int:
    """How many features ``outward`` can be asked for."""
    shape = weights.shapes[layer.outward]
    return int(shape[1] if layer.mlp and layer.axis == 1 else shape[0])


def assign(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The best one-to-one assignment by cosine: (row of ``b`` for every row of ``a``, cosine); -1 for a row of zeros.

    ``b`` is shuffled first: where several assignments are equally good, none is preferred for keeping the order.
    """
    from scipy.optimize import linear_sum_assignment

    own, other = _unit(a), _unit(b)
    left = np.flatnonzero(own.any(axis=1))
    right = rng.permutation(np.flatnonzero(other.any(axis=1)))
    to, cosine = np.full(len(a), -1), np.zeros(len(a))
    if len(left) and len(right):
        table = own[left] @ other[right].T
        rows, columns = linear_sum_assignment(table, maximize=True)
        to[left[rows]], cosine[left[rows]] = right[columns], table[rows, columns]
    return to, cosine


def kept(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> tuple[int, float, int]:
    """How many rows the best assignment leaves in place; the median cosine of rows of one place; how many rows count.

    Rows that are zeros or not finite in one of the models do not count.

    Under independence the count is that of the fixed points of a random permutation: Poisson with mean 1.
    """
    alive = _unit(a).any(axis=1) & _unit(b).any(axis=1)
    if not alive.any():
        return 0, math.nan, 0
    a, b = a[alive], b[alive]
    to, _ = assign(a, b, rng)
    return int((to == np.arange(len(a))).sum()), float(np.median((_unit(a) * _unit(b)).sum(axis=1))), len(a)


def _read(weights: Weights, name: str, rows: np.ndarray) -> np.ndarray:
    return np.asarray(weights.rows(name, rows), np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row that is not finite is a row of zeros."""
    with np.errstate(all="ignore"):
        rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0).astype(np.float64)
        norm = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.where(norm > 0, rows / np.where(norm > 0, norm, 1.0), 0.0)
