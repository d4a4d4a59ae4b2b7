"""`probatum canaries`: made, planted, trained on, and found; and nothing found where nothing was planted."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from driving import drive, finding, report_in, write_jsonl
from own_models import letters, train

import probatum as pb
from probatum.controls.canaries import make, read_canaries
from probatum.controls.specimen import directory

ROOT = Path(__file__).resolve().parents[2]
PROBES = ("loss", "exposure", "discoverable_extraction")


@pytest.fixture
def key(tmp_path, probatum):
    assert probatum("canaries", "make", "--out", tmp_path / "canaries", "--count", "60").code == 0
    return tmp_path / "canaries" / "key.json"


def secrets_of(key):
    return [c[name] for c in json.loads(key.read_text())["canaries"] for name in ("text", "secret")]


@pytest.mark.parametrize("verb", [(), ("make",), ("insert",)])
def test_every_help_has_an_example(probatum, verb):
    ran = probatum("canaries", *verb, "--help")
    assert ran.code == 0
    assert "Example: probatum canaries" in ran.out


def test_make_says_what_an_audit_can_show_and_no_secret(probatum, tmp_path):
    ran = probatum("canaries", "make", "--out", tmp_path / "c")
    assert ran.code == 0, ran.err
    printed = " ".join(ran.out.split())
    assert f"{tmp_path / 'c' / 'key.json'}: 200 canaries" in printed
    assert "digits 67, secrets of 29.9 bits" in printed
    assert "68 at 1, 66 at 4, 66 at 16" in printed
    assert "an AUROC of 0.614 four times in five" in printed
    assert "an epsilon of 4.19 at most" in printed
    assert "for that of a single record use --repeats 1" in printed
    assert "high-temperature left out: needs --model" in printed
    assert not any(secret in ran.out for secret in secrets_of(tmp_path / "c" / "key.json"))


def test_make_as_json(probatum, tmp_path):
    ran = probatum("canaries", "make", "--out", tmp_path / "c", "--repeats", "1", "--kinds", "people,digits", "--json")
    said = json.loads(ran.out)
    assert said["kinds"] == {"people": {"count": 100, "bits": said["kinds"]["people"]["bits"]}, "digits": {
        "count": 100, "bits": said["kinds"]["digits"]["bits"]}}  # fmt: skip
    assert said["seal"] == json.loads((tmp_path / "c" / "key.json").read_text())["seal"]
    assert said["lines"] == len((tmp_path / "c" / "canaries.jsonl").read_text().splitlines())
    assert said["repeats"] == {"1": 200}
    assert "single record" not in probatum("canaries", "make", "--out", tmp_path / "d", "--repeats", "1").out


def test_insert_says_how_much_of_the_data_they_are(probatum, key, tmp_path):
    train = write_jsonl(tmp_path / "train.jsonl", letters(300, seed=1))
    ran = probatum("canaries", "insert", train, "--key", key, "--out", tmp_path / "out.jsonl")
    assert ran.code == 0, ran.err
    lines = len((key.parent / "canaries.jsonl").read_text().splitlines())
    assert (
        f"300 records and {len(set(read_planted(key)))} canaries in {lines} lines ({lines / (300 + lines):.1%}"
        in ran.out
    )
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 300 + lines
    again = probatum("canaries", "insert", train, "--key", key, "--out", tmp_path / "out.jsonl", "--force", "--json")
    assert json.loads(again.out)["lines"] == lines


def read_planted(key):
    return [json.loads(line)["text"] for line in (key.parent / "canaries.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("make",), "Missing option '--out'"),
        (("make", "--out", "new", "--count", "3"), "expected 40 to 100,000 canaries, got 3"),
        (("make", "--out", "new", "--kinds", "birds"), "no kind of canary is called 'birds'"),
        (("make", "--out", "new", "--kinds", ","), "name at least one"),
        (("make", "--out", "new", "--kinds", "high-temperature"), "name it with --model"),
        (("make", "--out", "new", "--kinds", "digits", "--model", "base"), "which --kinds leaves out"),
        (("make", "--out", "new", "--model", "nowhere"), "no such directory"),
        (("make", "--out", "new", "--repeats", "1,x"), "expected --repeats as counts with commas"),
        (("make", "--out", "new", "--repeats", "0"), "got 0"),
        (("make", "--out", "canaries"), "is there already, and an audit may need it"),
        (("insert", "train.jsonl", "--key", "train.jsonl", "--out", "new"), "not a key of canaries"),
        (("insert", "train.jsonl", "--key", "canaries", "--out", "new"), "ending in .jsonl"),
        (("insert", "nowhere.jsonl", "--key", "canaries", "--out", "new.jsonl"), "no such file"),
        (("insert", "train.jsonl", "--key", "canaries", "--out", "train.jsonl"), "is the source itself"),
        (("bake",), "No such command 'bake'"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_exit_code_2(probatum, key, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "train.jsonl", letters(5, seed=1))
    ran = probatum("canaries", *words)
    assert ran.code == 2, (ran.out, ran.err)
    assert ran.err.startswith("probatum: ")
    assert ran.err.count("\n") == 1
    assert sentence in ran.err
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.jsonl").exists()
    assert not any(secret in ran.err for secret in secrets_of(key))


def test_an_audit_refuses_a_key_that_was_changed(probatum, tiny, key, tmp_path):
    key.write_text(key.read_text().replace('"member": true', '"member": false', 1))
    ran = probatum("audit", tiny / "model", "--canaries", key, "--probe", "loss", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "the key was changed after it was made" in ran.err


@pytest.mark.slow
def test_a_model_writes_canaries_at_high_temperature(probatum, tmp_path):
    ran = probatum("canaries", "make", "--out", tmp_path, "--count", "40", "--model", "base", "--quiet")
    assert ran.code == 0, ran.err
    assert "high-temperature  10\n" in ran.out
    data = read_canaries(tmp_path)
    assert (len(data["Members"]), len(data["Records"])) == (40, 30)


@pytest.fixture(scope="module")
def trained(once):
    """Two keys, and a GPT-2 that was trained on letters and on the canaries of the first."""

    def fill(folder):
        texts = letters(60, seed=3)
        own, _ = (make(folder / f"canaries-{k}", count=120, repeats=(1, 4), seed=s) for k, s in (("a", 11), ("b", 12)))
        train(folder / "model", [*texts, *own.planted], texts, steps=120)

    return once("canaries-trained", fill)


@pytest.mark.slow
def test_canaries_of_a_training_are_found_and_those_of_another_are_not(trained, tmp_path):
    for key in ("a", "b"):
        words = (
            "--canaries",
            trained / f"canaries-{key}" / "key.json",
            *(w for p in PROBES[:2] for w in ("--probe", p)),
        )
        ran = drive("audit", trained / "model", *words, "--out", tmp_path / key, "--quiet")
        assert ran.code == 0, ran.err
    own, other = report_in(tmp_path / "a" / "model"), report_in(tmp_path / "b" / "model")
    assert finding(own, "loss")["outcome"] == finding(own, "exposure")["outcome"] == "evidence"
    assert finding(own, "loss")["estimate"]["low"] > 0.6
    assert finding(other, "loss")["outcome"] == finding(other, "exposure")["outcome"] == "no evidence"
    assert {d["role"]: d["n"] for d in own["data"]}["canaries"] == 120
    whole = "".join((tmp_path / "a" / "model" / name).read_text() for name in ("report.json", "report.html", "card.md"))
    assert not any(secret in whole for secret in secrets_of(trained / "canaries-a" / "key.json"))


@pytest.mark.slow
def test_canaries_of_a_lora_training_are_found(tmp_path):
    peft = pytest.importorskip("peft")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = make(tmp_path / "canaries", count=120, repeats=(4,), seed=21)
    model = AutoModelForCausalLM.from_pretrained(directory("base"), dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(directory("base"))
    torch.manual_seed(0)
    model = peft.get_peft_model(model, peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")).train()
    rows = [torch.tensor([0, *tokenizer.encode(text), 0]) for text in made.planted]
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=5e-3)
    for _ in range(5):
        for batch in torch.randperm(len(rows)).split(16):
            ids = torch.nn.utils.rnn.pad_sequence([rows[i] for i in batch], batch_first=True)
            labels = torch.nn.utils.rnn.pad_sequence([rows[i] for i in batch], batch_first=True, padding_value=-100)
            optimizer.zero_grad()
            model(input_ids=ids, labels=labels).loss.backward()
            optimizer.step()
    model.merge_and_unload().save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    report = pb.audit(tmp_path / "model", canaries=tmp_path / "canaries" / "key.json", probes=PROBES[:2])
    found = {f.probe: f for f in report}
    assert found["loss"].outcome == found["exposure"].outcome == "evidence"
    assert found["loss"].estimate.low > 0.6


@pytest.mark.slow
def test_the_page_on_a_release_decision_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "release.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    ended = []
    for kind, text in re.findall(r"^```(sh|python)\n(.*?)^```", page, re.M | re.S):
        if kind == "python":
            exec(compile(text, "release.md", "exec"), names)
            continue
        for line in text.strip().splitlines():
            wanted = 1 if line.endswith("# exit code 1") else 0
            first, *words = shlex.split(line, comments=True)
            if first == "python":
                env = {**os.environ, "OMP_NUM_THREADS": "1"}
                code = subprocess.run([sys.executable, ROOT / words[0], *words[1:]], env=env, check=False).returncode
            else:
                assert first == "probatum"
                code = drive(*words).code
            assert code == wanted, line
            ended.append(code)
    assert 1 in ended
    assert (tmp_path / "probatum-report" / "gentle" / "report.json").exists()
