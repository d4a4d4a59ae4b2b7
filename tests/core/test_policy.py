"""A policy turns findings into pass or fail; one that could pass in silence is refused."""

import pytest

from probatum.core.errors import BadInput
from probatum.core.finding import EstimateView, Finding
from probatum.core.policy import Policy


def policy(folder, text):
    file = folder / "p.toml"
    file.write_text(text, encoding="utf-8")
    return Policy.read(file)


def finding(outcome, probe="loss", dimension="privacy", span=None):
    view = None if span is None else EstimateView("AUROC", span[1], span[0], span[2], 0.95, 50, "confidence", "DeLong")
    return Finding(f"{probe} {outcome}", probe, dimension, "Q?", "P001", ("LOGPROBS",), outcome, estimate=view)


def passes(rules, *findings):
    return rules.judge(findings).passed


@pytest.mark.parametrize(
    ("outcome", "passed"),
    [("evidence", False), ("inconclusive", False), ("not run", False), ("no evidence", True), ("measured", True)],
)
def test_without_a_rule_only_what_was_looked_for_and_not_found_passes(outcome, passed, tmp_path):
    verdict = policy(tmp_path, "").judge([finding(outcome)])
    assert verdict.passed is passed
    assert verdict.name == "p"
    assert list(verdict.failed.values()) == ([] if passed else [f"loss: {outcome}"])


@pytest.mark.parametrize("key", ["evidence", "inconclusive", "not_run", "measured"])
def test_an_outcome_means_what_the_policy_says(key, tmp_path):
    outcome = key.replace("_", " ")
    assert passes(policy(tmp_path, f'{key} = "within"'), finding(outcome))
    assert not passes(policy(tmp_path, f'{key} = "over"'), finding(outcome))


@pytest.mark.parametrize(
    ("rule", "span", "passed"),
    [
        ("max = 0.6", (0.5, 0.55, 0.6), True),
        ("max = 0.6", (0.5, 0.55, 0.61), False),
        ("min = 0.4", (0.39, 0.5, 0.6), False),
        ("min = 0.4\nmax = 0.6", (0.4, 0.5, 0.6), True),
        ("max = 1", (None, 0.5, None), True),
        ("max = 0.4", (None, 0.5, None), False),
        ("max = 1", (None, None, None), False),
    ],
)
def test_a_bound_holds_the_end_of_the_interval_against_the_policy(rule, span, passed, tmp_path):
    rules = policy(tmp_path, f'[[rule]]\nprobe = "loss"\n{rule}')
    for outcome in ("evidence", "no evidence", "measured"):
        assert passes(rules, finding(outcome, span=span)) is passed


@pytest.mark.parametrize("outcome", ["inconclusive", "not run"])
def test_a_bound_does_not_make_good_what_was_not_concluded(outcome, tmp_path):
    rules = policy(tmp_path, '[[rule]]\nprobe = "loss"\nmax = 1.0')
    assert not passes(rules, finding(outcome, span=(0.5, 0.5, 0.5)))


def test_the_first_rule_that_fits_decides(tmp_path):
    rules = policy(
        tmp_path, '[[rule]]\nprobe = "loss"\nevidence = "within"\n[[rule]]\ndimension = "privacy"\nevidence = "over"\n'
    )
    verdict = rules.judge([finding("evidence"), finding("evidence", "surp"), finding("no evidence", "surp")])
    assert list(verdict.failed) == ["surp evidence"]


def test_a_rule_of_a_dimension_leaves_the_others_alone(tmp_path):
    rules = policy(tmp_path, '[[rule]]\ndimension = "safety"\nevidence = "within"')
    assert not passes(rules, finding("evidence"))
    assert passes(rules, finding("evidence", "trigger_response", "safety"))


BAD = {
    "no file": None,
    "not TOML": "x = ",
    "no such key": 'evidenc = "over"',
    "no such value": 'evidence = "no"',
    "no such key of a rule": '[[rule]]\nprobe = "loss"\nmaximum = 1',
    "a bound that is no number": '[[rule]]\nprobe = "loss"\nmax = "0.6"',
    "a bound that is true": '[[rule]]\nprobe = "loss"\nmax = true',
    "a probe that is none": '[[rule]]\nprobe = "los"\nmax = 1',
    "a dimension that is none": '[[rule]]\ndimension = "private"\nmax = 1',
    "a rule about nothing": "[[rule]]\nmax = 1",
    "a rule about two things": '[[rule]]\nprobe = "loss"\ndimension = "privacy"\nmax = 1',
    "a value that is none": '[[rule]]\nprobe = "loss"\nevidence = "ovr"',
    "one table instead of many": '[rule]\nprobe = "loss"',
}


@pytest.mark.parametrize("fault", BAD)
def test_a_policy_that_could_pass_in_silence_is_refused(fault, tmp_path):
    with pytest.raises(BadInput, match=r"p\.toml") as error:
        Policy.read(tmp_path / "p.toml") if BAD[fault] is None else policy(tmp_path, BAD[fault])
    assert "\n" not in str(error.value)
