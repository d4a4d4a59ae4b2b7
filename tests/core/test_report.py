"""Reports: parts by name, a canonical JSON, and back."""

import dataclasses
import json
import math

import pytest

from probatum.core.errors import BadInput
from probatum.core.finding import (
    BlindView,
    ControlView,
    Curve,
    DoseRate,
    EstimateView,
    Finding,
    LimitView,
    Sample,
    sentence,
)
from probatum.core.report import CostView, DataUsed, PolicyVerdict, Report, Subject

VIEW = EstimateView("AUROC", 0.75, 0.6, 0.9, 0.95, 40, "confidence", "DeLong")
LIMIT = LimitView(4.0, 2.0, 8.0, "exposures", "the specimen", "established", (DoseRate(1.0, 2, 10, 0.1, 0.5),))
FULL = Finding(
    "a" * 12, "loss", "privacy", "Were these texts in the training data?", "P001", ("LOGPROBS",), "evidence",
    direction="expected", estimate=VIEW, breakdown={"b": VIEW, "a": VIEW}, p_value=0.01, p_value_kind="exact",
    adjusted_p_value=0.03, controls=(ControlView("positive", "specimen", 4.0, "exposures", VIEW, 0.001, True),),
    detection_limit=LIMIT, blind_baseline=BlindView("words", VIEW, 0.5, 0.1, 0.05, 0.2),
    samples=(Sample("r1", 0.5, "aaa ddd", True),), curves=(Curve("roc", (0.0, 1.0), (0.0, 1.0), (0.0, 0.9)),),
    options={"k": 0.2}, roles={"reference": "base"}, data={"data": "ff"}, unscored={"too short": 3},
)  # fmt: skip
OTHER = Finding("b" * 12, "surp", "privacy", "Q?", "P001", (), "not run", reason="needs LOGITS")
THIRD = Finding(
    "c" * 12, "false_preference", "truthfulness", "Q?", "P001", (), "inconclusive", reason="too few records"
)


def report(*findings, **more):
    subject = Subject("m", "language model", "d" * 16, ("TEXT", "LOGPROBS"), 254_528, "float32")
    used = (DataUsed("members", "train.jsonl", "e" * 16, 20),)
    return Report(
        1, subject, used, findings or (FULL, OTHER, THIRD), PolicyVerdict("release", False, {"a": "loss: evidence"}),
        CostView(1, 2, 3, 4, 5.0), {"probatum": "1"}, "2025-01-01T00:00:00Z", **more,
    )  # fmt: skip


def test_a_part_is_named_by_dimension_or_probe():
    assert [f.probe for f in report()["privacy"]] == ["loss", "surp"]
    assert [f.probe for f in report()["false_preference"]] == ["false_preference"]
    with pytest.raises(KeyError, match="no finding of 'safety'"):
        report()["safety"]


def test_json_comes_back_as_it_went():
    first = report(complete=False, parent="p", notes=("n",))
    assert Report.from_json(first.to_json()) == first
    assert Report.from_json(first.to_json()).to_json() == first.to_json()


def test_json_is_canonical():
    turned = dataclasses.replace(FULL, breakdown=dict(reversed(FULL.breakdown.items())))
    assert report(turned).to_json() == report(FULL).to_json()
    assert report().to_json().endswith("}\n")


def test_what_is_not_finite_is_null():
    broken = dataclasses.replace(FULL, estimate=dataclasses.replace(VIEW, value=math.nan, high=math.inf))
    raw = json.loads(report(broken).to_json(), parse_constant=pytest.fail)
    assert raw["findings"][0]["estimate"]["value"] is None
    assert raw["findings"][0]["estimate"]["high"] is None


def test_a_key_that_is_new_is_passed_over():
    raw = json.loads(report().to_json())
    raw["findings"][0]["later"] = 1
    assert Report.from_json(json.dumps(raw)) == report()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not a report"),
        ("[]", "expected a JSON object"),
        ("{}", "schema_version"),
        ('{"schema_version": 99}', "schema version 99"),
        ('{"schema_version": 1}', "not a report"),
    ],
)
def test_what_is_no_report_is_refused(text, word):
    with pytest.raises(BadInput, match=word):
        Report.from_json(text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["Evidence: AUROC 0.75 [0.6, 0.9]."]),
        ({"direction": "reversed"}, ["swapped", "over-unlearning"]),
        ({"outcome": "no evidence"}, ["No evidence found", "Detection limit 4 [2, 8] exposures on the specimen"]),
        ({"outcome": "no evidence", "detection_limit": None}, ["not established"]),
        ({"outcome": "measured"}, ["Measured: AUROC 0.75"]),
        ({"outcome": "not run", "reason": "needs LOGITS"}, ["Not run: needs LOGITS."]),
        ({"outcome": "inconclusive", "reason": "too few"}, ["Inconclusive, nothing may be concluded: too few."]),
    ],
)
def test_an_outcome_is_told_in_words_and_never_as_safe(changes, words):
    told = sentence(dataclasses.replace(FULL, **changes))
    assert all(word in told for word in words)
    assert "safe" not in told.lower()
