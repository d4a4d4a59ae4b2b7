"""Repairs with what cannot be repaired: one clear sentence each, and the original is never touched."""

import hashlib
import json
import shutil

import pytest
from driving import finding, report_in

from probatum.controls.forgetting import people_rows
from probatum.controls.specimen import directory, write_rows


@pytest.fixture(scope="session")
def sets(once):
    def make(folder):
        for kind, rows in people_rows().items():
            kept = rows if kind == "Forget" else [r for r in rows if "prefix" in r][:60]
            write_rows(folder / f"{kind.lower()}.jsonl", kept)

    return once("people-sets", make)


def test_what_is_in_both_sets_is_counted_and_named(probatum, sets, tmp_path):
    rows = (sets / "retain.jsonl").read_text(encoding="utf-8").splitlines()
    both = (sets / "forget.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    (tmp_path / "retain.jsonl").write_text("\n".join([*rows, *both]) + "\n", encoding="utf-8")
    ran = probatum("protect", "npo", "people", "--forget", sets / "forget.jsonl", "--retain", tmp_path / "retain.jsonl",
                   "--out", tmp_path / "out")  # fmt: skip
    assert ran.code == 2
    assert "2 texts stand both in" in ran.err
    assert json.loads(both[0])["id"] in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--retain", "empty.jsonl"), "the file is empty"),
        ((), "unlearning needs --forget FILE and --retain FILE"),
        (("--data", "notes.jsonl"), "give one or the other"),
        (("--retain", "retain.jsonl", "--adapter", "qlora:4"), "expected --adapter lora:r=16"),
    ],
)
def test_what_is_missing_is_said(probatum, sets, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    shutil.copyfile(sets / "retain.jsonl", tmp_path / "retain.jsonl")
    ran = probatum("protect", "npo", "people", "--forget", sets / "forget.jsonl", *words, "--out", "out")
    assert ran.code == 2
    assert sentence in ran.err
    assert "Traceback" not in ran.err


def receipt(probatum, sets, tmp_path, model, *words):
    return probatum(
        "audit", model, "--suite", "few.toml", "--forget", sets / "forget.jsonl", "--retain", sets / "retain.jsonl",
        "--holdout", sets / "holdout.jsonl", "--out", tmp_path / "report", "--quiet", *words,
    )  # fmt: skip


@pytest.fixture
def few(tmp_path, monkeypatch):
    """The suite of a receipt with the quickest of its measures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.toml").write_text(
        '[receipt]\ngate = ["retained_knowledge"]\n[[probe]]\nname = "retained_knowledge"\n'
        '[[probe]]\nname = "rephrased_extraction"\n',
        encoding="utf-8",
    )


def test_a_gold_of_another_tokenizer_is_refused(probatum, sets, tmp_path, few):
    ran = receipt(probatum, sets, tmp_path, "people", "--with", "original=people", "--with", "gold=base")
    assert ran.code == 2
    assert "another tokenizer" in ran.err


def test_a_receipt_against_nothing_is_refused(probatum, sets, tmp_path, few):
    shutil.copytree(directory("people"), tmp_path / "mine")
    ran = probatum("audit", "mine", "--suite", "few.toml", "--forget", sets / "forget.jsonl", "--retain",
                   sets / "retain.jsonl", "--quiet")  # fmt: skip
    assert ran.code == 2
    assert "something to compare with" in ran.err
    ran = probatum("audit", "mine", "--suite", "few.toml", "--retain", sets / "retain.jsonl", "--quiet")
    assert ran.code == 2
    assert "a receipt needs --forget FILE" in ran.err


@pytest.mark.slow
def test_a_gold_that_knows_the_forgotten_concludes_nothing(probatum, sets, tmp_path, few):
    ran = receipt(probatum, sets, tmp_path, "people_gold0", "--with", "original=people", "--with", "gold=people")
    assert ran.code == 0
    said = report_in(tmp_path / "report" / "people_gold0")["receipt"]
    assert said["verdict"] == "not established"
    assert "people is no gold" in said["sentence"]


@pytest.mark.slow
def test_what_was_never_learned_is_no_success(probatum, sets, tmp_path, few):
    """A gold that is "repaired" of what it never knew."""
    golds = ("--with", "gold=people_gold1", "--with", "gold=people_gold2")
    ran = receipt(probatum, sets, tmp_path, "people_gold0", "--with", "original=people_gold0", *golds)
    assert ran.code == 0
    said = report_in(tmp_path / "report" / "people_gold0")["receipt"]
    assert said["verdict"] == "nothing to remove"
    assert finding(report_in(tmp_path / "report" / "people_gold0"), "rephrased_extraction")["estimate"]["value"] < 0.1


@pytest.mark.slow
def test_a_method_that_moves_nothing_makes_no_model(probatum, sets, tmp_path):
    before = hashlib.sha256((directory("people") / "model.safetensors").read_bytes()).hexdigest()
    ran = probatum("protect", "npo", "people", "--forget", sets / "forget.jsonl", "--retain", sets / "retain.jsonl",
                   "--set", "steps=0", "--out", tmp_path / "out", "--quiet")  # fmt: skip
    assert ran.code != 0
    assert "changed no weight at all" in ran.err
    assert not (tmp_path / "out").exists()
    assert hashlib.sha256((directory("people") / "model.safetensors").read_bytes()).hexdigest() == before
