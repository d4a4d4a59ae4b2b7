"""The detection limit: the smallest planted dose that a probe finds with given power.

A record counts as detected when it scores above the upper (1 - alpha) quantile of the blanks (Currie 1968:
the critical level). Detection against dose follows logit P = a + b log2(dose), b >= 0, fitted with Jeffreys'
penalty (Firth 1993), which is finite even when one dose separates all from none. The limit is the dose at P =
power.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Floats, finite, fraction, sample
from probatum.statistics.intervals import clopper_pearson, clopper_pearson_limits

Status = Literal["established", "below lowest dose", "above highest dose", "not established"]
RECORDS = 12  # fewer records, over all doses, establish nothing
TREND = 0.05  # a rise that chance explains this often is called flat


class Rate(NamedTuple):
    """Records detected at one dose, with the Clopper-Pearson limits of the rate."""

    dose: float
    detected: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DetectionLimit:
    """The detection limit, its limits, its status and the dose-response behind it.

    Outside the tested doses ``value`` is the end of their range, as ``status`` says; limits are clipped to
    the range, so one that equals an end reads "or beyond". All three are NaN when nothing is established, and
    ``reason`` says why.
    """

    value: float
    low: float
    high: float
    status: Status
    threshold: float
    n: int
    rates: list[Rate]
    level: float
    power: float
    reason: str = ""


def detection_limit(
    dose: ArrayLike,
    score: ArrayLike,
    blanks: ArrayLike,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    rng: np.random.Generator,
    draws: int = 400,
    level: float = 0.95,
) -> DetectionLimit:
    """Estimate the dose at which a share ``power`` of records is detected at false-alarm rate ``alpha``.

    Parameters
    ----------
    dose, score
        Planted records, shape (n,) each; doses are positive (dose 0 belongs to ``blanks``), high scores
        detect.
    blanks
        Scores of records that were never planted, shape (b,); at least ceil(1/alpha) of them.
    draws
        Bootstrap samples over the records within each dose and over the blanks.

    Notes
    -----
    A rate of 0 or 1 resamples to itself, so the bootstrap alone is too sure where one dose separates all from
    none. Where fewer than two doses show a partial response, the slope rests on the logistic form alone, and the
    interval is widened to the tested doses on either side of the limit.
    """
    fraction(power, "power"), fraction(alpha, "alpha"), fraction(level, "level")
    d, s = finite(dose, "dose", least=0), sample(score, "score", least=0)
    blank = np.sort(sample(blanks, "blanks", least=0))
    if len(d) != len(s):
        raise ValueError(f"dose and score must have the same length, got {len(d)} and {len(s)}.")
    if (d <= 0).any():
        raise ValueError("every dose must be positive; records of dose 0 belong to the blanks.")

    nothing = float("nan")
    threshold = float(np.quantile(blank, 1 - alpha, method="higher")) if len(blank) else nothing
    doses, index = np.unique(d, return_inverse=True)
    scores = [np.sort(s[index == i]) for i in range(len(doses))]
    n = np.array([len(x) for x in scores], dtype=np.float64)
    hits = np.array([(x > threshold).sum() for x in scores], dtype=np.float64)
    rates = []
    if len(blank) and len(d):
        lows, highs = clopper_pearson_limits(hits, n, level=level)
        rates = [
            Rate(float(a), int(k), int(c), float(lo), float(hi))
            for a, k, c, lo, hi in zip(doses, hits, n, lows, highs, strict=True)
        ]

    def answer(status: Status, value: float, low: float, high: float, reason: str = "") -> DetectionLimit:
        return DetectionLimit(value, low, high, status, threshold, len(d), rates, level, power, reason)

    def not_established(reason: str) -> DetectionLimit:
        return answer("not established", nothing, nothing, nothing, reason)

    if len(blank) < ceil(1 / alpha - 1e-9):
        return not_established(f"{len(blank)} blanks, where alpha = {alpha} needs {ceil(1 / alpha - 1e-9)}")
    if len(d) < RECORDS or len(doses) < 2:
        return not_established(f"{len(d)} records at {len(doses)} doses, where {RECORDS} at 2 are needed")

    z = _trend(doses, hits, n)
    if z < -_critical():
        return not_established("detection falls as the dose rises")
    limit = float(_limit(doses, hits[None], n, power)[0])
    # The order statistic of a resample of the blanks is the blank at a beta-distributed place.
    place = ceil((len(blank) - 1) * (1 - alpha) - 1e-9)
    places = rng.beta(place + 1, len(blank) - place, draws) * len(blank)
    thresholds = blank[places.astype(np.intp).clip(0, len(blank) - 1)]
    above = np.column_stack([len(x) - np.searchsorted(x, thresholds, side="right") for x in scores])
    resampled = rng.binomial(n.astype(np.int64), above / n).astype(np.float64)
    limits = _limit(doses, resampled, n, power)
    # "lower" and "higher": a limit may be infinite, and infinities must not be averaged
    ends = (
        np.quantile(limits, (1 - level) / 2, method="lower"),
        np.quantile(limits, (1 + level) / 2, method="higher"),
    )
    low, high = (float(np.clip(end, doses[0], doses[-1])) for end in ends)

    if limit <= doses[0]:
        return answer("below lowest dose", float(doses[0]), float(doses[0]), high)
    if limit > doses[-1]:
        if z > _critical() or rates[-1].high < power:
            return answer("above highest dose", float(doses[-1]), low, float(doses[-1]))
        return not_established("detection does not rise with the dose")
    if z <= _critical():
        if (hits >= power * n).all():  # nothing is left to rise
            return answer("below lowest dose", float(doses[0]), float(doses[0]), high)
        return not_established("detection does not rise with the dose")
    beyond = doses >= limit
    plateau = clopper_pearson(int(hits[beyond].sum()), int(n[beyond].sum()), level=level)
    if plateau.high < power:
        return not_established(f"detection levels off at {plateau.value:.2f}, below the power asked for")
    if ((hits > 0.1 * n) & (hits < 0.9 * n)).sum() < 2:
        # nearly none at one dose and nearly all at the next: where between them it turned, nobody has seen
        low, high = min(low, float(doses[doses < limit][-1])), max(high, float(doses[beyond][0]))
    return answer("established", limit, min(low, limit), max(high, limit))


def _critical() -> float:
    from scipy.special import ndtri

    return float(ndtri(1 - TREND))


def _trend(doses: Floats, hits: Floats, n: Floats) -> float:
    """Return the Cochran-Armitage z for a rise of the rates with log2(dose); 0 where all or none are detected."""
    x, total, rate = np.log2(doses), n.sum(), hits.sum() / n.sum()
    spread = rate * (1 - rate) * (n @ (x - n @ x / total) ** 2) * total / (total - 1)
    return float(x @ (hits - n * rate) / spread**0.5) if spread > 0 else 0.0


def _limit(doses: Floats, hits: Floats, n: Floats, power: float) -> Floats:
    """Return the dose at P = power per row of ``hits``, shape (b, doses); 0 or inf where a flat fit has none."""
    x = np.log2(doses)
    center, scale = float(x.mean()), float(x.std())
    a, b = _fit((x - center) / scale, hits, n)
    flat = b <= 1e-6
    pooled = (hits.sum(axis=1) + 0.5) / (n.sum() + 1)  # Jeffreys' estimate of a slope of 0
    target = np.log(power / (1 - power))
    exponent = np.clip((target - a) / np.where(flat, 1.0, b) * scale + center, -1000, 1000)
    limits: Floats = np.where(flat, np.where(pooled >= power, 0.0, np.inf), 2.0**exponent)
    return limits


def _fit(x: Floats, hits: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Fit logit P = a + b x to each row of ``hits``, shape (b, doses), by Newton on Firth's score.

    U = sum_i x_i (k_i - n_i p_i + h_i (1/2 - p_i)), with h the leverages of the weights n p (1 - p).
    """
    a, b = np.zeros(len(hits)), np.zeros(len(hits))
    for _ in range(100):
        p = 1 / (1 + np.exp(-(a[:, None] + b[:, None] * x)))
        w = n * p * (1 - p)
        i00, i01, i11 = w.sum(axis=1), w @ x, w @ x**2
        det = np.maximum(i00 * i11 - i01**2, 1e-12)
        h = w * (i11[:, None] - 2 * i01[:, None] * x + i00[:, None] * x**2) / det[:, None]
        residual = hits - n * p + h * (0.5 - p)
        u0, u1 = residual.sum(axis=1), residual @ x
        da, db = (i11 * u0 - i01 * u1) / det, (i00 * u1 - i01 * u0) / det
        size = np.maximum(np.abs(da), np.abs(db))
        shrink = np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))  # a full step may overshoot far from the solution
        a, b = a + shrink * da, b + shrink * db
        if size.max() < 1e-8:
            break
    return a, b
