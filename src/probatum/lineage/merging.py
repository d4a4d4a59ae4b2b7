"""Is a model a linear merge of two others? Least squares on sampled rows; the second parent by a permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.core.draws import keyed
from probatum.lineage.blocks import Block, aligned
from probatum.lineage.facts import mantissa
from probatum.lineage.model import Model
from probatum.lineage.names import Named, common_names, partners
from probatum.lineage.units import FIRST, hidden_layers

ROUNDS = 1999
ROWS = 128


@dataclass(frozen=True)
class Mix:
    """``a`` ≈ first · b + second · other: coefficients over all tensors, and their spread from tensor to tensor."""

    other: str
    first: float
    second: float
    spread: tuple[float, float]
    left: float  #: ‖a − fit‖ / ‖a − b‖, beyond what rounding explains
    p_value: float  #: of "the other has nothing to do with a", by putting its units in other orders
    merged: bool


def mix(a: Model, b: Model, other: Model, named: Named, *, level: float) -> Mix:
    """Fit every tensor that all three have; each has its own coefficients, as spherical merges give them."""
    second = common_names(a.shapes, other.shapes)
    third = dict(partners(a.shapes, other.shapes, second).values())
    hidden = {h.inward for h in hidden_layers(a.shapes) if h.axis == 0}
    sums, betas, alphas, weights = np.zeros(3), [], [], []
    gains, shuffled = 0.0, np.zeros(ROUNDS)
    for name, (own, theirs) in partners(a.shapes, b.shapes, named).items():
        if own not in third or len(a.shapes[own]) < 2:
            continue
        left, right = aligned(a, b, name, own, theirs), aligned(a, other, name, own, third[own])
        if left is None or right is None or left.x.shape != right.x.shape:
            continue
        fit = _fit(left, right)
        if fit is None:
            continue
        alpha, beta, left_over, distance, noise = fit
        sums += (left_over, distance, noise)
        alphas.append(alpha)
        betas.append(beta)
        weights.append(distance)
        if own in hidden or FIRST.search(own):
            gain, draws = _shuffles(left, right, name)
            gains += gain
            shuffled += draws
    if not betas or not sum(weights):
        return Mix(other.name, 1.0, 0.0, (0.0, 0.0), 1.0, 1.0, False)
    rest = float(np.sqrt(max(0.0, sums[0] - 1.5 * sums[2]) / sums[1]))
    p = float(((shuffled >= gains).sum() + 1) / (ROUNDS + 1)) if gains else 1.0
    first, beta = float(np.average(alphas, weights=weights)), float(np.average(betas, weights=weights))
    spread = (float(np.quantile(betas, 0.05)), float(np.quantile(betas, 0.95)))
    return Mix(other.name, first, beta, spread, rest, p, p <= max(level, 1 / (ROUNDS + 1)) and rest <= 0.1)


def _fit(left: Block, right: Block) -> tuple[float, float, float, float, float] | None:
    """(coefficient of b, of the other, squares left, squares of a − b, squares that rounding makes)."""
    x, y, z = (v.ravel().astype(np.float64) for v in (left.x, left.y, right.y))
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(z).all()):
        return None
    distance = float(((x - y) ** 2).sum())
    gram = np.array([[y @ y, y @ z], [y @ z, z @ z]])
    if distance == 0 or np.linalg.cond(gram) > 1e12:
        return None
    alpha, beta = np.linalg.solve(gram, np.array([y @ x, z @ x]))
    unit = np.where(x != 0, np.exp2(np.floor(np.log2(np.abs(np.where(x != 0, x, 1.0)))) - mantissa(left.x)), 0.0)
    return (
        float(alpha),
        float(beta),
        float(((x - alpha * y - beta * z) ** 2).sum()),
        distance,
        float((unit**2).sum()) / 12,
    )


def _shuffles(left: Block, right: Block, name: str) -> tuple[float, np.ndarray]:
    """What the other explains of a beyond b, and the same for its units in random orders.

    Were it a stranger, its units would stand in random order, and its own would be one like the others.
    """
    x, y, z = (v[:ROWS].astype(np.float64) for v in (left.x, left.y, right.y))
    residual = x - y * ((x * y).sum() / max((y * y).sum(), 1e-300))
    table, overlap = residual @ z.T, y @ z.T
    norm, own = (z * z).sum(), max((y * y).sum(), 1e-300)
    rng, n = keyed("merge", name), len(x)
    orders = np.vstack([np.arange(n), *(rng.permutation(n) for _ in range(ROUNDS))])
    hits = table[np.arange(n), orders].sum(axis=1)
    free = np.maximum(norm - overlap[np.arange(n), orders].sum(axis=1) ** 2 / own, 1e-300)
    gains = hits**2 / free
    return float(gains[0]), gains[1:]
