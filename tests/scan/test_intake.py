"""The first lines of a scan: may it be loaded, what is it, what does not hold, what was not read?"""

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attacks import CALL, EVAL

import probatum
from probatum.scan import scan
from probatum.scan.facts import front_matter
from probatum.scan.intake import NEVER, NO_WEIGHTS, OTHER, SAFETENSORS, TRUST, WEIGHTS_ONLY, look
from probatum.scan.show import intake_lines

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "vocab_size": 50,
    "hidden_size": 8, "num_hidden_layers": 2, "max_position_embeddings": 4096,
}  # fmt: skip
CARD = """---
license: apache-2.0
base_model:
- someone/base-1b
tags: [a, b]
---
# Tiny

A model with 0.6K parameters and a context length of 4,096 tokens.
"""
APACHE = "                                 Apache License\n                           Version 2.0, January 2004\n"

MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy"


def tensors(vocabulary=50, width=8, layers=2):
    out = {"model.embed_tokens.weight": (vocabulary, width)}
    return out | {f"model.layers.{n}.w.weight": (width, width) for n in range(layers)}


def write_tensors(path, shapes, dtype="BF16", size=2):
    header, at = {}, 0
    for name, shape in shapes.items():
        count = size
        for n in shape:
            count *= n
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + count]}
        at += count
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "README.md").write_text(CARD)
    (folder / "LICENSE").write_text(APACHE)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096}')
    write_tensors(folder / "model.safetensors", tensors())
    return folder


def torch_file(path):
    import torch

    torch.save({"w": torch.zeros(3)}, path)


def intake(path):
    found = look([path], scan([path]))
    assert len(found) == 1
    return found[0]


def broken(found):
    return {c.what for c in found.claims if not c.holds}


def test_an_honest_model(model):
    found = intake(model)
    assert (found.how, broken(found), found.not_covered) == (SAFETENSORS, set(), [])
    assert found.sentence == "It may be loaded from model.safetensors, which cannot run code."
    what = found.identity
    assert (what["architecture"], what["parameters"], what["dtype"]) == ("LlamaForCausalLM", 528, "BF16")
    assert (what["descends_from"], what["license"]) == (["someone/base-1b"], ["apache-2.0"])
    assert what["tokenizer"] == "LlamaTokenizer"
    assert {c.what for c in found.claims} == {
        "license", "parameters", "dtype", "context length", "longest text", "vocabulary", "width", "layers"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            lambda p: (p / "LICENSE").write_text("MIT\nPermission is hereby granted, free of charge, to any person"),
            "license",
        ),
        (lambda p: (p / "README.md").write_text(CARD.replace("0.6K", "7B")), "parameters"),
        (lambda p: (p / "README.md").write_text(CARD.replace("4,096", "128k")), "context length"),
        (lambda p: (p / "config.json").write_text(json.dumps(CONFIG | {"torch_dtype": "float32"})), "dtype"),
        (lambda p: (p / "config.json").write_text(json.dumps(CONFIG | {"vocab_size": 51})), "vocabulary"),
        (lambda p: (p / "config.json").write_text(json.dumps(CONFIG | {"hidden_size": 9})), "width"),
        (lambda p: (p / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": 3})), "layers"),
        (lambda p: (p / "tokenizer_config.json").write_text('{"model_max_length": 9999}'), "longest text"),
    ],
)
def test_what_does_not_hold_is_named(model, change, wrong):
    change(model)
    found = intake(model)
    assert broken(found) == {wrong}
    row = next(answer for question, answer in found.rows() if question == "does not hold")
    assert row.startswith(wrong)


