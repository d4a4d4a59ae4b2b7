"""An audit as SARIF and JUnit: one finding, one result; outcomes keep their meaning; hostile text stays text."""

import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from pathlib import Path

import example
import pytest

sys.path.append(str(Path(__file__).parents[1] / "scan"))
from export_shapes import check_sarif

from probatum.cli import main
from probatum.reports import write
from probatum.reports.junit import junit
from probatum.reports.sarif import sarif


def results(report):
    said = json.loads(sarif(report))
    check_sarif(said)
    return said["runs"][0]["results"]


def cases(report):
    return list(ET.fromstring(junit(report)).iter("testcase"))


def test_one_finding_is_one_result():
    report = example.report()
    said = results(report)
    assert [r["properties"]["id"] for r in said] == [f.id for f in report.findings]
    assert [r["ruleId"] for r in said] == [f.probe for f in report.findings]
    assert len({r["partialFingerprints"]["probatumProbe/v1"] for r in said}) == len(said)


def test_outcomes_keep_their_meaning_without_a_policy():
    report = replace(example.report(), policy=None)
    kinds = {"evidence": "fail", "no evidence": "pass", "measured": "informational", "inconclusive": "open",
             "not run": "notApplicable"}  # fmt: skip
    levels = {"high": "error", "medium": "warning", "low": "note"}
    for finding, said in zip(report.findings, results(report), strict=True):
        assert said["kind"] == kinds[finding.outcome]
        wanted = levels.get(finding.severity or "", said["level"]) if finding.outcome == "evidence" else "none"
        assert said["level"] == wanted
    counts = Counter(next((c.tag for c in case if c.tag != "system-out"), "passed") for case in cases(report))
    by = Counter(f.outcome for f in report.findings)
    crashed = sum(f.reason.startswith("crashed") for f in report.findings)
    assert crashed
    assert counts == {
        "failure": by["evidence"], "error": crashed, "skipped": by["inconclusive"] + by["not run"] - crashed,
        "passed": by["no evidence"] + by["measured"],
    }  # fmt: skip


def test_a_policy_decides():
    report = example.report()
    assert report.policy is not None
    over = [said["properties"]["id"] for said in results(report) if said["level"] == "error" and said["kind"] == "fail"]
    assert set(report.policy.failed) <= set(over)
    for finding, said, case in zip(report.findings, results(report), cases(report), strict=True):
        if finding.id in report.policy.failed:
            assert report.policy.failed[finding.id] in said["message"]["text"]
            assert case.find("failure").get("message") == report.policy.failed[finding.id]
        else:
            assert case.find("failure") is None
            assert bool(said.get("suppressions")) is (finding.outcome == "evidence")


def test_a_policy_may_fail_what_is_inconclusive():
    report = example.report()
    open_ = next(f for f in report.findings if f.outcome == "inconclusive")
    judged = replace(report, policy=replace(report.policy, failed={open_.id: "zlib_ratio: inconclusive"}))
    at = report.findings.index(open_)
    assert results(judged)[at]["kind"] == "fail"
    assert cases(judged)[at].find("failure").get("type") == "inconclusive"


def test_samples_stay_out_and_bytes_stay_the_same():
    report = example.report()
    texts = [s.text for f in report.findings for s in f.samples if len(s.text) > 8]
    assert texts
    for view in (sarif, junit):
        assert view(report) == view(report)
        said = view(report)
        assert not set("\x1b\u202e\u2066") & set(said)
        assert "digest 5f2c9a11" not in said


@pytest.mark.parametrize("name", ["http://user@host:8000/v1", "../../etc", "\ud800\x1b", "", "a b\n<x>"])
def test_a_subject_of_any_name(name):
    report = example.report()
    odd = replace(report, subject=replace(report.subject, name=name or "x"))
    assert len(results(odd)) == len(cases(odd)) == len(report.findings)


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(example.report(), tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["report", "report.json", "--sarif", "o.sarif", "--junit", "views/o.xml"])
    assert end.value.code == 0
    assert "o.sarif" in capsys.readouterr().out
    check_sarif(json.loads((tmp_path / "o.sarif").read_text()))
    assert len(list(ET.parse(tmp_path / "views" / "o.xml").iter("testcase"))) == 20
