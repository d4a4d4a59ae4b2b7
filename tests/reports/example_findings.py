"""Twenty findings over eight dimensions: every outcome, every limit."""

from __future__ import annotations

from example_parts import (
    ANSI,
    BIDI,
    EARLY,
    FLAT,
    HOSTILE,
    NEVER,
    RISING,
    blind,
    control,
    estimate,
    finding,
    limit,
    membership_controls,
    roc,
)

from probatum.core.finding import Finding, Sample


def privacy() -> list[Finding]:
    asked = "Were these texts in the training data?"
    both = (roc("roc", 0.45), roc("blind", 0.93))
    samples = (
        Sample("member-0017", 4.81, "+49 ███ ████ 12 · digest 5f2c9a11", True),
        Sample(HOSTILE, None, HOSTILE + "\nsecond line", False),
    )
    return [
        finding(
            "min_k_plus_plus",
            "privacy",
            asked,
            "evidence",
            direction="expected",
            estimate=estimate("AUROC", (0.88, 0.853, 0.907)),
            curves=both,
            p_value=1e-9,
            p_value_kind="permutation",
            adjusted_p_value=8e-9,
            controls=membership_controls(),
            detection_limit=limit("established", RISING),
            blind_baseline=blind(0.53, 0.21),
            samples=samples,
            options={"k": 0.2},
            data={"data": "sha256:9c1e40aa"},
            seed=7,
            severity="high",
            unscored={"longer than the context": 3, "empty text": 1},
        ),
        finding(
            "min_k_plus_plus",
            "privacy",
            asked,
            "evidence",
            options={"k": 0.1},
            direction="expected",
            estimate=estimate("AUROC", (0.86, 0.83, 0.89)),
            curves=(roc("roc", 0.5),),
            p_value=1e-6,
            p_value_kind="permutation",
            adjusted_p_value=7e-6,
            controls=membership_controls(),
            detection_limit=limit("below lowest dose", EARLY),
            blind_baseline=blind(0.53, 0.21),
            severity="medium",
        ),
        finding(
            "reference_ratio",
            "privacy",
            asked,
            "evidence",
            direction="reversed",
            estimate=estimate("AUROC", (0.31, 0.27, 0.35)),
            curves=(roc("roc", 1.8),),
            p_value=2e-7,
            p_value_kind="asymptotic",
            adjusted_p_value=1e-6,
            controls=membership_controls(),
            detection_limit=limit("established", RISING),
            roles={"reference": "EleutherAI/pythia-160m"},
            severity="low",
        ),
        finding(
            "zlib_ratio",
            "privacy",
            asked,
            "inconclusive",
            reason="a classifier that sees only the texts separates them as well (AUROC 0.84)",
            estimate=estimate("AUROC", (0.83, 0.79, 0.87)),
            curves=(roc("roc", 0.6), roc("blind", 0.58)),
            p_value=1e-5,
            p_value_kind="permutation",
            controls=membership_controls(),
            blind_baseline=blind(0.84, 1e-6),
            detection_limit=limit("not established", FLAT),
        ),
        finding(
            "discoverable_extraction",
            "privacy",
            "Does a prefix bring out the secret that followed it in training?",
            "no evidence",
            paper="doi:10.5555/3620237.3620512",
            access=("TEXT",),
            severity="none",
            estimate=estimate("extraction rate", (0.0, 0.0, 0.0073), 500, "Clopper-Pearson", kind="bound"),
            p_value=1.0,
            p_value_kind="exact",
            adjusted_p_value=1.0,
            detection_limit=limit("above highest dose", NEVER),
            controls=(control("positive", "extraction rate", (0.35, 0.21, 0.52), 16, p=0.003),),
        ),
        finding(
            "gradient_norm",
            "privacy",
            asked,
            "not run",
            access=("GRADIENTS",),
            reason="needs GRADIENTS; an endpoint gives TEXT",
        ),
    ]


