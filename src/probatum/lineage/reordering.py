"""Units that were put in another order: found by what they take in, and checked by what they give out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from probatum.core.draws import keyed
from probatum.lineage.drawing import rows_of
from probatum.lineage.model import Model
from probatum.lineage.names import EMBEDDING, Named
from probatum.lineage.units import Hidden, _unit, inward, outward, outward_features
from probatum.statistics.tests import poisson_tail

LAYERS, UNITS, FEATURES, CHUNK = 4, 256, 256, 1024
#: Independent models have a few units alike (1 to 5 % of GPT-2's between seeds, arXiv 2401.12181).
LEAST_SHARE = 1 / 3


@dataclass(frozen=True)
class Reordering:
    """Units of ``a`` and their partners in ``b``, by the inward matrix of a's layer; dimensions likewise."""

    units: dict[str, tuple[np.ndarray, np.ndarray]]
    dimensions: tuple[np.ndarray, np.ndarray] | None
    layers: int
    sampled: int
    agree: int
    moved: int  #: units of those that agree which stand elsewhere
    p_value: float
    cosine: float

    @property
    def elsewhere(self) -> bool:
        """Does anything stand in another place at all?"""
        return bool(self.moved) or (
            self.dimensions is not None and bool((self.dimensions[0] != self.dimensions[1]).any())
        )


def reordered_units(
    a: Model, b: Model, pairs: list[tuple[Hidden, Hidden]], dims: tuple[np.ndarray, np.ndarray] | None
) -> Reordering | None:
    """Match some units of a few layers with all of the other's, twice: by inward and by outward weights.

    In a pair of strangers the two assignments have nothing to do with each other, and at most one unit a layer agrees
    by chance. A share below ``LEAST_SHARE`` is no evidence whatever its p-value.
    """
    pairs = [(x, y) for x, y in pairs if x.outward and y.outward and x.units >= 4]
    if not pairs:
        return None
    picked = [pairs[i] for i in sorted({round(k) for k in np.linspace(0, len(pairs) - 1, LAYERS)})]
    units, agree, moved, sampled, cosines, counts = {}, 0, 0, 0, [], []
    for x, y in picked:
        chosen = rows_of(x.units, UNITS, "reordered", x.inward)
        own_dims, other_dims = dims if dims is not None else (None, None)
        first, cosine = _search(
            inward(a.weights, x, chosen, own_dims),
            partial(inward, b.weights, y, features=other_dims),
            y.units,
            keyed("ties", x.inward),
        )
        width = outward_features(a.weights, x)
        some = rows_of(width, FEATURES, "features", x.inward)
        if dims is not None and max(dims[0].max(), dims[1].max()) < width:
            some, others = dims
        else:
            others = some
        second, _ = _search(
            outward(a.weights, x, chosen, some),
            partial(outward, b.weights, y, features=others),
            y.units,
            keyed("ties", x.outward),
        )
        same = (first == second) & (first >= 0)
        units[x.inward] = (chosen[same], first[same])
        moved += int((chosen[same] != first[same]).sum())
        counts.append(int(same.sum()))
        sampled += int((first >= 0).sum())
        cosines += list(cosine[same])
    agree = sum(counts)
    if all(x.mlp for x, _ in picked):
        p = poisson_tail(agree, float(len(picked))).value
    else:
        p = min(1.0, len(picked) * poisson_tail(max(counts), 1.0).value)
    if agree < LEAST_SHARE * sampled:
        p = 1.0
    return Reordering(units, dims, len(picked), sampled, agree, moved, p, float(np.median(cosines or [np.nan])))


def reordered_dimensions(a: Model, b: Model, named: Named) -> tuple[np.ndarray, np.ndarray] | None:
    """Where some dimensions of a's embedding stand in b's; None unless they are found there all but equal."""
    for name in named.shared:
        x, y = named.a[name], named.b[name]
        if not EMBEDDING.search(name) or a.shapes[x][1:] != b.shapes[y][1:] or len(a.shapes[x]) != 2:
            continue
        tokens = rows_of(min(a.shapes[x][0], b.shapes[y][0]), 512, "tokens")
        left, right = (np.asarray(m.weights.rows(n, tokens), np.float32) for m, n in ((a, x), (b, y)))
        dims = np.sort(keyed("reordered").permutation(left.shape[1])[:FEATURES])
        to, cosine = _search(left.T[dims], right.T.__getitem__, right.shape[1], keyed("ties", name))
        good = (to >= 0) & (cosine >= 0.9)
        if good.sum() >= max(8, len(dims) / 2):
            return dims[good], to[good]
    return None


def _search(
    own: np.ndarray, read: Callable[[np.ndarray], np.ndarray], total: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The best assignment of a few rows to all rows of the other model, which are read in chunks."""
    own = _unit(own).astype(np.float32)
    table = np.empty((len(own), total), np.float32)
    for start in range(0, total, CHUNK):
        stop = min(start + CHUNK, total)
        table[:, start:stop] = own @ _unit(read(np.arange(start, stop))).astype(np.float32).T
    return _assigned(table, rng)


def _assigned(table: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    order = rng.permutation(table.shape[1])
    rows, columns = linear_sum_assignment(table[:, order], maximize=True)
    to, cosine = np.full(len(table), -1), np.zeros(len(table))
    to[rows], cosine[rows] = order[columns], table[rows, order[columns]]
    to[~table.any(axis=1)] = -1
    return to, cosine
