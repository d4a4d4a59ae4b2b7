"""`probatum protect npo`: the repaired model forgets, keeps the rest, and both are proved side by side."""

import hashlib
import json

import pytest
from driving import finding, report_in

from probatum.controls import planted
from probatum.controls.specimen import directory, write_rows
from probatum.targets import open_target


@pytest.fixture(scope="session")
def sets(once):
    def make(folder):
        for name in ("forget", "retain"):
            rows = planted.rows()[name]
            kept = [row for row in rows if name == "forget" or row.get("dose", 0) >= 32 or not row["id"].endswith("1")]
            write_rows(folder / f"{name}.jsonl", kept)

    return once("forget-and-retain", make)


def contents(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir()) if f.is_file()}


@pytest.fixture(scope="session")
def repaired(once, sets):
    from driving import drive

    def make(folder):
        before = contents(directory("specimen"))
        files = ("--forget", sets / "forget.jsonl", "--retain", sets / "retain.jsonl")
        ran = drive("protect", "npo", "specimen", *files, "--out", folder / "model", "--quiet")
        assert ran.code == 0, ran.err
        assert ran.err == ""
        (folder / "printed.txt").write_text(ran.out, encoding="utf-8")
        unchanged = before == contents(directory("specimen"))
        (folder / "unchanged.json").write_text(json.dumps(unchanged), encoding="utf-8")

    return once("repaired", make)


def share(repaired, name, stage):
    report = report_in(repaired / "model" / "audits" / name / stage)
    return finding(report, "discoverable_extraction")["estimate"]["value"]


@pytest.mark.slow
def test_what_was_to_be_forgotten_is_forgotten(repaired):
    assert share(repaired, "forget", "before") >= 0.4
    assert share(repaired, "forget", "after") <= 0.1


@pytest.mark.slow
def test_what_was_to_be_kept_is_kept(repaired):
    before, after = share(repaired, "retain", "before"), share(repaired, "retain", "after")
    assert before > 0.05
    assert after >= 0.7 * before


@pytest.mark.slow
def test_gold_which_never_saw_it_stands_beside(repaired):
    assert share(repaired, "forget", "gold") <= 0.1
    header = (repaired / "printed.txt").read_text(encoding="utf-8").splitlines()
    assert any("before" in line and "gold" in line for line in header[:3])


@pytest.mark.slow
def test_the_difference_is_paired_and_printed_with_its_interval(repaired, probatum):
    audits = repaired / "model" / "audits" / "forget"
    rows = json.loads(probatum("compare", audits / "before", audits / "after", "--json").out)
    d = next(r["difference"] for r in rows if r["probe"] == "discoverable_extraction")
    assert d["kind"] == "paired"
    assert d["p_value"] < 0.01
    # Where every record fell from 1 to 0 there is no spread to make an interval of.
    assert d["value"] == -1 if d["high"] is None else d["high"] < 0
    printed = (repaired / "printed.txt").read_text(encoding="utf-8")
    assert f"{d['value']:+.3g}" in printed
    assert "paired" in printed


@pytest.mark.slow
def test_the_original_is_untouched_and_the_new_model_says_where_it_comes_from(repaired):
    assert json.loads((repaired / "unchanged.json").read_text()) is True
    said = json.loads((repaired / "model" / "protection.json").read_text(encoding="utf-8"))
    original = open_target("specimen")
    assert said["protection"] == "npo"
    assert said["parent"] == original.digest
    made = open_target(repaired / "model")
    assert made.digest != original.digest
    assert made.parameter_count == original.parameter_count
    assert not (repaired / "model.part").exists()


@pytest.mark.slow
def test_the_new_model_is_audited_like_any_other(repaired, probatum, tmp_path, sets):
    words = ("--records", sets / "forget.jsonl", "--probe", "discoverable_extraction", "--out", tmp_path, "--quiet")
    assert probatum("audit", repaired / "model", *words).code == 0
    assert finding(report_in(tmp_path / "model"), "discoverable_extraction")["estimate"]["value"] <= 0.1


def test_a_directory_that_is_not_empty_is_refused(probatum, sets, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    files = ("--forget", sets / "forget.jsonl", "--retain", sets / "retain.jsonl")
    ran = probatum("protect", "npo", "specimen", *files, "--out", tmp_path)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "is not empty" in ran.err
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("npo", "specimen", "--forget", "retain", "--retain", "retain"), "stand both in"),
        (("loss", "specimen", "--forget", "forget", "--retain", "retain"), "loss is a probe, not a protection"),
        (("np", "specimen", "--forget", "forget", "--retain", "retain"), "did you mean npo"),
        (("npo", "specimen", "--forget", "forget", "--retain", "nowhere"), "no such file"),
        (("npo", "nowhere", "--forget", "forget", "--retain", "retain"), "no such directory"),
        (("npo", "specimen", "--forget", "forget", "--retain", "retain", "--set", "beto=1"), "no option 'beto'"),
        (("npo", "specimen", "--forget", "forget"), "--retain"),
    ],
)
def test_what_cannot_be_repaired_is_one_sentence(probatum, sets, tmp_path, words, said):
    words = [sets / f"{w}.jsonl" if words[i - 1] in ("--forget", "--retain") else w for i, w in enumerate(words)]
    ran = probatum("protect", *words, "--out", tmp_path / "out")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []
