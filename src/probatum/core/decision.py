"""The rule that turns numbers into one of five words. Pure: the same numbers always give the same word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from probatum.core.estimate import Result
from probatum.core.finding import BlindView, ControlView, LimitView, Outcome

#: A control must be significant at this level; a subject, after Holm, at ALPHA.
CONTROL_ALPHA = 0.01
ALPHA = 0.05


@dataclass(frozen=True)
class Proof:
    """What the controls of a probe showed. ``failure`` is empty where they stand."""

    controls: tuple[ControlView, ...] = ()
    limit: LimitView | None = None
    failure: str = ""


def decide(
    result: Result,
    adjusted_p_value: float | None,
    proof: Proof,
    *,
    measure: bool = False,
    blind: BlindView | None = None,
    randomized: bool = False,
    responders: Sequence[ControlView] = (),
    oracle: ControlView | None = None,
) -> tuple[Outcome, Literal["expected", "reversed"] | None, str]:
    """Outcome, direction and reason of a finding whose probe ran.

    In this order: a control that failed, data that differ by themselves, evidence, a limit that says that the probe
    would have missed it, no evidence. The limit is asked only where nothing was found: a probe that cannot detect
    one record at a time may still show that many records differ together, and then its controls at the highest dose
    have proved it.
    """
    if proof.failure:
        return "inconclusive", None, proof.failure
    if oracle is not None and oracle.passed is False:
        reached = "no score" if oracle.estimate is None else f"{oracle.estimate.value:.3g}"
        return "inconclusive", None, f"even an oracle that gives the right answers reaches {reached} on these items"
    if measure:
        return "measured", None, ""
    if adjusted_p_value is None:
        return "inconclusive", None, "chance is not known for these data, so no p-value can be given"
    if blind is not None and not randomized and blind.difference_low <= 0:
        # Membership can be told from the texts alone, or the probe does no better than something that tells it so.
        seen = f"{blind.classifier}, which never sees the model, separates them with AUROC {blind.estimate.value:.2f}"
        if blind.p_value <= ALPHA:
            why = f"these sets differ by themselves: {seen}; membership is not identifiable from them"
            return "inconclusive", None, why
        if adjusted_p_value <= ALPHA:
            return "inconclusive", None, f"the probe does not do clearly better than a blind baseline ({seen})"
    if adjusted_p_value <= ALPHA:
        solved = [r.target for r in responders if r.passed is False]
        if solved and result.direction == "expected":
            return (
                "inconclusive",
                None,
                f"a responder that knows nothing ({', '.join(solved)}) does as much, so the data answer the question",
            )
        return "evidence", result.direction, ""
    if proof.limit is None or proof.limit.status == "not established":
        why = proof.limit.reason if proof.limit else "no planted doses"
        return "inconclusive", None, f"nothing was found, and what would have been missed is not known ({why})"
    if proof.limit.status == "above highest dose":
        return (
            "inconclusive",
            None,
            f"nothing was found, but the probe misses even the highest planted dose, {proof.limit.value:.3g} "
            f"{proof.limit.unit} on {proof.limit.target}",
        )
    return "no evidence", None, ""
