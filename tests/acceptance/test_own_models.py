"""`probatum audit DIR`: a user's model, of any architecture, on the user's own data."""

import csv
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import sklearn.metrics
from driving import finding, report_in, write_jsonl
from own_models import finish, letters, naive_scores
from tiny_models import build

from probatum.controls.sets import builtin
from probatum.engine.store import EvidenceStore
from probatum.engine.stored import StoredTarget


def texts_in(file):
    return [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def data(own):
    return ("--members", own / "members.jsonl", "--nonmembers", own / "nonmembers.jsonl")


@pytest.fixture(scope="session")
def audited(once, own, data):
    """The whole suite on the trained model, with its base as the reference."""
    from driving import drive

    def make(folder):
        ran = drive("audit", own / "model", *data, "--reference", own / "base", "--out", folder)
        assert ran.code == 0, ran.err
        (folder / "printed.txt").write_text(ran.out, encoding="utf-8")

    return once("own-audited", make) / "model"


@pytest.fixture(scope="session")
def report(audited):
    return report_in(audited)


@pytest.mark.slow
def test_four_membership_scores_equal_a_naive_computation(own, report):
    members, nonmembers = texts_in(own / "members.jsonl"), texts_in(own / "nonmembers.jsonl")
    label = [1] * len(members) + [0] * len(nonmembers)
    naive = naive_scores(own / "model", members + nonmembers)
    for name, scores in naive.items():
        expected = sklearn.metrics.roc_auc_score(label, scores)
        assert 0.55 < expected < 1, name  # neither chance nor perfect: every pair that is swapped would show
        assert finding(report, name)["estimate"]["value"] == pytest.approx(expected, abs=1e-3), name
        assert finding(report, name)["estimate"]["n"] == len(label)


@pytest.mark.slow
def test_the_scores_themselves_equal_the_naive_ones(own, audited):
    members = texts_in(own / "members.jsonl")
    saved = json.loads((audited / "scores.json").read_text())["scores"]
    report = report_in(audited)
    naive = naive_scores(own / "model", members)
    for name, scores in naive.items():
        entry = saved[finding(report, name)["id"]]
        ours = [v for v, inside in zip(entry["values"], entry["label"], strict=True) if inside]
        np.testing.assert_allclose(np.sort(ours), np.sort(scores), atol=2e-4, err_msg=name)


@pytest.mark.slow
def test_known_members_of_a_trained_model_are_evidence(report):
    for name in ("loss", "min_k_plus_plus", "reference_ratio"):
        assert finding(report, name)["outcome"] == "evidence", finding(report, name)["reason"]
    assert set(finding(report, "reference_ratio")["roles"]) == {"reference"}
    assert report["subject"]["access"][:3] == ["TEXT", "LOGPROBS", "LOGITS"]
    assert [(d["role"], d["path"], d["n"]) for d in report["data"]] == [
        ("members", "members.jsonl", 60),
        ("nonmembers", "nonmembers.jsonl", 60),
    ]


@pytest.mark.slow
def test_a_probe_without_its_data_says_which_option_it_lacks(report):
    reasons = {f["probe"]: f["reason"] for f in report["findings"] if f["outcome"] == "not run"}
    assert reasons["false_preference"] == "needs --choices FILE"
    assert reasons["norm_agreement"] == "needs --norms FILE"
    assert reasons["discoverable_extraction"] == "needs --records FILE"
    assert reasons["paired_likelihood"] == "needs --pairs FILE"
    assert reasons["trigger_response"] == "needs --prompts FILE"
    assert reasons["fingerprint_match"] == "needs --key FILE"


@pytest.mark.slow
def test_the_limit_is_said_to_be_of_the_specimen_and_not_of_this_model(report, audited):
    limit = finding(report, "loss")["detection_limit"]
    assert limit["target"].startswith("the specimen (0.25 M parameters")
    sentence = "on the specimen (0.25 M parameters), not on this model"
    assert any(sentence in note for note in report["notes"])
    for view in ("report.html", "card.md"):
        assert sentence in (audited / view).read_text(encoding="utf-8").replace("\\", ""), view
    printed = " ".join((audited.parent / "printed.txt").read_text(encoding="utf-8").split())
    assert sentence in printed


@pytest.mark.slow
def test_nothing_of_the_invented_country_is_asked_of_a_users_model(own, data, probatum, tmp_path, monkeypatch):
    asked = {}

    def spy(name):
        real = getattr(StoredTarget, name)

        def call(self, first, *rest, **more):
            texts = [first, *rest, *more.values()]
            asked.setdefault(self.name, set()).update(json.dumps(texts, default=str).split('"'))
            return real(self, first, *rest, **more)

        monkeypatch.setattr(StoredTarget, name, call)

    for name in ("token_statistics", "choices", "generate", "encode", "hidden", "chat"):
        spy(name)
    monkeypatch.setattr(EvidenceStore, "note", lambda self, key: None)  # controls are run, not remembered
    records = tmp_path / "records.jsonl"
    rows = [{"prefix": f"The code of box {i} is ", "secret": f"{i * 7919 % 10**6:06d}"} for i in range(12)]
    records.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    probes = ("--probe", "loss", "--probe", "min_k_plus_plus", "--probe", "discoverable_extraction")
    words = ("audit", own / "model", *data, "--records", records, *probes, "--out", tmp_path / "out", "--quiet")
    assert probatum(*words).code == 0
    given = {*texts_in(own / "members.jsonl"), *texts_in(own / "nonmembers.jsonl"), *(r["prefix"] for r in rows)}
    mine = asked.pop(str(own / "model"))
    assert given <= mine
    country = {*builtin("control")["Members"].texts, *builtin("control")["Records"].prefix}
    assert not mine & country
    ours = set.union(*asked.values())
    assert country <= ours  # the spy does see what the controls were asked
    assert not ours & given
    assert set(asked) == {"specimen", "twin"}


@pytest.mark.slow
def test_all_kinds_of_files_give_the_same_finding(own, probatum, tmp_path):
    values = set()
    for ending in ("jsonl", "csv", "parquet", "txt"):
        files = []
        for side in ("members", "nonmembers"):
            texts = texts_in(own / f"{side}.jsonl")
            file = tmp_path / f"{side}.{ending}"
            if ending == "jsonl":
                file.write_text("\n".join(json.dumps({"body": t}) for t in texts), encoding="utf-8")
            elif ending == "csv":
                with file.open("w", newline="", encoding="utf-8") as handle:
                    csv.writer(handle).writerows([["number", "body"], *enumerate(texts)])
            elif ending == "parquet":
                pyarrow.parquet.write_table(pyarrow.table({"body": texts}), file)
            else:
                file.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
            files += [f"--{side}", file]
        field = () if ending == "txt" else ("--field", "body")
        out = tmp_path / ending
        ran = probatum("audit", own / "model", *files, *field, "--probe", "loss", "--out", out, "--quiet")
        assert ran.code == 0, ran.err
        loss = finding(report_in(out / "model"), "loss")
        values.add((loss["estimate"]["value"], loss["estimate"]["n"], loss["outcome"]))
    assert len(values) == 1, values


ARCHITECTURES = {
    "llama, untied, bos and eos": ("llama", {"vocab": 512, "bos": "<s>", "eos": "</s>"}),
    "llama, tied, odd vocabulary, no special token": ("llama", {"vocab": 509, "tied": True}),
    "gpt2, tied, eos only": ("gpt2", {"vocab": 300, "tied": True, "eos": "<end>"}),
    "gpt2, untied": ("gpt2", {"vocab": 511, "bos": "<s>"}),
    "neox, no special token": ("neox", {"vocab": 257}),
    "qwen2, more embeddings than tokens": ("qwen2", {"vocab": 1003, "tokens": 400, "tied": True, "eos": "<end>"}),
    "qwen2, untied": ("qwen2", {"vocab": 401, "eos": "<end>"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_random_models_of_every_architecture_are_audited_and_nothing_is_found(name, probatum, tmp_path):
    kind, options = ARCHITECTURES[name]
    build(kind, tmp_path / "model", context=256, **options)
    texts = letters(60, seed=22)
    m, n = write_jsonl(tmp_path / "m.jsonl", texts[:30]), write_jsonl(tmp_path / "n.jsonl", texts[30:])
    probes = ("--probe", "loss", "--probe", "min_k_plus_plus")
    ran = probatum("audit", tmp_path / "model", "--members", m, "--nonmembers", n, *probes, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    for probe in ("loss", "min_k_plus_plus"):
        found = finding(report_in(tmp_path / "out" / "model"), probe)
        assert found["outcome"] in ("no evidence", "inconclusive"), found
        assert found["estimate"]["n"] == 60


@pytest.mark.slow
def test_texts_longer_than_the_context_are_read_in_windows_and_this_is_said_twice(probatum, tmp_path, data):
    texts = letters(40, seed=33)
    long = [" ".join(texts[i : i + 6]) for i in range(0, 12, 6)]
    finish(tmp_path / "model", texts, context=128)
    m = write_jsonl(tmp_path / "m.jsonl", [*texts[12:26], *long])
    n = write_jsonl(tmp_path / "n.jsonl", texts[26:])
    words = ("audit", tmp_path / "model", "--probe", "loss", "--out", tmp_path / "out")
    for _ in range(2):  # the second run reads the store, and says the same
        assert probatum(*words, "--members", m, "--nonmembers", n).code == 0
        notes = report_in(tmp_path / "out" / "model")["notes"]
        assert any("2 of 30 texts are longer than the context of 128 tokens" in note for note in notes), notes
        saved = json.loads((tmp_path / "out" / "model" / "scores.json").read_text())["scores"]
        assert None not in next(iter(saved.values()))["values"]  # the long ones are scored, too
    assert probatum(*words, *data).code == 0
    assert not any("context" in note for note in report_in(tmp_path / "out" / "model")["notes"])


@pytest.mark.slow
def test_a_reference_of_another_vocabulary_is_compared_per_byte_as_is_said(own, data, probatum, tmp_path, audited):
    build("llama", tmp_path / "other", vocab=509, context=256)
    words = ("audit", own / "model", *data, "--probe", "reference_ratio", "--out", tmp_path / "out")
    assert probatum(*words, "--reference", tmp_path / "other").code == 0
    folder = tmp_path / "out" / "model"
    found = finding(report_in(folder), "reference_ratio")
    assert "per byte" in found["reason"]
    assert found["estimate"]["n"] == 120
    assert "per byte" in (folder / "report.html").read_text(encoding="utf-8")
    assert "per byte" not in finding(report_in(audited), "reference_ratio")["reason"]
