"""The accountant: which (epsilon, delta) a training with clipped and noised gradients guarantees, as an upper bound.

The privacy loss of one step of the Poisson-subsampled Gaussian is put on a grid so that the result can only be worse
("connect the dots", Doroshenko et al. 2022, arXiv 2207.04380), and is convolved with itself by Fourier transforms
(Koskela et al. 2020, arXiv 1906.03049). Both directions are dominated by the pairs of Zhu et al. 2022 (arXiv
2106.08567). What falls off the grid, and what rounding may have lost, counts as delta.

One record replaced by another is dominated by two opposite gradients of full length, (1 − q) N(0, σ²) + q N(1, σ²)
and (1 − q) N(0, σ²) + q N(−1, σ²). For every ε, max(0, P − e^ε Q) is convex in the two likelihood ratios to N(0, σ²I)
and its mixed derivative is negative, so by Kahane's comparison of Gaussian exponentials its mean grows with the two
lengths and falls with the inner product of the gradients.
"""

import functools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from probatum.core.data import TrainingLog
from probatum.core.training_log import check_training_log
from probatum.statistics._arrays import Floats

#: Which two training sets are neighbors: one has a record more, or one record is another.
Relation = Literal["add-or-remove-one", "replace-one"]
RELATIONS: tuple[Relation, ...] = ("add-or-remove-one", "replace-one")
#: The pair of laws of one step: with the record against without it, the other way round, or with it against another.
Pair = Literal["remove", "add", "replace"]
_TAIL = 1e-16  # probability that may fall off a grid at each end
_FINE = 40  # points of the grid within one standard deviation of one step's loss, at least
_FINER = 160  # wished for
_LARGEST = 500.0  # a larger epsilon is as good as none
_BLOCKS = 4096  # into so many the grid is cut where only the ends of a window are looked for
_POINTS = 1 << 22
_ENOUGH = 1 << 16
_LN2 = math.log(2)


class Phase(NamedTuple):
    """A part of a training: noise over clip, the chance of a record to be in a batch, and the number of batches."""

    noise_multiplier: float
    sample_rate: float
    steps: int


class Curve(NamedTuple):
    """δ(ε) of one direction, ε >= 0: for every positive loss on the grid the mass at or above it, the same weighted by
    e^−loss, and what is lost for good."""

    losses: Floats
    above: Floats
    weighted: Floats
    lost: float

    def delta(self, epsilon: float) -> float:
        """δ at ``epsilon`` >= 0."""
        i = int(np.searchsorted(self.losses, epsilon, side="right"))
        rest = self.above[i] - math.exp(epsilon) * self.weighted[i] if i < len(self.losses) else 0.0
        return float(min(1.0, max(rest, 0.0) + self.lost))

    def epsilon(self, delta: float) -> float:
        """The smallest epsilon >= 0 at which δ is at most ``delta``; infinite where more than that is lost."""
        target = delta - self.lost
        if target <= 0:
            return math.inf
        # δ at every point, of the mass above it; 0 at the last
        there = np.append(self.above[1:] - np.exp(self.losses[:-1]) * self.weighted[1:], 0.0)
        i = int(np.argmax(there <= target))  # between this point and the one before δ falls as above − e^ε weighted
        if self.above[i] <= target:
            return float(self.losses[i - 1]) if i else 0.0
        return max(0.0, math.log((self.above[i] - target) / self.weighted[i]))


def phases_of(log: TrainingLog) -> list[Phase]:
    """Return the phases that a log tells of. Raises `BadInput` where a number cannot be one of a training."""
    check_training_log(log)
    columns = zip(log.noise_multiplier, log.sample_rate, log.steps, strict=True)
    return [Phase(float(sigma), float(q), int(float(steps))) for sigma, q, steps in columns]


@functools.lru_cache(maxsize=64)
def exact_curves(phases: tuple[Phase, ...], relation: Relation, fine: int = _FINER) -> tuple[Curve, Curve]:
    """Return δ(ε) of the training with the record against without it, and of the other direction.

    For replace-one the two are one curve, of the dominating pair itself and not through the set without the record.
    ``fine``: points of the grid within a standard deviation of one step's loss; fewer are faster and never too low.
    """
    whole_batches(phases)  # refuses what no training can be
    if relation == "replace-one":
        both = _composed(phases, "replace", fine)
        return both, both
    return _composed(phases, "remove", fine), _composed(phases, "add", fine)


