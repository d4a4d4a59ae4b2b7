"""Text and numbers as every view shows them: nothing that a model wrote can act on a page or a terminal."""

from __future__ import annotations

import math
import re
from urllib.parse import quote

from probatum.core.finding import EstimateView, LimitView
from probatum.core.finding import number as number

#: Controls, invisible and bidirectional marks, tags, variation selectors and lone surrogates.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ARXIV = re.compile(r"arxiv:\s*([\w.\-/]+)", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)


def visible(text: str, *, lines: bool = False) -> str:
    """Show what hides: ESC as ``[U+001B]``, a right-to-left override as ``[U+202E]``; line ends stay with ``lines``."""

    def show(match: re.Match[str]) -> str:
        return "\n" if lines and match.group() == "\n" else f"[U+{ord(match.group()):04X}]"

    return _UNSEEN.sub(show, text)


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters, and how many there were."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text):,} characters)"


def interval(estimate: EstimateView | LimitView) -> str:
    """``[0.85, 0.91]``, ``(≥ 0.85)`` where only one side is known, or nothing."""
    low, high = finite(estimate.low), finite(estimate.high)
    if low is not None and high is not None:
        return f"[{number(low)}, {number(high)}]"
    if low is not None:
        return f"(≥ {number(low)})"
    return f"(≤ {number(high)})" if high is not None else ""


def finite(value: float | None) -> float | None:
    """The value, or None where it is not a number."""
    return value if value is not None and math.isfinite(value) else None


def estimate(view: EstimateView | None) -> str:
    """``AUROC 0.88 [0.85, 0.91]``, or a dash."""
    if view is None or finite(view.value) is None:
        return "–"
    return f"{view.metric} {number(view.value)} {interval(view)}".rstrip()


def interval_kind(view: EstimateView) -> str:
    """``95 % confidence interval``."""
    level = f"{number(view.level * 100)} %"
    words = {"confidence": "confidence interval", "credible": "credible interval", "bound": "bound"}
    return f"{level} {words[view.kind]}" if view.kind in words else "no interval"


def p_value(value: float | None) -> str:
    """``0.012``, ``< 0.001``, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def limit(view: LimitView | None) -> str:
    """``4 [2.8, 5.9] exposures``; the two ends of the dose range read as inequalities."""
    if view is None or (view.status != "not established" and finite(view.value) is None):
        return "–"
    if view.status == "not established":
        return "not established"
    sign = {"below lowest dose": "≤ ", "above highest dose": "> "}.get(view.status, "")
    span = f" {interval(view)}" if not sign and interval(view) else ""
    return f"{sign}{number(view.value)}{span} {view.unit}"


def duration(seconds: float | None) -> str:
    """``41 s``, ``3 min 12 s``, ``1 h 4 min``."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{number(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def paper_link(paper: str) -> str | None:
    """Where a paper is read: only arXiv and DOI addresses become links, so that a name cannot smuggle one in."""
    if found := _ARXIV.fullmatch(paper.strip()):
        return f"https://arxiv.org/abs/{quote(found.group(1))}"
    if found := _DOI.fullmatch(paper.strip()):
        return f"https://doi.org/{quote(found.group(1))}"
    return None
