"""Names of models: their parts, whether they hold, whether they say what changed, and the next version."""

import json

import numpy as np
import pytest
from models import llama, tuned, write

from probatum.lineage.compare import compare_directories
from probatum.scan import scan
from probatum.scan.intake import look
from probatum.scan.model_name import KINDS, next_version, renamed, split
from probatum.scan.name_claims import precision_holds, size_holds

BASE = llama(1)
COUNT = sum(t.size for t in BASE.values())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("org/Big-Llama-3.1-8B-Instruct-GGUF", {"series": "big-llama", "version": "3.1", "size": "8b",
                                                "variant": "instruct", "precision": "gguf"}),
        ("Mix-8x7B-Instruct-v0.1", {"series": "mix", "size": "8x7b", "variant": "instruct", "version": "v0.1"}),
        ("Name2.5-0.5B-AWQ", {"series": "name", "version": "2.5", "size": "0.5b", "precision": "awq"}),
        ("name-1.1b-chat-v1.0.Q4_K_M.gguf", {"series": "name", "size": "1.1b", "variant": "chat", "version": "v1.0",
                                             "precision": "q4_k_m gguf"}),
        ("Name3-30B-A3B-Thinking-2507", {"series": "name3", "size": "30b-a3b", "variant": "thinking",
                                         "version": "2507"}),
        ("name_7b_sft_dpo_lora_4bit", {"series": "name", "size": "7b", "method": "sft dpo lora", "precision": "4bit"}),
        ("opt-350m", {"series": "opt", "size": "350m"}),
        ("Name-3-mini-128k-instruct", {"series": "name", "version": "3", "size": "mini", "variant": "128k instruct"}),
        ("name-base-uncased-finetuned-sst-2-english", {"series": "name", "variant": "base uncased",
                                                       "method": "finetuned", "rest": "sst 2 english"}),
        ("a model 2024-05-01", {"series": "a-model", "version": "2024-05-01"}),
        ("name-8B-bf16-merged-step-500", {"series": "name", "size": "8b", "precision": "bf16", "method": "merged",
                                          "version": "step-500"}),
        ("t5-small", {"series": "t5", "size": "small"}),
        ("8a7f3b2c1d", {"series": "8a7f3b2c1d"}),
        ("", {}),
    ],
)  # fmt: skip
def test_names_fall_into_parts(name, parts):
    assert {kind: " ".join(own) for kind, own in split(name).parts().items() if own} == parts


@pytest.mark.parametrize("separator", list("-_. "))
def test_every_separator_separates(separator):
    name = split(separator.join(("serie", "7b", "chat", "fp16", "lora", "v2")))
    assert [getattr(name, kind) for kind in KINDS] == [("fp16",), ("7b",), ("lora",), ("chat",), ("v2",)]
    assert name.series == "serie"


@pytest.mark.parametrize(
    ("name", "count", "holds"),
    [
        ("x-7b", 7_241_732_096, True), ("x-7b", 13e9, False), ("x-2b", 2_506_172_416, True), ("x-350m", 331e6, True),
        ("x-350m", 125e6, False), ("x-8x7b", 46.7e9, True), ("x-8x7b", 7e9, False), ("x-0.5b", 494e6, True),
        ("x-small", 5, None), ("x-7b", 0, None),
    ],
)  # fmt: skip
def test_a_size_holds_within_a_quarter_and_its_last_digit(name, count, holds):
    assert size_holds(split(name), int(count)) is holds


@pytest.mark.parametrize(
    ("name", "numbers", "packed", "endings", "holds"),
    [
        ("x-bf16", {"BF16": 9, "F32": 1}, False, {"safetensors"}, True),
        ("x-bf16", {"F32": 9}, False, {"safetensors"}, False),
        ("x-q4_k_m", {"BF16": 9}, False, {"safetensors"}, False),
        ("x-q4_k_m", {}, False, {"gguf"}, True),
        ("x-4bit", {"F16": 9, "U8": 3}, False, {"safetensors"}, True),
        ("x-gptq", {"F16": 9}, True, {"safetensors"}, True),
        ("x-gguf", {"F16": 9}, False, {"safetensors"}, False),
        ("x-fp16", {}, False, {"gguf"}, None),
        ("x", {"F16": 9}, False, {"safetensors"}, None),
    ],
)
def test_a_precision_holds_or_not(name, numbers, packed, endings, holds):
    assert precision_holds(split(name), numbers, packed=packed, endings=endings) is holds