@pytest.mark.parametrize(
    ("words", "said", "holds"),
    [
        ("7B parameters", 6_740_000_000, True), ("7 billion parameters", 7_620_000_000, True),
        ("124M parameters", 124_400_000, True), ("8x7B parameters", 46_700_000_000, None),
        ("1.1B-parameter model", 1_100_000_000, True), ("7B parameters", 3_000_000_000, False),
        ("0.5B parameters", 494_000_000, True), ("13B params", 6_700_000_000, False), ("no number", 5, None),
    ],
)  # fmt: skip
def test_rounded_numbers_of_parameters(model, words, said, holds):
    from probatum.scan import claims
    from probatum.scan.facts import collect

    facts = collect(str(model), scan([model]))
    facts.card, facts.tensors.numbers = words, {"BF16": said}
    assert [c.holds for c in claims._parameters(facts)] == ([] if holds is None else [holds])


def test_shards_and_their_index(model):
    (model / "model.safetensors").unlink()
    shapes = list(tensors().items())
    write_tensors(model / "a.safetensors", dict(shapes[:1]))
    write_tensors(model / "b.safetensors", dict(shapes[1:]))
    write_tensors(model / "other.safetensors", {"extra": (1000,)})
    index = {"metadata": {"total_size": 1056}, "weight_map": {n: "a.safetensors" for n, _ in shapes[:1]}}
    index["weight_map"] |= {n: "b.safetensors" for n, _ in shapes[1:]}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    found = intake(model)
    assert (found.identity["parameters"], broken(found)) == (528, set())
    index["weight_map"] |= {"more": "c.safetensors"}
    index["metadata"]["total_size"] = 7
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert broken(intake(model)) == {"shards", "bytes"}
    index["weight_map"]["more"] = "a.safetensors"
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert broken(intake(model)) == {"tensors", "bytes"}


def test_how_it_may_be_loaded(model):
    torch_file(model / "pytorch_model.bin")
    assert intake(model).sentence.endswith("Leave pytorch_model.bin alone.")
    (model / "model.safetensors").unlink()
    found = intake(model)
    assert found.how == WEIGHTS_ONLY
    assert "probatum convert" in found.sentence
    (model / "pytorch_model.bin").write_bytes(CALL)
    found = intake(model)
    assert found.how == TRUST
    assert found.sentence.startswith("Load it only if you trust its author: pytorch_model.bin runs code")
    (model / "extra.pkl").write_bytes(EVAL)
    found = intake(model)
    assert found.how == NEVER
    assert found.sentence.startswith("Do not load it: extra.pkl: ")
    for name in ("extra.pkl", "pytorch_model.bin"):
        (model / name).unlink()
    assert intake(model).how == NO_WEIGHTS
    (model / "weights.pkl").write_bytes(pickle.dumps({"a": 1}))
    assert intake(model).how == OTHER


def test_a_clean_safetensors_file_does_not_cover_for_a_bad_one(model):
    whole = (model / "model.safetensors").read_bytes()
    (model / "second.safetensors").write_bytes(whole[:-3])
    found = intake(model)
    assert found.how == TRUST
    assert "second.safetensors was not wholly read" in found.sentence


def test_code_beside_the_weights_is_named(model):
    (model / "config.json").write_text(json.dumps(CONFIG | {"auto_map": {"AutoModel": "modeling.Model"}}))
    found = intake(model)
    assert found.how == SAFETENSORS
    assert "Keep trust_remote_code off: config.json would run code" in found.sentence


def test_what_was_not_read_is_counted(model):
    for n in range(6):
        (model / f"blob{n}").write_bytes(b"\0\1\2")
    row = dict(intake(model).rows())["not covered"]
    assert row.startswith("blob0 (FIL001: ")
    assert row.endswith("and 2 more files")


def test_only_models_have_an_intake(tmp_path, model):
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.json").write_text("{}")
    for path in (tmp_path / "plain.pkl", tmp_path / "notes", model / "config.json"):
        assert look([path], scan([path])) == []
    alone = look([model / "model.safetensors"], scan([model / "model.safetensors"]))
    assert (
        list(intake_lines(alone)) == [f"It may be loaded from {str(model)[-100:]}"]
        or len(list(intake_lines(alone))) == 1
    )
    both = look([model, model / "model.safetensors"], scan([model, model / "model.safetensors"]))
    assert [i.alone for i in both] == [False, True]


