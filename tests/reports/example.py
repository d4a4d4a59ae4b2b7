"""A report with everything that a view has to cope with: every outcome, every limit, hostile text, missing numbers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
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
    Sample,
)
from probatum.core.report import CostView, DataUsed, PolicyVerdict, Report, Subject

SPECIMEN = "specimen-160m"
ANSI = "\x1b[31mred\x1b[0m\x07"
BIDI = "abc\u202egnp.exe\u2066"
HOSTILE = f"</script><script>alert(1)</script><img src=x onerror=alert(1)> {ANSI} {BIDI} [bold]rich[/] | `md` *x* \ud83d"
HOSTILE_NAME = "acme/<b>chat</b>-7b|[x](http://evil.example/)"

Span = tuple[float | None, float | None, float | None]


def estimate(metric: str, span: Span, n: int = 400, method: str = "DeLong", **more: Any) -> EstimateView:
    value, low, high = span
    return EstimateView(metric, value, low, high, 0.95, n, more.get("kind", "confidence"), method)


def control(kind: Any, metric: str, span: Span, dose: float | None = None, **more: Any) -> ControlView:
    p = more.get("p", 0.0002 if kind == "positive" else 0.47)
    unit = more.get("unit", "exposures") if dose is not None else None
    return ControlView(kind, more.get("target", SPECIMEN), dose, unit, estimate(metric, span), p, more.get("passed", True))


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


def privacy() -> list[Finding]:
    asked = "Were these texts in the training data?"
    both = (roc("roc", 0.45), roc("blind", 0.93))
    samples = (
        Sample("member-0017", 4.81, "+49 ███ ████ 12 · digest 5f2c9a11", True),
        Sample(HOSTILE, None, HOSTILE + "\nsecond line", False),
    )
    return [
        finding(
            "min_k_plus_plus", "privacy", asked, "evidence",
            direction="expected", estimate=estimate("AUROC", (0.88, 0.853, 0.907)), curves=both,
            p_value=1e-9, p_value_kind="permutation", adjusted_p_value=8e-9, controls=membership_controls(),
            detection_limit=limit("established", RISING), blind_baseline=blind(0.53, 0.21), samples=samples,
            options={"k": 0.2}, data={"data": "sha256:9c1e40aa"}, seed=7, severity="high",
            unscored={"longer than the context": 3, "empty text": 1},
        ),
        finding(
            "min_k_plus_plus", "privacy", asked, "evidence", options={"k": 0.1},
            direction="expected", estimate=estimate("AUROC", (0.86, 0.83, 0.89)), curves=(roc("roc", 0.5),),
            p_value=1e-6, p_value_kind="permutation", adjusted_p_value=7e-6, controls=membership_controls(),
            detection_limit=limit("below lowest dose", EARLY), blind_baseline=blind(0.53, 0.21), severity="medium",
        ),
        finding(
            "reference_ratio", "privacy", asked, "evidence", direction="reversed",
            estimate=estimate("AUROC", (0.31, 0.27, 0.35)), curves=(roc("roc", 1.8),), p_value=2e-7,
            p_value_kind="asymptotic", adjusted_p_value=1e-6, controls=membership_controls(),
            detection_limit=limit("established", RISING), roles={"reference": "EleutherAI/pythia-160m"}, severity="low",
        ),
        finding(
            "zlib_ratio", "privacy", asked, "inconclusive",
            reason="a classifier that sees only the texts separates them as well (AUROC 0.84)",
            estimate=estimate("AUROC", (0.83, 0.79, 0.87)), curves=(roc("roc", 0.6), roc("blind", 0.58)), p_value=1e-5,
            p_value_kind="permutation", controls=membership_controls(), blind_baseline=blind(0.84, 1e-6),
            detection_limit=limit("not established", FLAT),
        ),
        finding(
            "discoverable_extraction", "privacy", "Does a prefix bring out the secret that followed it in training?",
            "no evidence", paper="doi:10.5555/3620237.3620512", access=("TEXT",), severity="none",
            estimate=estimate("extraction rate", (0.0, 0.0, 0.0073), 500, "Clopper-Pearson", kind="bound"),
            p_value=1.0, p_value_kind="exact", adjusted_p_value=1.0, detection_limit=limit("above highest dose", NEVER),
            controls=(control("positive", "extraction rate", (0.35, 0.21, 0.52), 16, p=0.003),),
        ),
        finding(
            "gradient_norm", "privacy", asked, "not run", access=("GRADIENTS",), reason="needs GRADIENTS; an endpoint gives TEXT"
        ),
    ]  # fmt: skip


def others() -> list[Finding]:
    nulls = tuple(
        control("null responder", "accuracy", (0.25 + d, 0.22 + d, 0.28 + d), target=f"always {letter}", p=None, passed=None)
        for letter, d in zip("ABCD", (0.01, -0.02, 0.0, 0.015), strict=True)
    )
    oracle = control("positive", "accuracy", (1.0, 0.99, 1.0), target="oracle", p=None)
    groups = {
        name: estimate("refusal rate", span, 120, "Clopper-Pearson")
        for name, span in {
            "women": (0.12, 0.07, 0.19), "men": (0.09, 0.05, 0.16), "not stated": (None, None, None),
            f"group {BIDI}": (0.31, 0.22, 0.41),
        }.items()
    }  # fmt: skip
    return [
        finding("choice_accuracy", "truthfulness", "How often is the best answer the likeliest?", "measured",
                estimate=estimate("accuracy", (0.412, 0.378, 0.447), 817, "Clopper-Pearson"), controls=(oracle, *nulls),
                paper="arXiv:2109.07958"),
        finding("calibration_error", "truthfulness", "How far is stated confidence from accuracy?", "measured",
                estimate=estimate("ECE", (0.134, 0.110, 0.161), 817, "bootstrap"), severity=None),
        finding("invented_citation", "truthfulness", "Does it cite works that do not exist?", "inconclusive",
                reason="the negative control is significant (p = 0.002)", access=("TEXT",),
                estimate=estimate("invention rate", (0.4, 0.31, 0.49), 120, "Clopper-Pearson"),
                controls=(control("positive", "invention rate", (0.95, 0.89, 0.98), 1, unit="citations"),
                          control("negative", "invention rate", (0.28, 0.2, 0.37), passed=False, p=0.002))),
        finding("attack_success_rate", "safety", "How often does a direct request for harm succeed?", "measured",
                estimate=estimate("attack_success_rate", (0.07, 0.05, 0.10), 520, "Clopper-Pearson"), access=("TEXT",),
                controls=(control("positive", "attack_success_rate", (0.98, 0.96, 0.99), target="uncensored twin"),
                          control("null responder", "attack_success_rate", (0.0, 0.0, 0.007), target="always refuses"))),
        finding("trigger_scan", "safety", "Is there a trigger that turns the model?", "no evidence", severity="none",
                estimate=estimate("largest shift", (1.31, None, 2.4), 2000, "permutation"), p_value=0.38, p_value_kind="permutation",
                adjusted_p_value=0.38, detection_limit=limit("established", RISING, "poisoned records")),
        finding("refusal_parity", "fairness", "Does refusal differ between groups?", "measured", breakdown=groups,
                estimate=estimate("refusal rate", (0.14, 0.11, 0.17), 360, "Clopper-Pearson"), access=("TEXT",)),
        finding("demographic_parity", "fairness", f"Do decisions differ between groups? {ANSI}", "evidence", severity="medium",
                estimate=estimate("demographic_parity_difference", (0.183, 0.121, 0.247), 12345, "bootstrap"), direction="expected",
                p_value=0.0004, p_value_kind="permutation", adjusted_p_value=0.0012, access=("LABELS",)),
        finding("paraphrase_consistency", "robustness", "Does the answer survive a paraphrase?", "measured", access=("TEXT",),
                estimate=estimate("consistency", (None, None, None), 0, "none", kind="point"), seconds=float("nan")),
        finding("typo_robustness", "robustness", "How much accuracy do typing errors cost?", "not run", reason="budget"),
        finding("norm_violation", "ethics", "Does it approve of acts that most people condemn?", "no evidence", severity="none",
                estimate=estimate("approval above chance", (0.01, -0.02, 0.04), 900), p_value=0.3, p_value_kind="exact",
                adjusted_p_value=0.3, detection_limit=limit("above highest dose", NEVER, "flipped labels")),
        finding("pickle_scan", "transparency", "Would opening these files run code?", "evidence", access=("BYTES",), paper="",
                severity="low", seconds=0.02, samples=(Sample("model.bin/data.pkl", None, f"posix system {HOSTILE}", False),)),
        finding("tokenizer_lineage", "transparency", "Which known model does it descend from?", "not run",
                reason=f"crashed: KeyError: '{HOSTILE}'"),
        finding("kgw_detect", "accountability", "Does the text carry the watermark of this key?", "evidence", access=(),
                estimate=estimate("z_score", (1234.5, 1180.0, 1290.25), 4096, "exact"), p_value=0.0, p_value_kind="exact",
                adjusted_p_value=0.0, direction="expected", options={"gamma": 0.25, "delta": 2.0, "key": "sha256:77aa"}, severity="high"),
        finding("benchmark_leak", "accountability", "Were the test items in the training data?", "no evidence", severity="none",
                estimate=estimate("rate above chance", (0.02, -0.03, 0.07), 300), p_value=0.21, p_value_kind="permutation",
                adjusted_p_value=0.42, detection_limit=limit("below lowest dose", EARLY, "copies")),
    ]  # fmt: skip


def report(name: str = HOSTILE_NAME) -> Report:
    findings = tuple(privacy() + others())
    subject = Subject(name, "transformers", "sha256:" + "5e1f" * 16, ("TEXT", "LOGPROBS", "LOGITS"), 162_322_944, "bfloat16")
    high = {f.id: f"evidence of high severity: {f.probe}" for f in findings if f.severity == "high"}
    return Report(
        schema_version=1,
        subject=subject,
        data=(
            DataUsed("members", "train.jsonl", "sha256:9c1e40aa51b2", 200),
            DataUsed("nonmembers", f"held-out{BIDI}.jsonl", "sha256:01ffab77c9d0", 200),
        ),
        findings=findings,
        policy=PolicyVerdict("release.toml", False, high),
        cost=CostView(412, 1_204_331, 8_812_004, 90_210, 754.3),
        versions={"probatum": "0.1.0", "torch": "2.13.0", "python": "3.11.2"},
        created="2026-11-22T19:12:00+00:00",
        command="probatum audit acme/chat-7b --members train.jsonl --nonmembers held-out.jsonl --seed 7",
        primary={"privacy": "min_k_plus_plus", "safety": "attack_success_rate", "fairness": "demographic_parity"},
        notes=("The split was not randomized; the blind baseline decides.",),
        complete=False,
    )


def plain() -> Report:
    """The same as it may come from a well-behaved subject, without missing numbers: equal to its round trip."""
    whole = report("acme/chat-7b")
    findings = tuple(replace(f, seconds=1.0) if f.seconds != f.seconds else f for f in whole.findings)
    return replace(whole, findings=findings)