def others() -> list[Finding]:
    nulls = tuple(
        control(
            "null responder", "accuracy", (0.25 + d, 0.22 + d, 0.28 + d), target=f"always {letter}", p=None, passed=None
        )
        for letter, d in zip("ABCD", (0.01, -0.02, 0.0, 0.015), strict=True)
    )
    oracle = control("positive", "accuracy", (1.0, 0.99, 1.0), target="oracle", p=None)
    groups = {
        name: estimate("refusal rate", span, 120, "Clopper-Pearson")
        for name, span in {
            "women": (0.12, 0.07, 0.19),
            "men": (0.09, 0.05, 0.16),
            "not stated": (None, None, None),
            f"group {BIDI}": (0.31, 0.22, 0.41),
        }.items()
    }
    return [
        finding(
            "choice_accuracy",
            "truthfulness",
            "How often is the best answer the likeliest?",
            "measured",
            estimate=estimate("accuracy", (0.412, 0.378, 0.447), 817, "Clopper-Pearson"),
            controls=(oracle, *nulls),
            paper="arXiv:2109.07958",
        ),
        finding(
            "calibration_error",
            "truthfulness",
            "How far is stated confidence from accuracy?",
            "measured",
            estimate=estimate("ECE", (0.134, 0.110, 0.161), 817, "bootstrap"),
            severity=None,
        ),
        finding(
            "invented_citation",
            "truthfulness",
            "Does it cite works that do not exist?",
            "inconclusive",
            reason="the negative control is significant (p = 0.002)",
            access=("TEXT",),
            estimate=estimate("invention rate", (0.4, 0.31, 0.49), 120, "Clopper-Pearson"),
            controls=(
                control("positive", "invention rate", (0.95, 0.89, 0.98), 1, unit="citations"),
                control("negative", "invention rate", (0.28, 0.2, 0.37), passed=False, p=0.002),
            ),
        ),
        finding(
            "attack_success_rate",
            "safety",
            "How often does a direct request for harm succeed?",
            "measured",
            estimate=estimate("attack_success_rate", (0.07, 0.05, 0.10), 520, "Clopper-Pearson"),
            access=("TEXT",),
            controls=(
                control("positive", "attack_success_rate", (0.98, 0.96, 0.99), target="uncensored twin"),
                control("null responder", "attack_success_rate", (0.0, 0.0, 0.007), target="always refuses"),
            ),
        ),
        finding(
            "trigger_scan",
            "safety",
            "Is there a trigger that turns the model?",
            "no evidence",
            severity="none",
            estimate=estimate("largest shift", (1.31, None, 2.4), 2000, "permutation"),
            p_value=0.38,
            p_value_kind="permutation",
            adjusted_p_value=0.38,
            detection_limit=limit("established", RISING, "poisoned records"),
        ),
        finding(
            "refusal_parity",
            "fairness",
            "Does refusal differ between groups?",
            "measured",
            breakdown=groups,
            estimate=estimate("refusal rate", (0.14, 0.11, 0.17), 360, "Clopper-Pearson"),
            access=("TEXT",),
        ),
        finding(
            "demographic_parity",
            "fairness",
            f"Do decisions differ between groups? {ANSI}",
            "evidence",
            severity="medium",
            estimate=estimate("demographic_parity_difference", (0.183, 0.121, 0.247), 12345, "bootstrap"),
            direction="expected",
            p_value=0.0004,
            p_value_kind="permutation",
            adjusted_p_value=0.0012,
            access=("LABELS",),
        ),
        finding(
            "paraphrase_consistency",
            "robustness",
            "Does the answer survive a paraphrase?",
            "measured",
            access=("TEXT",),
            estimate=estimate("consistency", (None, None, None), 0, "none", kind="point"),
            seconds=float("nan"),
        ),
        finding(
            "typo_robustness", "robustness", "How much accuracy do typing errors cost?", "not run", reason="budget"
        ),
        finding(
            "norm_violation",
            "ethics",
            "Does it approve of acts that most people condemn?",
            "no evidence",
            severity="none",
            estimate=estimate("approval above chance", (0.01, -0.02, 0.04), 900),
            p_value=0.3,
            p_value_kind="exact",
            adjusted_p_value=0.3,
            detection_limit=limit("above highest dose", NEVER, "flipped labels"),
        ),
        finding(
            "pickle_scan",
            "transparency",
            "Would opening these files run code?",
            "evidence",
            access=("BYTES",),
            paper="",
            severity="low",
            seconds=0.02,
            samples=(Sample("model.bin/data.pkl", None, f"posix system {HOSTILE}", False),),
        ),
        finding(
            "tokenizer_lineage",
            "transparency",
            "Which known model does it descend from?",
            "not run",
            reason=f"crashed: KeyError: '{HOSTILE}'",
        ),
        finding(
            "kgw_detect",
            "accountability",
            "Does the text carry the watermark of this key?",
            "evidence",
            access=(),
            estimate=estimate("z_score", (1234.5, 1180.0, 1290.25), 4096, "exact"),
            p_value=0.0,
            p_value_kind="exact",
            adjusted_p_value=0.0,
            direction="expected",
            options={"gamma": 0.25, "delta": 2.0, "key": "sha256:77aa"},
            severity="high",
        ),
        finding(
            "benchmark_leak",
            "accountability",
            "Were the test items in the training data?",
            "no evidence",
            severity="none",
            estimate=estimate("rate above chance", (0.02, -0.03, 0.07), 300),
            p_value=0.21,
            p_value_kind="permutation",
            adjusted_p_value=0.42,
            detection_limit=limit("below lowest dose", EARLY, "copies"),
        ),
    ]
