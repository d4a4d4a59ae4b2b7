"""A certificate of private training, checked again: is its epsilon that of its numbers, and is it a guarantee?"""

import math
from collections.abc import Mapping
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.releases import releases_of
from probatum.statistics.accounting import RELATIONS, Phase
from probatum.statistics.composition import phases
from probatum.statistics.guarantee import epsilon_at

#: What every certificate says. q, sigma and T may be lists, with one value for each phase.
FIELDS = (
    "unit", "relation", "sampler", "q", "sigma", "T", "C", "delta", "epsilon", "accountant", "generator", "loss",
    "sensitivity", "data_digest", "chosen_on_private_data", "empirical",
)  # fmt: skip
GENERATOR = "operating system"  #: how the text of `generator` begins: noise that no seed can make again
LOSS = "one scalar per unit"  #: how the text of `loss` begins: no term of it depends on another unit
LEAST_PAIRS = 20  #: pairs of neighbors that the sensitivity probe has to compare
LARGEST_RATIO = 1 + 1e-5  #: of the distance of two neighbors' sums and the clip
_CLOSE = 1e-3  # relative; grids of other versions differ by less


def recheck(certificate: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything in a certificate that does not fit; nothing where it stands.

    Epsilon is derived again from q, sigma, T, delta and relation. A lower bound in ``empirical`` above the accountant's
    epsilon is an alarm. What was chosen on private data must be said, and is not part of epsilon.
    """
    if lacking := [name for name in FIELDS if name not in certificate]:
        return [f"'{name}' is missing" for name in lacking]
    wrong = _training(certificate) + _run(certificate)
    try:
        steps = phases(releases_of(certificate))
    except BadInput as error:
        return [*wrong, str(error)]
    return wrong + _epsilon(certificate, steps) + _empirical(certificate, steps)


def _training(said: Mapping[str, Any]) -> list[str]:
    wrong = []
    if not str(said["generator"]).startswith(GENERATOR):
        wrong.append(f"generator is '{said['generator']}': noise that can be made again hides nothing")
    if not str(said["loss"]).startswith(LOSS):
        wrong.append(f"loss is '{said['loss']}', not {LOSS}: one unit may move the gradients of others")
    if not (_number(said["C"]) and said["C"] > 0):
        wrong.append(f"C must be a number above 0, got {said['C']!r}")
    if not isinstance(said["chosen_on_private_data"], (list, str)):
        wrong.append("chosen_on_private_data must name what was chosen, or be an empty list")
    if not str(said["accountant"] or "").strip():
        wrong.append("accountant does not say which one")
    n: Any = said.get("n")
    if _number(n) and _number(said["delta"]) and n >= 1 and said["delta"] >= 1 / n:
        wrong.append(f"delta {said['delta']:g} is not below 1/n = {1 / n:.3g}")
    return wrong


def _run(said: Mapping[str, Any]) -> list[str]:
    probe = said["sensitivity"]
    if not isinstance(probe, Mapping) or not all(_number(probe.get(key)) for key in ("pairs", "max_ratio")):
        return ["sensitivity must hold the numbers pairs and max_ratio"]
    wrong = []
    if probe["pairs"] < LEAST_PAIRS:
        wrong.append(f"sensitivity was probed on {probe['pairs']:g} pairs of neighbors, not on {LEAST_PAIRS} or more")
    if not 0 < probe["max_ratio"] <= LARGEST_RATIO:
        wrong.append(f"sensitivity: the sums of two neighbors differ by {probe['max_ratio']:g} clips; epsilon is void")
    return wrong


def _epsilon(said: Mapping[str, Any], steps: list[Phase]) -> list[str]:
    if not (_number(said["epsilon"]) and said["epsilon"] >= 0):
        return [f"epsilon must be a number from 0, got {said['epsilon']!r}"]
    found = epsilon_at(steps, float(said["delta"]), said["relation"])
    what = "what q, sigma, T, delta and relation give"
    if said["epsilon"] < found * (1 - _CLOSE) - 1e-9:
        return [f"epsilon {said['epsilon']:g} is below {found:.5g}, {what}"]
    if said["epsilon"] > found * (1 + _CLOSE) + 1e-9:
        return [
            f"epsilon {said['epsilon']:g} is not {found:.5g}, {what}; larger is safe, but it is of another training"
        ]
    return []


def _empirical(said: Mapping[str, Any], steps: list[Phase]) -> list[str]:
    seen = said["empirical"]
    if not isinstance(seen, Mapping) or not {"one_run", "one_shot"} <= set(seen):
        return ["empirical must hold one_run and one_shot (null where not measured)"]
    bound = seen["one_run"]
    told = bound if isinstance(bound, Mapping) else {"epsilon": bound}
    lower, delta = told.get("epsilon"), told.get("delta", said["delta"])
    relation = told.get("relation", said["relation"])
    if lower is None:
        return []
    if not (_number(lower) and _number(delta) and 0 < delta < 1 and relation in RELATIONS):
        return ["empirical: one_run must be a lower bound of epsilon, or hold epsilon, delta and relation"]
    upper = epsilon_at(steps, float(delta), relation)
    if lower > upper * (1 + _CLOSE):
        return [f"ALARM: one training run proves an epsilon above {lower:.4g}, and the accountant allows {upper:.4g}"]
    return []


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