def whole_batches(phases: Sequence[Phase]) -> float | None:
    """The mu of a training whose batches are the whole data, else None; what no training can be is refused."""
    if not phases:
        raise ValueError("an accountant needs at least one phase.")
    for sigma, q, steps in phases:
        if not (0 < sigma < math.inf and 0 < q <= 1 and steps >= 1 and steps == int(steps)):
            raise ValueError(f"expected noise > 0, a sample rate in (0, 1] and steps >= 1, got {sigma}, {q}, {steps}.")
    return math.sqrt(sum(p.steps / p.noise_multiplier**2 for p in phases)) if all(p[1] == 1 for p in phases) else None


def _composed(phases: tuple[Phase, ...], pair: Pair, fine: int) -> Curve:
    from scipy.fft import irfft, next_fast_len, rfft

    steps = np.array([p.steps for p in phases], dtype=np.float64)
    ends = [_range(p, float(steps.sum()), pair) for p in phases]
    coarse = [_step(p, end, (end[1] - end[0]) / 20_000, pair) for p, end in zip(phases, ends, strict=True)]
    variance = sum(t * max(mass @ x**2 - (mass @ x) ** 2, 0.0) for t, (x, mass, _) in zip(steps, coarse, strict=True))
    spread = math.sqrt(max(variance / steps.sum(), 1e-24))
    # Finer than `_FINE` only where that does not cost too many points.
    h = max(spread / fine, min(spread / _FINE, max(high - low for low, high in ends) / _ENOUGH))
    while True:
        h = max(h, *((high - low) / (_POINTS - 4) for low, high in ends))
        parts = [_step(p, end, h, pair) for p, end in zip(phases, ends, strict=True)]
        low, high = _window(parts, steps)
        size = max(math.ceil((high - low) / h) + 2, *(len(mass) for _, mass, _ in parts))
        if size <= _POINTS:
            break
        h *= 1.01 * size / _POINTS
    size = next_fast_len(size, real=True)
    product, start = np.ones(size // 2 + 1, dtype=np.complex128), 0
    for (x, mass, _), times in zip(parts, steps, strict=True):
        product *= rfft(mass, size) ** times
        start += int(times) * round(float(x[0]) / h)
    at = math.floor(low / h)
    # The transform is circular: what lies below the window comes in at its top, which is the safe side.
    mass = np.maximum(np.roll(irfft(product, size), (start - at) % size), 0.0)
    losses = (at + np.arange(size)) * h
    inside = (losses > 0) & (losses <= _LARGEST)
    kept = math.exp(sum(t * math.log1p(-lost) for t, (_, _, lost) in zip(steps, parts, strict=True)))
    # Rounding grows with the powers of the transform; 1e-15 a step is several times what was measured.
    lost = 1 - kept + _TAIL + 1e-15 * (1000 + float(steps.sum())) + float(mass[losses > _LARGEST].sum())
    losses, mass = losses[inside], mass[inside]
    if not len(losses):
        return Curve(np.array([h]), np.zeros(1), np.ones(1), lost)
    weighted = np.cumsum((mass * np.exp(-losses))[::-1])[::-1]
    return Curve(losses, np.cumsum(mass[::-1])[::-1], weighted, lost)


def loss_at(phase: Phase, x: Floats, pair: Pair) -> Floats:
    """Return the loss log(own law / other law) of one step where its noisy sum is ``x`` clips."""
    sigma, q, _ = phase
    with np.errstate(divide="ignore"):  # log of ((1 − q) N(0, σ²) + q N(1, σ²)) over N(0, σ²) at x
        there: Floats = np.logaddexp(np.log1p(-q), math.log(q) + (x - 0.5) / sigma**2)
        if pair == "replace":
            there = there - np.logaddexp(np.log1p(-q), math.log(q) + (-x - 0.5) / sigma**2)
    return -there if pair == "add" else there


def _range(phase: Phase, steps: float, pair: Pair) -> tuple[float, float]:
    """Between which losses one step lies but for a chance of `_TAIL` over the whole training."""
    from scipy.special import ndtri

    z = -float(ndtri(_TAIL / steps)) * phase.noise_multiplier
    low, high = loss_at(phase, np.array([z, -z] if pair == "add" else [-z, 1 + z]), pair)
    return float(low), float(high)


def _place(phase: Phase, losses: Floats, pair: Pair) -> Floats:
    """Where on the line, in clips, the loss is this one: the inverse of `loss_at`."""
    sigma, q, _ = phase
    if pair == "replace":  # x = σ² (l / 2 + asinh((1 − q) sinh(l / 2) / (q e^(−1 / 2σ²)))), in logarithms
        half = np.abs(losses) / 2
        with np.errstate(divide="ignore", over="ignore"):
            y = np.log1p(-q) - math.log(q) + 0.5 / sigma**2 + np.where(half > 30, half - _LN2, np.log(np.sinh(half)))
            x = np.where(y > 30, y + _LN2, np.arcsinh(np.exp(np.minimum(y, 30))))
        place: Floats = np.sign(losses) * sigma**2 * (half + x)
        return place
    ratio = -losses if pair == "add" else losses
    with np.errstate(divide="ignore", over="ignore"):
        excess: Floats = np.where(ratio > 30, ratio, np.log(np.maximum(np.expm1(np.minimum(ratio, 30)) + q, 0.0)))
    return (excess - math.log(q)) * sigma**2 + 0.5


def _step(phase: Phase, ends: tuple[float, float], h: float, pair: Pair) -> tuple[Floats, Floats, float]:
    """Losses on the grid, their mass under the first law, and the mass above the grid.

    The mass between two points goes to both so that neither law loses any: a spread of the likelihood ratio that keeps
    its mean, so every δ(ε) can only grow. What lies below the grid goes to its first point.
    """
    sigma, q, _ = phase
    losses: Floats = np.arange(math.floor(ends[0] / h), math.ceil(ends[1] / h) + 1).astype(np.float64) * h
    place = _place(phase, losses, pair)
    plain, there = _masses(place / sigma), _masses((place - 1) / sigma)
    own = (1 - q) * plain + q * there
    other = (1 - q) * plain + q * _masses((place + 1) / sigma) if pair == "replace" else plain
    if pair == "add":
        own, other = other[::-1], own[::-1]  # the loss falls along the line
    middle: Floats = own[1:-1]
    upper: Floats = np.clip((middle - other[1:-1] * np.exp(losses[:-1])) / -math.expm1(-h), 0.0, middle)
    mass: Floats = np.append(own[0], upper)
    mass[:-1] += middle - upper
    return losses, mass, float(own[-1])


def _masses(z: Floats) -> Floats:
    """Of the standard normal below, between and above the points, in order of the line; exact in both tails."""
    from scipy.special import ndtr

    z = np.sort(z)
    below, above = ndtr(z), ndtr(-z)
    between = np.where(z[1:] > 0, above[:-1] - above[1:], below[1:] - below[:-1])
    masses: Floats = np.concatenate([below[:1], between, above[-1:]])
    return masses


def _window(parts: Sequence[tuple[Floats, Floats, float]], steps: Floats) -> tuple[float, float]:
    """Between which losses the sum of all steps lies but for a chance of `_TAIL` on each side (Chernoff's bound)."""
    variance = sum(t * max(m @ x**2 - (m @ x) ** 2, 1e-24) for t, (x, m, _) in zip(steps, parts, strict=True))
    tilt = np.geomspace(0.05, 200, 24) / math.sqrt(variance)
    ends = []
    for side in (-1.0, 1.0):
        growth = sum(t * _growth(side * x, m, tilt) for t, (x, m, _) in zip(steps, parts, strict=True))
        ends.append(side * float(((growth - math.log(_TAIL)) / tilt).min()))
    return ends[0], ends[1]


def _growth(x: Floats, mass: Floats, tilt: Floats) -> Floats:
    """The logarithm of Σ mass e^(tilt x) for each tilt, and not less: a block of points counts as its largest."""
    starts = np.arange(0, len(x), -(-len(x) // _BLOCKS))
    x, mass = np.maximum.reduceat(x, starts), np.add.reduceat(mass, starts)
    top = x[mass > 0].max()
    found = [k * top + math.log(float(np.exp(np.minimum(k * (x - top), 0.0)) @ mass)) for k in tilt]
    return np.array(found)
