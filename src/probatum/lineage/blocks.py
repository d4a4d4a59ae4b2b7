"""The same part of the same tensor in two models, laid side by side: some rows, drawn by the tensor's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from probatum.lineage.descent import Descent, hidden_pairs
from probatum.lineage.drawing import rows_of
from probatum.lineage.model import Model
from probatum.lineage.names import EMBEDDING, TOKENS, Named, partners
from probatum.lineage.units import inward, outward, outward_features

ROWS = 256  #: rows of a matrix that are read; a rank up to a quarter of it can be told
ENTRIES = 1 << 21  #: and at most this many numbers


@dataclass(frozen=True)
class Rounding:
    """How one side was quantized: its scheme, and how far below and above each number its rounding cell reaches.

    ``exact``: the scheme's own tool rounds to the nearest value; else it may compensate errors or scale columns.
    """

    scheme: str
    exact: bool
    below: np.ndarray
    above: np.ndarray


@dataclass(frozen=True)
class Block:
    """``x`` of the first and ``y`` of the second model, [rows, columns], float32."""

    name: str
    own: str
    other: str
    shape: tuple[int, ...]
    x: np.ndarray
    y: np.ndarray
    tokens: bool
    vector: bool
    grids: tuple[Rounding | None, Rounding | None] = (None, None)


def blocks(a: Model, b: Model, named: Named, found: Descent) -> Iterator[Block]:
    """All tensors that can be laid side by side, in the order of ``a``; scalars and whole numbers are left out."""
    if found.reordering is None:
        for name, (own, other) in partners(a.shapes, b.shapes, named, found.layers).items():
            if (block := aligned(a, b, name, own, other)) is not None:
                yield block
        return
    order = found.reordering
    if order.dimensions is None:
        mlp = _mlp_names(a)
        for name, (own, other) in partners(a.shapes, b.shapes, named, found.layers).items():
            if own not in mlp and (block := aligned(a, b, name, own, other)) is not None:
                yield block
    yield from _reordered(a, b, named, found)


def aligned(a: Model, b: Model, name: str, own: str, other: str) -> Block | None:
    """The drawn rows of one tensor; None where there is nothing to compare."""
    shape, theirs = a.shapes[own], b.shapes[other]
    rows = min(shape[0], theirs[0]) if shape else 0
    width = int(np.prod(shape[1:], dtype=np.int64)) if shape else 0
    if rows == 0 or width == 0 or a.whole(own) or b.whole(other):
        return None
    if len(shape) == 1:
        chosen = np.arange(min(rows, ENTRIES))
    else:
        chosen = rows_of(rows, max(1, min(ROWS, ENTRIES // width)), "rows", name)
    x, y = (np.asarray(m.weights.rows(n, chosen), np.float32) for m, n in ((a, own), (b, other)))
    flat = (1, -1) if len(shape) == 1 else (len(chosen), -1)
    tokens = bool(TOKENS.search(name))
    grids = _rounding(a, own, chosen), _rounding(b, other, chosen)
    return Block(name, own, other, shape, x.reshape(flat), y.reshape(flat), tokens, len(shape) == 1, grids)


def _rounding(model: Model, name: str, rows: np.ndarray) -> Rounding | None:
    cells = model.weights.cells(name, rows) if model.quantized(name) else None
    return Rounding(model.weights.stored(name), model.weights.exact(name), *cells) if cells else None


def _mlp_names(model: Model) -> set[str]:
    """Names of all tensors of MLPs: their units have another order, so their rows are not laid side by side."""
    from probatum.lineage.units import FIRST, hidden_layers

    stems = tuple(n[: m.start()] for n in model.shapes if (m := FIRST.search(n)))
    inside = {h.outward for h in hidden_layers(model.shapes)} | {n for n in model.shapes if FIRST.search(n)}
    return inside | {n for n in model.shapes if any(n.startswith(s + "mlp.") for s in stems)} | {
        n.rpartition(".")[0] + ".bias" for n in inside
    }  # fmt: skip


def _reordered(a: Model, b: Model, named: Named, found: Descent) -> Iterator[Block]:
    """Of the MLPs that were matched: their units beside their partners; of an embedding its matched dimensions."""
    order = found.reordering
    assert order is not None
    common = {n: c for c, n in named.a.items()}
    mine, theirs = order.dimensions if order.dimensions is not None else (None, None)
    for x, y in hidden_pairs(a, b, named, found.layers):
        if x.inward not in order.units or not len(order.units[x.inward][0]):
            continue
        own, other = order.units[x.inward]
        left, right = inward(a.weights, x, own, mine), inward(b.weights, y, other, theirs)
        yield Block(common[x.inward], x.inward, y.inward, left.shape, left, right, False, False)
        width = outward_features(a.weights, x)
        if mine is not None and theirs is not None and max(mine.max(), theirs.max()) < width:
            some, others = mine, theirs
        else:
            some = others = rows_of(width, ROWS, "features", x.inward)
        left, right = outward(a.weights, x, own, some), outward(b.weights, y, other, others)
        yield Block(common[x.outward], x.outward, y.outward, left.shape, left, right, False, False)
    for name in named.shared if mine is not None else ():
        if EMBEDDING.search(name):
            rows = np.arange(min(ROWS, a.shapes[named.a[name]][0], b.shapes[named.b[name]][0]))
            left = np.asarray(a.weights.rows(named.a[name], rows), np.float32)[:, mine]
            right = np.asarray(b.weights.rows(named.b[name], rows), np.float32)[:, theirs]
            yield Block(name, named.a[name], named.b[name], left.shape, left, right, True, False)
