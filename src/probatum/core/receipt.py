"""The receipt of a repair: one line per measure, and what all of them say together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from probatum.core.finding import EstimateView

ALPHA = 0.05
#: Golds from which the spread between golds is known, if only roughly.
ENOUGH = 3
#: Share of what gold keeps that is too little to be called lost, however surely it is measured.
SLACK = 0.01

LineVerdict = Literal["like gold", "still known", "over-unlearned", "lost", "void", "not established"]
ReceiptVerdict = Literal[
    "like gold", "still known", "over-unlearned", "lost", "void", "nothing to remove", "not established"
]


@dataclass(frozen=True)
class ReceiptLine:
    """One measure of a repaired model: before, after, and where models lie that never saw the forget set."""

    probe: str
    options: dict[str, Any]
    part: Literal["gate", "kept", "forgotten"]
    metric: str
    better: Literal["high", "low", "gold"]  #: gold: neither end is good, only where golds lie
    before: EstimateView | None
    after: EstimateView | None
    golds: tuple[EstimateView, ...]
    low: float | None  #: where one more gold would lie
    high: float | None
    p_value: float | None  #: that the repaired model is one more gold; Holm-adjusted over the lines
    verdict: LineVerdict
    reason: str = ""


@dataclass(frozen=True)
class Receipt:
    """What a repair gained and what it cost, against gold."""

    verdict: ReceiptVerdict
    sentence: str
    compared: str  #: with what
    lines: tuple[ReceiptLine, ...]


def standard_error(view: EstimateView) -> float:
    """Standard error of an estimate, from its interval."""
    if view.low is None or view.high is None:
        return 0.0
    return (view.high - view.low) / (2 * 1.959964)


def judged(lines: Sequence[ReceiptLine], adjusted: Mapping[int, float]) -> list[ReceiptLine]:
    """Every line with its verdict, given adjusted p-values by place; below the gate all forgetting is void."""
    out = []
    for i, line in enumerate(lines):
        p = adjusted.get(i)
        out.append(dataclasses.replace(line, p_value=None if p is None else float(p), verdict=_of(line, p)))
    if any(line.part == "gate" and below(line) for line in out):
        out = [
            dataclasses.replace(
                line, verdict="void" if line.part == "forgotten" else "lost" if below(line) else line.verdict
            )
            for line in out
        ]
    return out


def below(line: ReceiptLine) -> bool:
    """Of a measure of what was to be kept: under gold minus two standard errors and a hundredth, uncorrected."""
    if line.after is None or line.after.value is None or line.low is None or line.high is None:
        return False
    slack = SLACK * max(abs(line.low), abs(line.high))
    return line.after.value < line.low - slack if line.better != "low" else line.after.value > line.high + slack


def _void(line: ReceiptLine) -> LineVerdict | None:
    return "void" if line.part == "forgotten" else "lost" if below(line) else None


def _of(line: ReceiptLine, p: float | None) -> LineVerdict:
    if p is None or line.after is None or line.after.value is None:
        return "not established"
    if p > ALPHA or line.low is None or line.high is None:
        return "like gold"
    high = line.after.value > line.high
    if not high and line.after.value >= line.low:
        return "like gold"
    if line.part != "forgotten":
        return "lost" if below(line) else "like gold"
    if line.better == "gold":
        return "still known" if high == _knowing_is_high(line) else "over-unlearned"
    return "still known" if high == (line.better == "low") else "like gold"


def _knowing_is_high(line: ReceiptLine) -> bool:
    """Which end of a two-sided measure is that of knowing: the side of gold on which the model was before."""
    if line.before is not None and line.before.value is not None and line.low is not None and line.high is not None:
        return line.before.value > (line.low + line.high) / 2
    return True


def verdict_of(lines: Sequence[ReceiptLine], golds: int, knows: Sequence[str], original: bool) -> Receipt:
    """What the lines say together. ``knows``: golds that are none."""
    compared = f"{golds} gold{'s' if golds > 1 else ''}"
    if 0 < golds < ENOUGH:
        compared += ": with so few the spread between golds is not known, and the bands are too narrow"
    elif not golds:
        compared = (
            "facts that the model was never taught, since no gold was given: what retraining would have kept or lost "
            "is not known"
        )

    def receipt(verdict: ReceiptVerdict, sentence: str) -> Receipt:
        return Receipt(verdict, sentence, compared, tuple(lines))

    def named(verdict: LineVerdict) -> str:
        return ", ".join(line.probe for line in lines if line.verdict == verdict)

    if knows:
        return receipt(
            "not established",
            f"{', '.join(knows)} is no gold: it writes the facts that were to be forgotten far more often than facts "
            "that nobody was taught; train it without the forget set",
        )
    if any(line.verdict == "void" for line in lines):
        return receipt(
            "void",
            f"Void: the model lost what it was to keep ({named('lost')}), so forgetting shows nothing; a smaller "
            "learning rate or more weight on the retain set may help.",
        )
    forgotten = [line for line in lines if line.part == "forgotten"]
    if original and forgotten and not any(_stood_out(line) for line in forgotten):
        return receipt(
            "nothing to remove",
            "Nothing to remove: already before the repair the model answered as one that never saw the forget set.",
        )
    if not any(line.verdict != "not established" for line in forgotten):
        return receipt("not established", "No measure of forgetting could be compared.")
    for verdict, words in (
        ("still known", "Still known: {} tell the model from one that never saw the forget set."),
        ("over-unlearned", "Over-unlearned: {} lie beyond gold, which is itself a trace of what was removed."),
        ("lost", "Forgotten, but {} is lost that a model without the forget set keeps."),
    ):
        if any(line.verdict == verdict for line in lines):
            return receipt(verdict, words.format(named(verdict)))  # type: ignore[arg-type]
    return receipt("like gold", "No measure tells the repaired model from one that never saw the forget set.")


def _stood_out(line: ReceiptLine) -> bool:
    """Whether the model before the repair lay outside of where gold lies."""
    if line.before is None or line.before.value is None or line.low is None or line.high is None:
        return False
    wide = 1.959964 * standard_error(line.before)
    return line.before.value > line.high + wide or line.before.value < line.low - wide
