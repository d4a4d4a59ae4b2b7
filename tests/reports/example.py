"""A report with everything that a view has to cope with: every outcome, every limit, hostile text, missing numbers."""

from __future__ import annotations

from dataclasses import replace

from example_findings import others, privacy
from example_parts import BIDI, HOSTILE_NAME

from probatum.core.report import CostView, DataUsed, PolicyVerdict, Report, Subject


def report(name: str = HOSTILE_NAME) -> Report:
    findings = tuple(privacy() + others())
    subject = Subject(
        name, "transformers", "sha256:" + "5e1f" * 16, ("TEXT", "LOGPROBS", "LOGITS"), 162_322_944, "bfloat16"
    )
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
