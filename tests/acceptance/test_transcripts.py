"""`probatum audit answers.jsonl`: recorded answers in place of a model; the golden numbers of GPT-4 on Adult."""

import json
from pathlib import Path

import pytest
from driving import finding, report_in

from probatum.controls.responders import RULES
from probatum.sets.finding import items_of

PUBLIC = Path(__file__).parents[2].parent / "shared/data"
ADULT = PUBLIC / "decodingtrust"


def record(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def answered(tmp_path):
    """A file of answers to generated items by a rule of the null responders."""

    def write(who="oracle", task="trustllm/external", n=None, **more):
        items = items_of(task).items
        rows = [{"prompt": items.prompt[i], "answer": RULES[who](items, i), **more} for i in range(n or len(items))]
        return record(tmp_path / "answers.jsonl", rows)

    return write


@pytest.mark.skipif(not ADULT.is_dir(), reason="the public files are not here")
def test_the_recorded_answers_of_gpt_4_on_adult(probatum, tmp_path):
    ran = probatum(
        *("audit", ADULT / "gpt-4-0314_adult_0_200.jsonl", "--data", ADULT, "--probe", "adult_fairness"),
        *("--no-cache", "--out", tmp_path / "out"),
    )
    assert ran.code == 0, ran.err
    report = report_in(tmp_path / "out/gpt-4-0314_adult_0_200.jsonl")
    assert report["subject"]["kind"] == "transcript"
    assert report["subject"]["access"] == ["TEXT"]
    assert "they are of gpt-4-0314" in report["notes"][0]
    found = finding(report, "adult_fairness")
    parts = found["breakdown"]
    assert found["outcome"] == "measured"
    assert parts["demographic parity difference"]["value"] == pytest.approx(0.21)
    assert parts["equalized odds difference"]["value"] == pytest.approx(0.26)
    assert found["released"]["value"] == pytest.approx(0.79)
    assert found["answers"] == {"answered": 200, "missing": 0, "refused": 0, "unparsable": 0}
    chosen = [parts[f"selection rate, {sex}"] for sex in ("Female", "Male")]
    assert round(sum(p["value"] * p["n"] for p in chosen)) == 123
    assert all(p["low"] < p["value"] < p["high"] for p in parts.values())


def test_what_was_not_recorded_is_missing_and_not_dropped(probatum, tmp_path, answered):
    path = answered(n=100)
    ran = probatum("audit", path, "--probe", "external_misinformation", "--no-cache", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    found = finding(report_in(tmp_path / "out/answers.jsonl"), "external_misinformation")
    assert found["answers"] == {"answered": 100, "missing": 20, "refused": 0, "unparsable": 0}
    assert found["unscored"] == {"no answer was recorded to this prompt": 20}


def test_empty_answers_count_as_missing(probatum, tmp_path, answered):
    rows = [json.loads(line) for line in answered().read_text().splitlines()]
    for row in rows[:30]:
        row["answer"] = ""
    ran = probatum(
        *("audit", record(tmp_path / "answers.jsonl", rows), "--probe", "external_misinformation"),
        *("--no-cache", "--out", tmp_path / "out"),
    )
    assert ran.code == 0, ran.err
    report = report_in(tmp_path / "out/answers.jsonl")
    found = finding(report, "external_misinformation")
    assert found["answers"]["missing"] == 30
    assert found["estimate"]["value"] == pytest.approx(90 / 120)
    assert "30 recorded answers are empty and count as missing" in report["notes"]


def test_answers_for_other_items_are_bad_input_or_not_run(probatum, tmp_path, answered):
    """Where no task of the audit was answered, the file is of other items; where one was, the others are not run."""
    path = answered()
    ran = probatum("audit", path, "--probe", "adult_fairness", "--no-cache", "--out", tmp_path / "out")
    assert ran.code == 2
    assert ran.err.startswith("probatum: ")
    assert "answers none of the 120 prompts asked here; its 120 answers are to other items" in ran.err
    assert ran.err.count("\n") == 1
    both = ("--probe", "adult_fairness", "--probe", "external_misinformation")
    ran = probatum("audit", path, *both, "--no-cache", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    report = report_in(tmp_path / "out/answers.jsonl")
    assert finding(report, "external_misinformation")["outcome"] == "measured"
    other = finding(report, "adult_fairness")
    assert other["outcome"] == "not run"
    assert "answers none of the 120 prompts" in other["reason"]


def test_a_probe_that_needs_more_than_text_is_not_run(probatum, tmp_path, answered):
    ran = probatum(
        *("audit", answered(), "--probe", "loss", "--probe", "external_misinformation"),
        *("--no-cache", "--out", tmp_path / "out"),
    )
    assert ran.code == 0, ran.err
    loss = finding(report_in(tmp_path / "out/answers.jsonl"), "loss")
    assert loss["reason"] == "needs LOGPROBS, this transcript gives TEXT"


def test_two_transcripts_of_the_same_items_are_compared_item_by_item(probatum, tmp_path, answered):
    for who in ("oracle", "random"):
        out = ("--no-cache", "--out", tmp_path / who)
        assert probatum("audit", answered(who), "--probe", "external_misinformation", *out).code == 0
    reports = [tmp_path / who / "answers.jsonl/report.json" for who in ("oracle", "random")]
    ran = probatum("compare", *reports)
    assert ran.code == 0, ran.err
    assert "paired" in ran.out
