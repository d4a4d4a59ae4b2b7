"""`--in-situ`: detection limits of this very model, from a copy of it in which controls were planted."""

from __future__ import annotations

import json
import os

import pytest
from driving import finding, report_in, write_jsonl

from probatum import open_target
from probatum.controls import in_situ, planting
from probatum.controls.doses import Plan
from probatum.controls.served import serve_http
from probatum.controls.sets import builtin

PROBES = ("loss", "reference_ratio", "exposure")
FOUND = ("established", "below lowest dose")


@pytest.fixture(autouse=True)
def one_plan(monkeypatch):
    """Enough to learn, in a tenth of the time of the richest plan."""
    plans = (Plan(40, 32, 24, 64),)
    monkeypatch.setattr(planting, "PLANS", plans)
    monkeypatch.setattr(in_situ, "PLANS", plans)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A user's files for the built-in `base`: what it saw, what it never saw, and records with secrets."""
    folder = tmp_path_factory.mktemp("files")
    data = builtin("subject")
    write_jsonl(folder / "members.jsonl", data["Texts"].texts[:80])
    write_jsonl(folder / "nonmembers.jsonl", data["Members"].texts[:80])
    keys = ("prefix", "secret", "suffix", "format")
    rows = [{key: getattr(data["Records"], key)[i] for key in keys} for i in range(20)]
    (folder / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def words(files, out, *more, probes=PROBES):
    data = (f"--{name}={files / name}.jsonl" for name in ("members", "nonmembers", "records"))
    probe = (word for name in probes for word in ("--probe", name))
    return ("audit", "base", *data, *probe, "--in-situ", "--quiet", "--out", out, *more)


@pytest.mark.slow
def test_limits_are_of_this_model_and_a_second_run_trains_nothing(probatum, files, tmp_path, monkeypatch):
    cache = ("--cache", tmp_path / "cache", "--budget", "30m")
    ran = probatum(*words(files, tmp_path / "first", *cache))
    assert ran.code == 0, ran.err
    report = report_in(tmp_path / "first" / "base")
    for name in PROBES:
        found = finding(report, name)
        limit = found["detection_limit"]
        assert limit["target"].startswith("a copy of this model (0.25"), name
        assert limit["status"] in FOUND, (name, limit)
        assert limit["unit"] == "exposures"
        assert [c["target"] for c in found["controls"]][-1] == "base"  # the negative control is the model itself
        assert {c["target"] for c in found["controls"] if c["kind"] == "positive"} == {"a copy of base"}
        assert all(c["passed"] is not False for c in found["controls"]), name
    printed = (tmp_path / "first" / "base" / "card.md").read_text(encoding="utf-8")
    assert "not on this model" not in printed

    def refuse(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(planting.Tuning, "run", refuse)
    assert probatum(*words(files, tmp_path / "second", *cache, probes=("min_k_prob",))).code == 0
    limit = finding(report_in(tmp_path / "second" / "base"), "min_k_prob")["detection_limit"]
    assert limit["target"].startswith("a copy of this model")


@pytest.mark.slow
def test_lora_says_so_and_is_honest_about_what_it_did_not_learn(files):
    pytest.importorskip("peft")
    from probatum.audit import collect
    from probatum.core.catalogue import load
    from probatum.engine.session import Session
    from probatum.runner import Runner

    subject = open_target("base")
    given = (str(files / "members.jsonl"), str(files / "nonmembers.jsonl"))
    records, _ = collect(subject, str(files), *given, {}, None, False)
    planted = in_situ.plant(subject, records, seconds=1800, how="LoRA")
    assert "tuned with LoRA of rank 16 on 40 texts" in planted.where
    assert any("conservative" in note for note in planted.notes)
    runner = Runner(subject, records, {}, Session(), in_situ=planted.controls_for)
    proof = runner.prove(load("loss"), {})
    assert proof.limit.target == planted.where
    learned = not any("not all learned" in note for note in planted.notes)
    assert (proof.limit.status in FOUND) >= learned  # learned: most of the highest dose stand above the blanks
    assert proof.limit.rates[-1].dose >= 32


def test_a_budget_that_is_too_short_is_one_sentence(probatum, files, tmp_path):
    ran = probatum(*words(files, tmp_path / "out", "--no-cache", "--budget", "0.001s"))
    assert ran.code == 2
    assert "planting takes about" in ran.err
    assert "give --budget" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.slow
def test_an_endpoint_cannot_be_planted_in_and_says_so(probatum, files, tmp_path):
    name = f"base-{open_target('base').digest[:12]}"
    with serve_http(open_target("base")) as url:
        sides = [word for side in ("members", "nonmembers") for word in (f"--{side}", files / f"{side}.jsonl")]
        more = ("--probe", "loss", "--in-situ", "--quiet", "--no-cache", "--limit", "40", "--out", tmp_path / "out")
        ran = probatum("audit", url, "--model", name, *sides, *more)
    assert ran.code == 0, ran.err
    (folder,) = (tmp_path / "out").iterdir()
    limit = finding(report_in(folder), "loss")["detection_limit"]
    assert limit["status"] == "not established"
    assert "no control can be planted in this model" in limit["reason"]


def test_nothing_to_plant_is_one_sentence(probatum, files, tmp_path):
    ran = probatum("audit", "base", "--texts", files / "members.jsonl", "--probe", "loss", "--in-situ", "--no-cache",
                   "--out", tmp_path / "out")  # fmt: skip
    assert ran.code == 2
    assert "--in-situ needs 40 or more texts in --nonmembers" in ran.err
    assert not os.listdir(tmp_path)
