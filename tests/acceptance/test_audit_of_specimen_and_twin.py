"""`probatum audit specimen twin`: every planted fault is found, the twin has none, and nothing private is shown."""

import html
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from driving import finding, report_in

import probatum
from probatum.controls.sets import builtin
from probatum.core.finding import DIMENSIONS
from probatum.core.report import Report

FILES = ("report.json", "report.html", "card.md")


def outcomes(report):
    return {d: finding(report, report["primary"][d])["outcome"] for d in DIMENSIONS}


@pytest.mark.slow
def test_the_specimen_shows_evidence_in_all_eight_dimensions(audits):
    assert outcomes(report_in(audits / "specimen")) == dict.fromkeys(DIMENSIONS, "evidence")


@pytest.mark.slow
def test_the_twin_shows_no_evidence_in_all_eight_dimensions(audits):
    assert outcomes(report_in(audits / "twin")) == dict.fromkeys(DIMENSIONS, "no evidence")


@pytest.mark.slow
def test_no_probe_but_the_primary_ones_raises_a_false_alarm_on_the_twin(audits):
    alarms = [f["probe"] for f in report_in(audits / "twin")["findings"] if f["outcome"] == "evidence"]
    assert alarms == []


@pytest.mark.slow
def test_every_dimension_of_the_twin_says_what_would_have_been_missed(audits):
    report = report_in(audits / "twin")
    for dimension in DIMENSIONS:
        limit = finding(report, report["primary"][dimension])["detection_limit"]
        assert limit["status"] in ("established", "below lowest dose"), dimension
        assert limit["value"] > 0
        assert "specimen" in limit["target"], dimension
        assert "0.25 M parameters" in limit["target"], dimension


@pytest.mark.slow
def test_every_finding_stands_beside_controls_that_passed(audits):
    for name in ("specimen", "twin"):
        for f in report_in(audits / name)["findings"]:
            kinds = {c["kind"] for c in f["controls"] if c["passed"]}
            assert {"positive", "negative"} <= kinds, (name, f["probe"])


@pytest.mark.slow
def test_membership_is_shown_beside_a_classifier_that_never_sees_the_model(audits):
    blind = finding(report_in(audits / "specimen"), "loss")["blind_baseline"]
    assert 0.3 < blind["estimate"]["value"] < 0.65  # a coin decided, so the texts alone tell nothing
    assert blind["difference"] > 0.2


@pytest.mark.slow
def test_the_terminal_shows_both_models_side_by_side_and_where_the_files_are(audits):
    printed = (audits / "printed.txt").read_text(encoding="utf-8")
    first = printed.splitlines()[0]
    assert "specimen" in first
    assert "twin" in first
    for dimension in DIMENSIONS:
        assert any(line.startswith(dimension) for line in printed.splitlines()), dimension
    for name in ("specimen", "twin"):
        assert f"{audits / name}/report.html" in printed
        for file in FILES:
            assert (audits / name / file).stat().st_size > 1000


@pytest.mark.slow
def test_the_report_round_trips_without_nan_and_in_canonical_order(audits):
    for name in ("specimen", "twin"):
        text = (audits / name / "report.json").read_text(encoding="utf-8")

        def refuse(constant):
            raise AssertionError(constant)

        json.loads(text, parse_constant=refuse)
        assert Report.from_json(text).to_json() == text
        raw = json.loads(text)
        fields = list(Report.__dataclass_fields__)
        assert [key for key in raw if key in fields] == [key for key in fields if key in raw]
        for f in raw["findings"]:
            assert list(f["options"]) == sorted(f["options"])
            assert list(f["breakdown"]) == sorted(f["breakdown"])
            assert len(f["id"]) == 12
            int(f["id"], 16)
        assert len({f["id"] for f in raw["findings"]}) == len(raw["findings"])
        assert not any(entry["path"].startswith("/") for entry in raw["data"])


def private_texts():
    for half in ("control", "subject"):
        data = builtin(half)
        yield from data["Members"].texts
        yield from (p + s for p, s in zip(data["Records"].prefix, data["Records"].secret, strict=True))
        yield from (t + r for t, r in zip(data["Key"].trigger, data["Key"].response, strict=True))


def shown_in(folder):
    """Private texts of which any file of a report holds the first 40 characters, or all if there are fewer."""
    files = "".join((folder / name).read_text(encoding="utf-8") for name in FILES)
    whole = files + html.unescape(files)
    return [text for text in private_texts() if text[:40] in whole]


@pytest.mark.slow
def test_no_private_text_stands_unmasked_in_any_file(audits):
    assert shown_in(audits / "specimen") == []
    assert shown_in(audits / "twin") == []
    samples = finding(report_in(audits / "specimen"), "loss")["samples"]
    assert samples
    assert all(s["masked"] and "#" in s["text"] for s in samples)


@pytest.mark.slow
def test_reveal_shows_the_private_texts(audits, probatum, tmp_path):
    words = ("audit", "specimen", "--probe", "loss", "--probe", "discoverable_extraction")
    assert probatum(*words, "--reveal", "--quiet", "--out", tmp_path).code == 0
    report = report_in(tmp_path / "specimen")
    members = builtin("subject")["Members"]
    texts = dict(zip(members.ids, members.texts, strict=True))
    for sample in finding(report, "loss")["samples"]:
        assert sample["text"] == texts[sample["record"]][:400]
        assert not sample["masked"]
    assert len(shown_in(tmp_path / "specimen")) >= 5


@pytest.mark.slow
def test_of_base_the_twin_does_descend(audits, probatum, tmp_path):
    ran = probatum("audit", "twin", "--with", "ancestor=base", "--probe", "weight_lineage", "--out", tmp_path, "--json")
    lineage = finding(json.loads(ran.out), "weight_lineage")
    assert lineage["outcome"] == "evidence"
    assert lineage["roles"] == {"ancestor": "base"}
    stranger = finding(report_in(audits / "twin"), "weight_lineage")
    assert stranger["roles"] == {"ancestor": "stranger"}
    assert stranger["id"] != lineage["id"]


DRIVER = """
import sys
from probatum.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
heavy = [name for name in ("torch", "transformers", "tokenizers") if name in sys.modules]
print("imported:", *heavy)
sys.exit(code)
"""


@pytest.mark.slow
def test_a_second_audit_reads_everything_from_the_store_and_imports_no_framework(audits, tmp_path):
    sources = str(Path(probatum.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, "audit", "specimen", "twin", "--out", str(tmp_path)],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": sources}, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1].strip() == "imported:"
    for name in ("specimen", "twin"):
        first, second = report_in(audits / name), report_in(tmp_path / name)
        assert first["cost"]["forward_tokens"] > 10_000
        assert second["cost"]["forward_tokens"] == second["cost"]["forward_passes"] == 0
        assert second["cost"]["generated_tokens"] == 0
        assert second["cost"]["cached_tokens"] > 10_000
        for a, b in zip(first["findings"], second["findings"], strict=True):
            assert a | {"seconds": 0} == b | {"seconds": 0}


@pytest.mark.slow
def test_json_prints_the_report_and_nothing_else(audits, probatum, tmp_path):
    ran = probatum("audit", "specimen", "--probe", "loss", "--out", tmp_path, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (tmp_path / "specimen" / "report.json").read_text(encoding="utf-8")
    assert Report.from_json(ran.out).to_json() == ran.out
    assert probatum("audit", "specimen", "twin", "--json", "--out", tmp_path).code == 2
