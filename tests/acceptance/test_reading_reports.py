"""The verbs that read: report, compare, list, explain, schema, specimen, cache, and `audit --plan`."""

import json
import shutil

import pytest
from driving import report_in

from probatum.core.catalogue import entries
from probatum.core.finding import DIMENSIONS
from probatum.core.suite import read_suite
from probatum.targets.transformers import TransformersTarget


@pytest.mark.slow
def test_report_renders_the_very_same_page_from_the_json_alone(audits, probatum, tmp_path):
    shutil.copy(audits / "specimen" / "report.json", tmp_path)
    ran = probatum("report", tmp_path / "report.json")
    assert ran.code == 0, ran.err
    for name in ("report.html", "card.md", "report.json"):
        assert (tmp_path / name).read_bytes() == (audits / "specimen" / name).read_bytes(), name
    assert "privacy" in ran.out
    long = probatum("report", tmp_path / "report.json", "--long", "--out", tmp_path / "elsewhere")
    assert "min_k_plus_plus" in long.out
    assert (tmp_path / "elsewhere" / "report.html").is_file()


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"not json", "not a report"), (b"[]", "a report"), (b'{"schema_version": 99}', "99"), (b"\xff\xfe", "a report")],
)
def test_a_file_that_is_no_report_is_said_to_be_none(probatum, tmp_path, content, word):
    (tmp_path / "report.json").write_bytes(content)
    for words in (("report", tmp_path / "report.json"), ("compare", tmp_path, tmp_path)):
        ran = probatum(*words)
        assert ran.code == 2
        assert ran.err.count("\n") == 1
        assert word in ran.err
        assert list(tmp_path.iterdir()) == [tmp_path / "report.json"]


@pytest.mark.slow
def test_compare_gives_paired_differences_with_intervals(audits, probatum):
    rows = {r["probe"]: r for r in json.loads(probatum("compare", audits / "specimen", audits / "twin", "--json").out)}
    assert set(rows) == {name for name, _ in read_suite("default").probes}
    for name in ("loss", "min_k_plus_plus", "false_preference", "norm_agreement", "discoverable_extraction"):
        d = rows[name]["difference"]
        assert d["kind"] == "paired", name
        assert d["low"] < d["value"] < d["high"] < 0, name
        assert d["p_value"] < 0.01, name
        expected = rows[name]["b"]["estimate"]["value"] - rows[name]["a"]["estimate"]["value"]
        assert d["value"] == pytest.approx(expected, abs=1e-6), name
    # Two cards make two different sets of claims: nothing is paired there.
    assert rows["card_claims"]["difference"]["kind"] != "paired"
    table = probatum("compare", audits / "specimen" / "report.json", audits / "twin" / "report.json")
    assert table.code == 0
    assert "loss" in table.out
    assert "paired" in table.out


@pytest.mark.slow
def test_compare_of_a_report_with_itself_finds_no_difference(audits, probatum):
    rows = json.loads(probatum("compare", audits / "twin", audits / "twin", "--json").out)
    for row in rows:
        assert row["difference"]["value"] in (0, None), row["probe"]


@pytest.mark.slow
def test_the_schema_describes_the_report(audits, probatum):
    schema = json.loads(probatum("schema").out)
    report = report_in(audits / "specimen")
    assert set(report) == set(schema["properties"])
    finding = schema["$defs"]["Finding"]
    assert set(report["findings"][0]) == set(finding["properties"])
    assert set(finding["properties"]["outcome"]["enum"]) == {
        "evidence", "no evidence", "measured", "inconclusive", "not run",
    }  # fmt: skip


def test_list_names_every_method_as_a_table_as_json_and_as_markdown(probatum):
    listed = json.loads(probatum("list", "--json").out)
    assert {row["name"] for row in listed} == set(entries())
    assert {row["dimension"] for row in listed if row["kind"] == "probe"} == set(DIMENSIONS)
    assert all(row["question"].endswith("?") and row["paper"] for row in listed)
    markdown, table = probatum("list", "--markdown").out, probatum("list").out
    for name in entries():
        assert f"| `{name}` |" in markdown
        assert name in table


@pytest.mark.parametrize("name", sorted(entries()))
def test_explain_says_what_a_method_asks_computes_and_needs(probatum, name):
    ran = probatum("explain", name)
    entry = entries()[name]
    assert ran.code == 0
    assert entry.question in ran.out
    assert entry.paper in ran.out
    assert entry.doc.splitlines()[0] in ran.out
    for option in entry.signature.options:
        assert f"option    {option}:" in ran.out


def test_explain_names_the_nearest_methods(probatum):
    ran = probatum("explain", "min_k_pro")
    assert (ran.code, ran.out) == (2, "")
    assert "min_k_prob" in ran.err


def test_specimen_writes_all_models_and_all_data(probatum, tmp_path):
    assert probatum("specimen", tmp_path / "truth", "--quiet").code == 0
    for model in ("specimen", "twin", "base", "stranger", "gold"):
        for file in ("config.json", "model.safetensors", "tokenizer.json"):
            assert (tmp_path / "truth" / model / file).is_file(), (model, file)
    data = {f.name: f.read_text(encoding="utf-8").splitlines() for f in (tmp_path / "truth" / "data").glob("*.jsonl")}
    for name in ("members", "records", "facts", "norms", "forms", "groups", "triggers", "fingerprints", "public"):
        rows = [json.loads(line) for line in data[f"{name}.jsonl"]]
        assert len(rows) >= 10, name
    assert {"forget.jsonl", "retain.jsonl"} <= set(data)
    for name in ("people", "people_gold0", "people_gold1", "people_gold2", "people_packed"):
        assert (tmp_path / "truth" / name / "model.safetensors").is_file(), name
    assert {f.name for f in (tmp_path / "truth" / "data" / "people").iterdir()} == {
        "forget.jsonl", "retain.jsonl", "holdout.jsonl",
    }  # fmt: skip


@pytest.mark.slow
def test_cache_says_how_large_it_is_and_clears_it(probatum, tmp_path, tiny):
    store = tmp_path / "store"
    model, m, n = tiny / "model", tiny / "members.jsonl", tiny / "nonmembers.jsonl"
    words = ("audit", model, "--members", m, "--nonmembers", n, "--probe", "loss", "--token-budget", 100_000)
    assert probatum(*words, "--cache", store, "--out", tmp_path / "out", "--quiet").code == 0
    before = probatum("cache", "--cache", store).out
    assert " 0 rows" not in before
    assert " 0 rows" in probatum("cache", "--cache", store, "--clear").out
    assert oct(store.stat().st_mode)[-3:] == "700"


@pytest.fixture
def no_model(monkeypatch):
    def refuse(self):
        raise AssertionError(f"{self.name} was loaded")

    monkeypatch.setattr(TransformersTarget, "_network", property(refuse))


@pytest.mark.slow
@pytest.mark.usefixtures("no_model")
def test_plan_says_what_would_run_and_calls_no_model(probatum, tmp_path, own):
    out = tmp_path / "out"
    ran = probatum("audit", "specimen", "--plan", "--out", out)
    assert ran.code == 0, ran.err
    for name, _ in read_suite("default").probes:
        line = next(line for line in ran.out.splitlines() if line.split()[:1] == [name])
        assert " runs, " in line
    assert "at most" in ran.out
    m, n = own / "members.jsonl", own / "nonmembers.jsonl"
    ran = probatum("audit", own / "model", "--members", m, "--nonmembers", n, "--plan", "--out", out)
    assert "needs --choices FILE" in ran.out
    assert next(line for line in ran.out.splitlines() if line.split()[:1] == ["loss"]).endswith("further tokens")
    assert not out.exists()


@pytest.mark.slow
def test_a_budget_of_what_the_plan_says_is_enough_and_a_tenth_of_it_is_not(probatum, tmp_path, own):
    words = ["audit", own / "model", "--members", own / "members.jsonl", "--nonmembers", own / "nonmembers.jsonl"]
    words += ["--probe", "loss", "--probe", "min_k_prob"]
    most = int(probatum(*words, "--plan").out.rsplit("at most ", 1)[1].split(" ")[0].replace(",", ""))
    assert most > 1000
    words[1] = shutil.copytree(own / "model", tmp_path / "copy")  # another digest, so that nothing of it is stored
    config = json.loads((tmp_path / "copy" / "config.json").read_text())
    (tmp_path / "copy" / "config.json").write_text(json.dumps(config | {"note": "a copy"}))
    for budget, enough in ((most // 10, False), (most, True)):
        assert probatum(*words, "--out", tmp_path / "out", "--quiet", "--token-budget", budget).code == 0
        ran = [f["outcome"] != "not run" for f in report_in(tmp_path / "out" / "copy")["findings"]]
        assert ran == [enough, enough], budget
