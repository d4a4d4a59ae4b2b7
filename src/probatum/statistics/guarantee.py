"""The guarantee of a private training: its epsilon as a certificate says it, and the noise that a wanted one needs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from probatum.core.data import TrainingLog
from probatum.core.errors import BadInput
from probatum.core.version import __version__
from probatum.statistics.accounting import (
    RELATIONS,
    Phase,
    Relation,
    exact_curves,
    phases_of,
    whole_batches,
)
from probatum.statistics.epsilon import gaussian_delta, gaussian_epsilon

ACCOUNTANT = "PLD, connect the dots"
Unknown = Literal["epsilon", "sigma", "steps", "q"]
_COARSE = 40  # points of the grid while searching; the answer is checked on the finer one
#: Between which values the unknown is looked for.
_WITHIN = {"sigma": (0.05, 1e5), "steps": (1, 10_000_000), "q": (1e-6, 1.0)}


def epsilon_at(phases: Sequence[Phase], delta: float, relation: Relation = "add-or-remove-one") -> float:
    """Return the upper bound of epsilon at ``delta``; 0 for no phases, infinite where it cannot be bounded.

    For replace-one it is that of the dominating pair, not through the set without the record, which would be up to
    twice too large. Raises `BadInput` for numbers that cannot be of a training.
    """
    return _epsilon(checked(phases), checked_delta(delta), checked_relation(relation))


def delta_at(phases: Sequence[Phase], epsilon: float, relation: Relation = "add-or-remove-one") -> float:
    """Return the upper bound of delta at ``epsilon`` >= 0. Raises `BadInput` as `epsilon_at`."""
    merged = checked(phases)
    if not (epsilon >= 0 and math.isfinite(epsilon)):
        raise BadInput(f"epsilon must be 0 or larger, got {epsilon:g}")
    if not merged:
        return 0.0
    mu = whole_batches(merged)
    if mu is not None:
        return float(gaussian_delta(epsilon, _apart(relation) * mu))
    return max(curve.delta(epsilon) for curve in exact_curves(merged, checked_relation(relation)))


def upper_bounds(log: TrainingLog | None, delta: float) -> dict[str, float]:
    """Return ``accountant RELATION`` → upper bound of epsilon at ``delta``, for the parameters of a metric.

    Nothing without a log, at delta 0, or where the bound is not finite. Raises `BadInput` for a log that cannot be one.
    """
    if log is None:
        return {}
    steps = phases_of(log)
    found = {f"accountant {r}": epsilon_at(steps, delta, r) for r in RELATIONS} if delta > 0 else {}
    return {name: bound for name, bound in found.items() if math.isfinite(bound)}


def guarantee(
    phases: Sequence[Phase], delta: float, relation: Relation = "add-or-remove-one", *, n: int | None = None
) -> dict[str, Any]:
    """Return what a certificate says: relation, delta, epsilon (an upper bound), accountant and its version.

    ``n``: the number of units, if known; a delta of 1/n or more is refused. Raises `BadInput`, also where epsilon is
    infinite.
    """
    checked_delta(delta, n)
    found = epsilon_at(phases, delta, relation)
    if math.isinf(found):
        raise BadInput(
            f"no epsilon can be guaranteed at delta {delta:g}: the noise is too small, or delta below what the "
            "accountant resolves (about 1e-12)"
        )
    return {
        "relation": relation,
        "delta": float(delta),
        "epsilon": found,
        "kind": "upper bound",
        "accountant": f"{ACCOUNTANT} (probatum {__version__})",
    }


def checked(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """The phases in a fixed order, those of the same noise and sampling as one. Raises `BadInput`."""
    merged: dict[tuple[float, float], int] = {}
    for sigma, q, steps in phases:
        for name, value in (("sigma", sigma), ("q", q), ("steps", steps)):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise BadInput(f"{name} must be a number, got {value!r}")
        if not (sigma > 0 and math.isfinite(sigma)):
            raise BadInput(f"sigma must be above 0, got {sigma:g}; without noise nothing is guaranteed")
        if not 0 < q <= 1:
            raise BadInput(f"q must lie in (0, 1], got {q:g}; it is the expected batch over the number of records")
        if not (steps >= 1 and float(steps).is_integer()):
            raise BadInput(f"steps must be a whole number from 1, got {steps:g}")
        merged[float(sigma), float(q)] = merged.get((float(sigma), float(q)), 0) + int(steps)
    return tuple(Phase(sigma, q, steps) for (sigma, q), steps in sorted(merged.items()))


def checked_delta(delta: float, n: int | None = None) -> float:
    """``delta``, if it lies strictly between 0 and 1, and below 1/n where n is known. Raises `BadInput`."""
    if not (isinstance(delta, (int, float)) and 0 < delta < 1):
        raise BadInput(f"delta must lie strictly between 0 and 1, got {delta}")
    if n is not None and n < 1:
        raise BadInput(f"n, the number of records or users, must be 1 or more, got {n}")
    if n is not None and delta >= 1 / n:
        raise BadInput(
            f"delta {delta:g} is not below 1/n = {1 / n:.3g} (n = {n:,}): publishing one whole record in n would "
            f"pass as private; take 1/(2n) = {0.5 / n:.3g} or less"
        )
    return float(delta)


def checked_relation(relation: str) -> Relation:
    """The relation, if there is such a one. Raises `BadInput`."""
    for known in RELATIONS:
        if relation == known:
            return known
    raise BadInput(f"relation must be {' or '.join(RELATIONS)}, got '{relation}'")


def solve(
    unknown: Unknown,
    *,
    epsilon: float,
    delta: float,
    sigma: float | None = None,
    q: float | None = None,
    steps: int | None = None,
    relation: Relation = "add-or-remove-one",
    before: Sequence[Phase] = (),
) -> float:
    """Return the smallest sigma, or the largest steps or q, that keeps within ``epsilon`` at ``delta``.

    Parameters
    ----------
    sigma, q, steps
        The two that are known; the one to be found is left out.
    before
        What the same data was released in before; it counts, too.

    Returns
    -------
    float
        Sigma rounded up to 4 decimals (5 digits if that is less), q rounded down to 4 digits, or whole steps: its
        epsilon, by the accountant, is at most ``epsilon``.
    """
    if unknown not in ("sigma", "steps", "q"):
        raise BadInput(f"can solve for sigma, steps or q, not for '{unknown}'")
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise BadInput(f"epsilon must be above 0, got {epsilon:g}")
    checked_delta(delta)
    checked_relation(relation)
    given = {"sigma": sigma, "q": q, "steps": steps}
    lacking = [name for name, value in given.items() if value is None and name != unknown]
    if lacking or given[unknown] is not None:
        told = f"{' and '.join(lacking)} must be given" if lacking else f"{unknown} must not be given"
        raise BadInput(f"to solve for {unknown}, {told}")
    harmless = {"sigma": 1.0, "q": 0.5, "steps": 1}
    full = {name: harmless[name] if value is None else value for name, value in given.items()}
    checked([Phase(full["sigma"], full["q"], cast(int, full["steps"]))])  # what is given is refused before the search

    def excess(value: float, fine: int | None = _COARSE) -> float:
        known = {name: float(x) for name, x in (given | {unknown: value}).items() if x is not None}
        phases = checked([*before, Phase(known["sigma"], known["q"], int(known["steps"]))])
        # Its logarithm is nearly linear in that of the unknown; where it is nothing or infinite only the side counts.
        found = _epsilon(phases, delta, relation, fine)
        return min(max(math.log(max(found, 1e-300) / epsilon), -9.0), 9.0)

    return _solved(unknown, excess, _guess(unknown, epsilon, delta, given, relation), f"epsilon {epsilon:g}")


def _epsilon(phases: tuple[Phase, ...], delta: float, relation: Relation, fine: int | None = None) -> float:
    if not phases:
        return 0.0
    mu = whole_batches(phases)
    if mu is not None:
        return gaussian_epsilon(delta, _apart(relation) * mu)
    curves = exact_curves(phases, relation) if fine is None else exact_curves(phases, relation, fine)
    return max(curve.epsilon(delta) for curve in curves)


def _apart(relation: Relation) -> float:
    """How many clips apart two neighbors' sums are."""
    return 2.0 if relation == "replace-one" else 1.0


def _guess(unknown: str, epsilon: float, delta: float, given: Mapping[str, float | None], relation: Relation) -> float:
    """Where to begin: the answer of the central limit theorem, which is no bound and only saves time."""
    low, high = 1e-6, 1e3
    for _ in range(40):  # mu of the Gaussian mechanism with this epsilon
        mu = math.sqrt(low * high)
        low, high = (mu, high) if max(float(gaussian_delta(epsilon, mu)), 0.0) < delta else (low, mu)
    mu = low / _apart(relation)
    sigma, q, steps = (float(given[name] or 1) for name in ("sigma", "q", "steps"))
    each = math.expm1(min(sigma**-2, 700.0))
    if unknown == "sigma":
        return 1 / math.sqrt(math.log1p((mu / q) ** 2 / steps))
    return (mu / q) ** 2 / each if unknown == "steps" else mu / math.sqrt(steps * each)


def _solved(unknown: str, excess: Callable[..., float], guess: float, wanted: str) -> float:
    """Where ``excess`` changes its sign: rounded to what is printed, and within the wanted epsilon on the fine grid."""
    from scipy.optimize import brentq

    (least, most), falls = _WITHIN[unknown], unknown == "sigma"
    snap = float if unknown != "steps" else lambda x: float(max(round(x), 1))
    at, factor = min(max(guess, least), most), 1.2
    upwards = (excess(snap(at)) > 0) == falls  # the answer lies above
    while True:  # out from the guess, further each time, until the sign changes
        onward = min(at * factor, most) if upwards else max(at / factor, least)
        if onward == at:
            return _at_the_end(unknown, at, upwards, falls, wanted)
        if ((excess(snap(onward)) > 0) == falls) != upwards:
            break
        at, factor = onward, factor**1.6
    low, high = sorted((at, onward))
    found = math.exp(brentq(lambda u: excess(snap(math.exp(u))), math.log(low), math.log(high), xtol=1e-6))
    return _rounded(unknown, found, lambda x: excess(x, None) <= 0)


def _at_the_end(unknown: str, end: float, upwards: bool, falls: bool, wanted: str) -> float:
    """What to say where the answer lies beyond what is looked at."""
    if falls and upwards:
        raise BadInput(f"no sigma up to {end:g} keeps within {wanted}; what was released before counts, too")
    if not falls and not upwards:
        raise BadInput(f"not even {unknown} {end:g} keeps within {wanted}; raise sigma, or lower what else is given")
    if unknown == "steps":
        raise BadInput(f"more than {end:,.0f} steps keep within {wanted}; choose as many as you need")
    return end


def _rounded(unknown: str, found: float, fits: Callable[[float], bool]) -> float:
    """The last value on the safe side, in units of the last digit that is printed."""
    size = math.floor(math.log10(found))
    unit = {"sigma": max(1e-4, 10.0 ** (size - 4)), "steps": 1.0, "q": 10.0 ** (size - 3)}[unknown]
    towards = 1 if unknown == "sigma" else -1
    k = round(found / unit)

    def value(k: int) -> float:
        return round(k * unit, 12)

    while not fits(value(k)):
        k += towards
    while value(k - towards) > 0 and (unknown != "q" or value(k - towards) <= 1) and fits(value(k - towards)):
        k -= towards
    return value(k)