@pytest.mark.parametrize(
    ("name", "level", "new"),
    [
        ("m-v1.2", "MAJOR", "m-v2.0"), ("m-v1.2", "MINOR", "m-v1.3"), ("m-v1.2", "PATCH", "m-v1.2.1"),
        ("M-2-7B", "MAJOR", "M-3-7B"), ("M-2-7B", "MINOR", "M-2.1-7B"), ("gpt2-large", "MINOR", "gpt2.1-large"),
        ("m-7b", "MINOR", "m-7b-v1.1"), ("m-v1_9", "MINOR", "m-v1_10"), ("m-1.2.3", "MINOR", "m-1.3.0"),
        ("m-2024-05-01", "MINOR", ""), ("m-v1", "", ""), ("m-q4_0.gguf", "MINOR", "m-q4_0-v1.1.gguf"),
    ],
)  # fmt: skip
def test_the_next_version_grows_by_the_level(name, level, new):
    assert renamed(split(name), level) == new
    assert bool(next_version(split(name), level)) == bool(new)


def pair(tmp_path, names, tensors, titles=("", "")):
    for name, own, title in zip(names, tensors, titles, strict=True):
        folder = write(tmp_path / name, own)
        if title:
            (folder / "README.md").write_text(f"# {title}\n")
    return compare_directories(*(tmp_path / n for n in names)).naming


def test_a_version_in_the_name_signals_the_change(tmp_path):
    found = pair(tmp_path, ("m-v1.2", "m-v1.3"), (BASE, tuned(BASE)))
    assert found.signaled is True
    assert found.parts == (("version", "v1.2", "v1.3"),)
    assert found.proposal == ""
    assert not found.false


def test_without_a_part_that_changes_it_does_not(tmp_path):
    found = pair(tmp_path, ("a", "b"), (BASE, tuned(BASE)), ("Model card for Demo v2", "Demo v2"))
    assert (found.signaled, found.parts) == (False, ())
    assert found.sentence == "weights changed, and no part of the name did"
    assert found.proposal == "Demo v2.1"


def test_a_new_version_of_equal_weights_is_said(tmp_path):
    found = pair(tmp_path, ("m-v1", "m-v2"), (BASE, BASE))
    assert found.signaled is None
    assert "and the weights did not" in found.sentence


def test_a_name_that_does_not_hold_is_named(tmp_path):
    half = {n: t.astype(np.float16) for n, t in BASE.items()}
    found = pair(tmp_path, ("m-7b-fp32", "m-7b-q4"), (BASE, half))
    assert [s.partition(": says ")[2].partition(",")[0] for s in found.false] == ["7b", "7b", "q4"]
    assert f"{COUNT:,}" in found.false[0]


def test_the_terminal_shows_it(tmp_path, capsys):
    from probatum.cli import main

    for name, own in (("m-v1", BASE), ("m-v1-q4", tuned(BASE))):
        write(tmp_path / name, own)
    with pytest.raises(SystemExit) as end:
        main(["compare", str(tmp_path / "m-v1"), str(tmp_path / "m-v1-q4"), "--quiet"])
    assert not end.value.code
    told = " ".join(capsys.readouterr().out.split())
    assert "Name: the name says so (precision – → q4)." in told
    assert "The name does not hold: m-v1-q4: says q4, and most numbers are F32." in told
    assert "Next version of m-v1: m-v1.1." in told


@pytest.mark.parametrize(
    ("name", "title", "wrong"),
    [("m-9b-fp32", "", {"size in the name"}), ("m-bf16", "", {"precision in the name"}), ("m-fp32", "", set()),
     ("m", "My model 9B 4bit", {"size in the name", "precision in the name"}), ("m", "My model", set())],
)  # fmt: skip
def test_the_scan_holds_the_name_against_the_files(name, title, wrong, tmp_path):
    folder = write(tmp_path / name, BASE)
    if title:
        (folder / "README.md").write_text(f"# {title}\n")
    (intake,) = look([str(folder)], scan([str(folder)]))
    claims = {c.what: c.holds for c in intake.claims if "name" in c.what}
    assert {what for what, holds in claims.items() if not holds} == wrong
    assert json.dumps(intake.to_json())
