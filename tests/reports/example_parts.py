"""Short makers of the parts of a report, and the hostile strings that go into them."""

from __future__ import annotations

import hashlib
from typing import Any

from scipy.stats import beta

from probatum.core.finding import (
    BlindView,
    ControlView,
    Curve,
    DoseRate,
    EstimateView,
    Finding,
    LimitStatus,
    LimitView,
)

SPECIMEN = "specimen-160m"
ANSI = "\x1b[31mred\x1b[0m\x07"
BIDI = "abc\u202egnp.exe\u2066"
HOSTILE = (
    f"</script><script>alert(1)</script><img src=x onerror=alert(1)> {ANSI} {BIDI} [bold]rich[/] | `md` *x* \ud83d"
)
HOSTILE_NAME = "acme/<b>chat</b>-7b|[x](http://evil.example/)"

Span = tuple[float | None, float | None, float | None]


def estimate(metric: str, span: Span, n: int = 400, method: str = "DeLong", **more: Any) -> EstimateView:
    value, low, high = span
    return EstimateView(metric, value, low, high, 0.95, n, more.get("kind", "confidence"), method)


def control(kind: Any, metric: str, span: Span, dose: float | None = None, **more: Any) -> ControlView:
    p = more.get("p", 0.0002 if kind == "positive" else 0.47)
    unit = more.get("unit", "exposures") if dose is not None else None
    return ControlView(
        kind, more.get("target", SPECIMEN), dose, unit, estimate(metric, span), p, more.get("passed", True)
    )


def limit(status: LimitStatus, rates: dict[float, int], unit: str = "exposures", n: int = 40) -> LimitView:
    views = []
    for dose, k in rates.items():
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
        views.append(DoseRate(dose, k, n, low, high))
    doses = sorted(d for d in rates if d > 0)
    value: Span = {
        "established": (6.1, 4.4, 8.7),
        "below lowest dose": (doses[0], None, None),
        "above highest dose": (doses[-1], None, None),
        "not established": (None, None, None),
    }[status]
    reason = "the share found does not rise with the dose" if status == "not established" else ""
    return LimitView(*value, unit, SPECIMEN, status, tuple(views), reason)


RISING = {0.0: 2, 1.0: 5, 2.0: 11, 4.0: 24, 8.0: 36, 16.0: 40, 32.0: 40, 64.0: 40}
EARLY = {0.0: 1, 1.0: 37, 2.0: 40, 4.0: 40, 8.0: 40}
NEVER = {0.0: 2, 1.0: 3, 2.0: 2, 4.0: 5, 8.0: 9, 16.0: 14}
FLAT = {0.0: 3, 1.0: 20, 2.0: 6, 4.0: 19, 8.0: 9}


def roc(name: str, power: float, n: int = 1000) -> Curve:
    """TPR = FPR ** power at ``n`` operating points, with a band that widens to the left."""
    x = tuple(k / n for k in range(n + 1))
    y = tuple(v**power for v in x)
    half = tuple(0.6 / (n * max(v, 1 / n)) ** 0.5 for v in x)
    low = tuple(max(0.0, v - h * v) for v, h in zip(y, half, strict=True))
    high = tuple(min(1.0, v + h * v) for v, h in zip(y, half, strict=True))
    return Curve(name, x, y, low, high) if name == "roc" else Curve(name, x, y)


def membership_controls(metric: str = "AUROC") -> tuple[ControlView, ...]:
    return (
        control("positive", metric, (0.99, 0.97, 1.0), 64),
        control("positive", metric, (0.93, 0.90, 0.96), 16, passed=None),
        control("positive", metric, (0.71, 0.66, 0.76), 4, passed=None, p=0.004),
        control("negative", metric, (0.506, 0.45, 0.562)),
    )


def blind(value: float, p: float) -> BlindView:
    view = estimate("AUROC", (value, value - 0.05, value + 0.05))
    return BlindView("word 1–2-grams, logistic regression", view, p, 0.88 - value, 0.83 - value, 0.93 - value)


def finding(probe: str, dimension: Any, question: str, outcome: Any, **more: Any) -> Finding:
    more.setdefault("paper", "arXiv:2404.02936")
    more.setdefault("access", ("LOGPROBS", "LOGITS"))
    more.setdefault("seconds", 4.2)
    key = f"{probe} {sorted(more.get('options', {}).items())}"
    return Finding(hashlib.sha256(key.encode()).hexdigest()[:12], probe, dimension, question, outcome=outcome, **more)
