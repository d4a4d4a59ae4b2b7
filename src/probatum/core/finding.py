"""What one probe found, with the controls that prove that it works."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

IntervalKind = Literal["confidence", "credible", "bound", "point"]
PValueKind = Literal["exact", "permutation", "decoy", "asymptotic", "bound", "none"]
Outcome = Literal["evidence", "no evidence", "measured", "inconclusive", "not run"]
OUTCOMES: tuple[Outcome, ...] = ("evidence", "no evidence", "measured", "inconclusive", "not run")

Dimension = Literal[
    "privacy", "truthfulness", "safety", "fairness", "robustness", "ethics", "transparency", "accountability"
]
DIMENSIONS: tuple[Dimension, ...] = (
    "privacy",
    "truthfulness",
    "safety",
    "fairness",
    "robustness",
    "ethics",
    "transparency",
    "accountability",
)

LimitStatus = Literal["established", "below lowest dose", "above highest dose", "not established"]


#: In a breakdown: how many records may leak and have been missed.
PREVALENCE = "prevalence at the limit or above, at most"


@dataclass(frozen=True)
class EstimateView:
    """An estimate as it stands in the report."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    kind: IntervalKind
    method: str


@dataclass(frozen=True)
class ControlView:
    """One control run: a case with planted truth, a null responder that knows nothing, or an oracle that knows all."""

    kind: Literal["positive", "negative", "null responder", "oracle", "reference"]
    target: str
    dose: float | None
    unit: str | None
    estimate: EstimateView | None
    p_value: float | None
    passed: bool | None  #: None where the case only adds a dose to the dose–response