def test_hostile_texts_stay_texts(model):
    bad = "\x1b[2J\u202e\u200b"
    (model / "config.json").write_text(json.dumps(CONFIG | {"architectures": [bad + "A" * 10_000], "torch_dtype": bad}))
    (model / "README.md").write_text(f'---\nlicense: "{bad}\\nx"\nbase_model: {bad}\n---\n{bad} 7B parameters\n')
    (model / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": {"a": bad}, "model_max_length": "x"}))
    write_tensors(model / f"m{bad}.safetensors", {bad: (3,)})
    (model / f"x{bad}").write_bytes(b"\0\1")
    found = intake(model)
    shown = "\n".join(intake_lines([found])) + json.dumps(found.to_json(), ensure_ascii=False)
    assert not set(bad) - set("[2J") & set(shown)
    assert max(map(len, shown.splitlines())) < 4000


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"vocab_size": -1, "hidden_size": "8", "text_config": 3}',
     b'{"vocab_size": 1e400, "architectures": {"a": 1}, "dtype": []}'],
)  # fmt: skip
def test_documents_that_are_none(model, value):
    for name in (
        "config.json",
        "tokenizer_config.json",
        "model.safetensors.index.json",
        "adapter_config.json",
        "README.md",
    ):
        (model / name).write_bytes(value)
    json.dumps(intake(model).to_json())


@pytest.mark.parametrize(
    ("card", "front"),
    [
        ("---\na: 1\nb: [x, 'y z']\n---\ntext", {"a": "1", "b": ["x", "y z"]}),
        ("\ufeff---\r\nlicense: mit\r\n---\r\n", {"license": "mit"}),
        ("# no front\n---\na: 1\n---\n", {}),
        ("---\nnever: closed\n", {}),
        ("---\n- a\n- b\n---\n", {}),
        ("---\na: &x [*x]\n---\n", {}),
        ("---\n" + "a: {" * 5000 + "\n---\n", {}),
    ],
)
def test_front_matter(card, front):
    found = front_matter(card)
    assert {k: [str(i) for i in v] if isinstance(v, list) else str(v) for k, v in found.items()} == front


def test_links_and_large_documents_are_not_read(model, tmp_path):
    (tmp_path / "secret.json").write_text('{"model_type": "secret"}')
    (model / "config.json").unlink()
    (model / "config.json").symlink_to(tmp_path / "secret.json")
    assert "secret" not in json.dumps(intake(model).to_json())
    (model / "README.md").write_text("x" * (5 << 20) + CARD)
    assert intake(model).identity["license"] == []


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1])}
    command = [sys.executable, "-m", "probatum.scan", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_command_says_it_first(model):
    lines = run(model).stdout.splitlines()
    assert lines[0] == "It may be loaded from model.safetensors, which cannot run code."
    questions = [line[2:22].strip() for line in lines[2:7]]
    assert questions == ["may it be loaded?", "what is it?", "descends from", "what does it claim?", "not covered"]
    assert lines.index("") < next(n for n, line in enumerate(lines) if line.startswith("proved inert"))
    assert not run(model, "--quiet").stdout.startswith("It may")
    (said,) = json.loads(run(model, "--json").stdout)["intake"]
    assert (said["may_be_loaded"], said["what"]["parameters"]) == ("safetensors", 528)


def test_it_costs_nothing_where_there_is_no_model(tmp_path):
    for n in range(200):
        (tmp_path / f"{n}.pkl").write_bytes(pickle.dumps([n]))
    result = scan([tmp_path])
    start = time.process_time()
    for _ in range(20):
        assert look([tmp_path], result) == []
    assert time.process_time() - start < 0.1  # 20 times
