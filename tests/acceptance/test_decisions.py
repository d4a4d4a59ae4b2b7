"""`probatum audit decisions.csv --label … --prediction … --group …`: decisions that were already taken."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from driving import finding, report_in

COMPAS = Path(__file__).parents[2].parent / "shared/data/fairness/compas_for_aequitas.csv"
NAMED = ("--label", "y", "--prediction", "yhat", "--group", "sex")


def table(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def decided(n=200, seed=0, words=("1", "0")):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        y, sex = rng.random() < 0.5, "mf"[i % 2]
        yes = rng.random() < (0.8 if y else 0.2) - 0.1 * (sex == "f")
        rows.append({"y": words[not y], "yhat": words[not yes], "sex": sex, "risk": f"{rng.random():.3f}"})
    return rows


@pytest.fixture
def measured(probatum, tmp_path):
    def audit(path, *named):
        ran = probatum("audit", path, *named, "--no-cache", "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        return report_in(tmp_path / "out" / path.name), ran

    return audit


@pytest.mark.skipif(not COMPAS.is_file(), reason="the public file is not here")
def test_the_golden_numbers_of_compas(measured):
    named = ("--label", "label_value", "--prediction", "score", "--group", "race")
    report, ran = measured(COMPAS, *named)
    assert report["subject"]["kind"] == "decisions"
    assert [f["probe"] for f in report["findings"]] == ["group_metrics"]
    found = finding(report, "group_metrics")
    assert found["outcome"] == "measured"
    golden = {
        "false positive rate": (0.4485, 0.2345),
        "true positive rate": (0.7201, 0.5228),
        "selection rate": (0.5882, 0.3480),
    }
    for rate, values in golden.items():
        for race, value in zip(("African-American", "Caucasian"), values, strict=True):
            part = found["breakdown"][f"{rate}, race={race}"]
            assert part["value"] == pytest.approx(value, abs=5e-5)
            assert part["low"] < value < part["high"]
    # 18 people in all; and 32, of whom 9 and 23 stand behind the error rates.
    assert "race=Native American (18 records" in found["reason"]
    assert "race=Asian (32 records, 9 with the label, 23 without)" in found["reason"]
    assert "race=Other" not in found["reason"].split("not compared")[1]
    assert {c["kind"] for c in found["controls"]} == {"positive", "negative"}
    assert all(c["passed"] for c in found["controls"])
    assert "measured" in ran.out


@pytest.mark.skipif(not COMPAS.is_file(), reason="the public file is not here")
def test_intersections_of_two_columns(measured):
    named = ("--label", "label_value", "--prediction", "score", "--group", "race", "--group", "sex")
    found = finding(measured(COMPAS, *named)[0], "group_metrics")
    apart = {f: found["breakdown"][f"equalized odds difference, {f}"] for f in ("race", "sex", "race and sex")}
    assert apart["sex"]["value"] < 0.03 < 0.3 < apart["race"]["value"] <= apart["race and sex"]["value"]
    assert "race=Asian, sex=Female (2 records" in found["reason"]


def test_csv_and_jsonl_say_the_same_and_words_are_read(measured, tmp_path):
    one, _ = measured(table(tmp_path / "a.csv", decided()), *NAMED)
    rows = [{**row, "y": row["y"] == "1", "yhat": int(row["yhat"])} for row in decided()]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    two, _ = measured(tmp_path / "a.jsonl", *NAMED)
    three, _ = measured(table(tmp_path / "b.csv", decided(words=("Yes", "no"))), *NAMED)
    estimates = [finding(r, "group_metrics")["estimate"] for r in (one, two, three)]
    assert estimates[0] == estimates[1] == estimates[2]


def test_without_labels_there_is_parity_and_it_says_so(measured, tmp_path):
    found = finding(measured(table(tmp_path / "a.csv", decided()), *NAMED[2:])[0], "group_metrics")
    assert found["estimate"]["metric"] == "demographic parity difference"
    assert "nothing can be said of errors" in found["reason"]


def test_a_score_against_its_label_is_named(measured, tmp_path):
    rows = decided(400)
    for row in rows:
        right = (row["y"] == "1") == (row["sex"] == "m")  # turned round for one group
        row["risk"] = f"{float(row['risk']) + right:.3f}"
    found = finding(measured(table(tmp_path / "a.csv", rows), *NAMED, "--score", "risk")[0], "group_metrics")
    assert "the score runs against its label in sex=f (AUROC 0" in found["reason"]
    assert "AUROC of the score, sex=m" in found["breakdown"]


def test_people_decided_on_twice_are_one_unit(measured, tmp_path):
    rows = [{**row, "cluster": i // 4} for i, row in enumerate(r for r in decided() for _ in range(4))]
    found = finding(measured(table(tmp_path / "a.csv", rows), *NAMED)[0], "group_metrics")
    assert found["estimate"]["n"] == 200
    assert "by cluster" in found["estimate"]["method"]


BAD = {
    "no such column": (lambda rows: rows, ("--prediction", "decision", "--group", "sex"), "no column 'decision'"),
    "no group named": (lambda rows: rows, ("--prediction", "yhat"), "at least one column of groups"),
    "a label without a prediction": (lambda rows: rows, ("--label", "y", "--group", "sex"), "name --prediction too"),
    "a score as a decision": (
        lambda rows: rows, ("--prediction", "risk", "--group", "sex"), "record 1: 'risk' is neither yes nor no",
    ),
    "an empty decision": (
        lambda rows: [{**rows[0], "yhat": ""}, *rows[1:]], NAMED, "record 1: 'yhat' is empty",
    ),
    "one group only": (lambda rows: rows[::2], NAMED, "all rows are of one group"),
    "a name as a group": (
        lambda rows: [{**r, "sex": f"{i}"} for i, r in enumerate(rows * 3)],
        NAMED,
        "600 different values make no groups",
    ),
    "a score that is a word": (
        lambda rows: [{**r, "risk": "high"} for r in rows], (*NAMED, "--score", "risk"), "'risk' must be a number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_bad_tables_are_one_sentence(fault, probatum, tmp_path):
    spoil, named, sentence = BAD[fault]
    path = table(tmp_path / "a.csv", spoil(decided()))
    ran = probatum("audit", path, *named, "--no-cache", "--out", tmp_path / "out")
    assert ran.code == 2
    assert ran.err.startswith("probatum: ")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_table_without_its_columns_says_what_to_name(probatum, tmp_path):
    ran = probatum("audit", table(tmp_path / "a.csv", decided()), "--no-cache")
    assert ran.code == 2
    assert "--prediction NAME and --group NAME" in ran.err


def test_columns_for_what_is_no_table_are_refused(probatum):
    ran = probatum("audit", "specimen", *NAMED, "--no-cache")
    assert ran.code == 2
    assert "is for a table of decisions" in ran.err


def test_a_plan_of_a_table_says_what_runs(probatum, tmp_path):
    ran = probatum("audit", table(tmp_path / "a.csv", decided()), *NAMED, "--plan", "--no-cache")
    assert ran.code == 0, ran.err
    assert "group_metrics" in ran.out