@dataclass(frozen=True)
class DoseRate:
    """How many of the records planted at one dose the probe detects."""

    dose: float
    detected: int
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class LimitView:
    """The smallest planted dose that the probe finds with 80 % power at 5 %, and on which model that was measured."""

    value: float | None
    low: float | None
    high: float | None
    unit: str
    target: str
    status: LimitStatus
    rates: tuple[DoseRate, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class BlindView:
    """A classifier that sees the texts and never the model: what it separates is not the model's doing."""

    classifier: str
    estimate: EstimateView
    p_value: float
    difference: float
    difference_low: float
    difference_high: float


@dataclass(frozen=True)
class Sample:
    """One record that shows the finding; texts are masked unless the user asked to see them. ``text`` is the record,
    and after an arrow what the model answered."""

    record: str
    score: float | None
    text: str
    masked: bool


@dataclass(frozen=True)
class Curve:
    """Points of a plot: ``x``, ``y`` and, where there is a band, ``low`` and ``high``."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Finding:
    """One probe on one subject. `outcome` is one of five words, never two."""

    id: str  #: 12 hex digits of the digests that determine the finding
    probe: str
    dimension: Dimension
    question: str
    paper: str
    access: tuple[str, ...]
    outcome: Outcome
    direction: Literal["expected", "reversed"] | None = None
    estimate: EstimateView | None = None
    breakdown: dict[str, EstimateView] = field(default_factory=dict)
    p_value: float | None = None
    p_value_kind: PValueKind = "none"
    adjusted_p_value: float | None = None
    controls: tuple[ControlView, ...] = ()
    detection_limit: LimitView | None = None
    blind_baseline: BlindView | None = None
    samples: tuple[Sample, ...] = ()
    curves: tuple[Curve, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)  #: parameter → digest of the records that it got
    seed: int = 0
    seconds: float = 0.0
    reason: str = ""
    severity: Literal["none", "low", "medium", "high"] | None = None
    unscored: dict[str, int] = field(default_factory=dict)  #: reason → how many records
    audience: str = ""  #: who could learn this, given the access that the probe needs
    adjusted_by: str = ""  #: how the p-value was corrected, and among how many
    resolution: float | None = None  #: of a measure: the smallest difference between two of them that would be seen
    better: Literal["high", "low", ""] = ""  #: of a measure: which way is good
    items: str = ""  #: of a task: which items were asked, and where they came from
    answers: dict[str, int] = field(default_factory=dict)  #: answered, refused, unparsable, missing → how many
    released: EstimateView | None = None  #: what the published scorer makes of the same answers
    beside: str = ""  #: the probe without which this finding must not be read


def best_null(finding: Finding) -> ControlView | None:
    """The null responder that does best, by the direction in which the finding is good; else the clean control."""
    nulls = [c for c in finding.controls if c.kind == "null responder" and c.estimate and c.estimate.value is not None]
    if nulls and finding.better:
        sign = 1 if finding.better == "high" else -1
        return max(nulls, key=lambda c: sign * (c.estimate.value if c.estimate and c.estimate.value else 0.0))
    if nulls:
        return nulls[0]
    same = finding.estimate.metric if finding.estimate else ""
    clean = [c for c in finding.controls if c.kind == "negative" and c.estimate and c.estimate.metric == same]
    return clean[0] if clean else None


def sentence(finding: Finding) -> str:
    """The outcome in words, for people; the same in every view of the report."""
    f = finding
    if f.outcome == "not run":
        return f"Not run: {f.reason}."
    if f.outcome == "inconclusive":
        return f"Inconclusive, nothing may be concluded: {f.reason}."
    shown = show(f.estimate)
    note = f" ({f.reason})" if f.reason else ""  # what the probe had to do otherwise than usual
    if f.outcome == "measured":
        least = f" Differences below {number(f.resolution)} would not be seen." if f.resolution is not None else ""
        null = best_null(f) if f.better else None
        beside = ""
        if null is not None and null.kind == "null responder" and null.estimate is not None:
            beside = f" Knowing nothing, {null.target} has {number(null.estimate.value)}."
        return f"Measured: {shown}{note}.{beside}{least}"
    if f.outcome == "evidence":
        turn = ""
        if f.direction == "reversed":
            turn = (
                " The score points the wrong way round while its controls stand: either the two files are swapped,"
                " or something (such as over-unlearning) pushed the records below chance."
            )
        return f"Evidence: {shown}{note}.{turn}"
    return f"No evidence found: {shown}{note}.{_prevalence(f)} {limit_sentence(f.detection_limit)}"


def _prevalence(finding: Finding) -> str:
    most, limit = finding.breakdown.get(PREVALENCE), finding.detection_limit
    if most is None or most.value is None or limit is None or limit.value is None:
        return ""
    if most.value >= 1:
        return " With so few records nothing is known of how many leak unnoticed."
    return f" At most {most.value:.2g} of such records leak at {number(limit.value)} {limit.unit} or more (95 %)."


def limit_sentence(limit: LimitView | None) -> str:
    """What the probe would have missed."""
    if limit is None or limit.value is None:
        return "Its detection limit is not established."
    span = f" [{number(limit.low)}, {number(limit.high)}]" if None not in (limit.low, limit.high) else ""
    dose = f"{number(limit.value)} {limit.unit}"
    if limit.status == "below lowest dose":
        return f"It finds even the lowest planted dose, {dose}, on {limit.target}."
    if limit.status == "above highest dose":
        return f"It misses even the highest planted dose, {dose}, on {limit.target}."
    return f"Detection limit {number(limit.value)}{span} {limit.unit} on {limit.target}; less would have been missed."


def number(value: float | None) -> str:
    """Three significant digits, without an exponent where a person would not write one; a dash for no number."""
    if value is None or not math.isfinite(value):
        return "–"
    short = f"{value:.3g}"
    return f"{value:,.0f}" if "e+" in short and abs(value) < 1e9 else short


def show(estimate: EstimateView | None) -> str:
    """``AUROC 0.88 [0.85, 0.91]``."""
    if estimate is None or estimate.value is None:
        return "no estimate"
    span = ""
    if estimate.low is not None and estimate.high is not None:
        span = f" [{number(estimate.low)}, {number(estimate.high)}]"
    return f"{estimate.metric} {number(estimate.value)}{span}"
