"""Evidence: a place that holds the thing, or names it; what only looks like it is none."""

from __future__ import annotations

import json
import os

import pytest

from probatum.controls.documents import Folder, statement, tensors
from probatum.core.errors import BadInput
from probatum.files.claim_checks import context_holds, dataset_holds, dtype_holds, license_holds
from probatum.files.documents import read_documents
from probatum.files.evidence import inert_format, key_in_file, signature, snippet, weights
from probatum.files.facts import context_length, same_name, stored_dtype
from probatum.files.reuse import ATTRIBUTES
from probatum.scan.licenses import license_of


def folder(**files):
    target = Folder("f", {name.replace("__", "."): content for name, content in files.items()})
    found = read_documents(target.files())
    read_documents.kept = target  # the folder lives as long as the test
    return found


def card(text, **files):
    return folder(**{"README__md": text, **files})


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from a import b\nb('x')", True),
        (">>> import a\n>>> a.run()", True),
        ("!pip install a\nimport a\na.run()", True),
        ("import a\na.run(", False),
        ("pip install a", False),
        ("import a", False),
        ("print(1)", False),
        ("import a\na(" + "-" * 15_000 + "1)", None),
        ("import a\n" + "a(" * 300 + ")" * 300, None),
        ("import a\na()\n" * 20_000, False),
    ],
)
def test_an_example_is_parsed(code, found):
    d = card(f"# m\n\n## Usage\n\n```python\n{code}\n```\n")
    assert found is None or (snippet(d) is not None) == found
    snippet(d)  # whatever the parser makes of it, nothing ends here


def test_an_example_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    d = card("## Usage\n\n```python\nimport os\nos.mkdir('made')\n```\n")
    assert snippet(d).place == "README.md, line 4: parses"
    assert os.listdir(tmp_path) == []


def test_two_pieces_of_code_are_not_one():
    assert snippet(card("## Usage\n\n```\nimport a\n```\n\n```\nb()\n```\n")) is None


def test_weights_are_what_begins_as_weights_do():
    assert weights(folder(model__safetensors=tensors())).place == "model.safetensors: 1 tensors"
    assert weights(folder(model__safetensors=b"not these")) is None
    assert weights(folder(pytorch_model__bin=b"words")) is None
    assert weights(folder(pytorch_model__bin=b"PK\x03\x04")).lies
    both = folder(a__bin=b"PK\x03\x04", model__safetensors=tensors())
    assert inert_format(both).place.startswith("model.safetensors")
    assert inert_format(folder(a__bin=b"PK\x03\x04")) is None


def test_a_statement_whose_digests_differ_only_states():
    good = folder(a__txt="x", s__intoto__jsonl=statement({"a.txt": b"x"}))
    assert signature(good).lies
    bad = folder(a__txt="y", s__intoto__jsonl=statement({"a.txt": b"x"}))
    assert not signature(bad).lies
    elsewhere = folder(s__intoto__jsonl=statement({"gone.txt": b"x"}))
    assert not signature(elsewhere).lies
    assert not signature(folder(model__sig="anything")).lies
    assert signature(folder(a__txt="x")) is None


def test_a_key_is_named_with_its_line():
    d = folder(train__yaml="a: 1\nseed: 7\n", tokenizer__json='{"seed": 1}')
    assert key_in_file("seed")(d).place == "train.yaml, line 2"
    assert key_in_file("learning_rate")(d) is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"n_positions": 1024}, 1024),
        ({"max_position_embeddings": 2048, "rope_scaling": {"factor": 4.0}}, 8192),
        (
            {
                "max_position_embeddings": 131072,
                "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192},
            },
            131072,
        ),
        ({"text_config": {"max_position_embeddings": 4096}}, 4096),
        ({"max_position_embeddings": True}, None),
        ({"max_position_embeddings": "many"}, None),
        ({}, None),
    ],
)
def test_the_context_is_what_the_configuration_allows(config, expected):
    assert context_length(folder(config__json=json.dumps(config))) == expected


@pytest.mark.parametrize(("dtype", "name"), [("F32", "float32"), ("F16", "float16"), ("BF16", "bfloat16")])
def test_the_stored_type_is_that_of_the_tensors(dtype, name):
    d = folder(model__safetensors=tensors(dtype))
    assert stored_dtype(d) == name
    assert dtype_holds(d, name) == (True, f"the weights are stored as {name}")
    assert not dtype_holds(d, "float64")[0]


@pytest.mark.parametrize(
    ("said", "holds"), [("4096", True), ("4,096", True), ("4k", True), ("2k", True), ("8k", False), ("4097", False)]
)
def test_a_context_beyond_the_configuration_does_not_hold(said, holds):
    assert context_holds(folder(config__json='{"n_ctx": 4096}'), said)[0] is holds


def test_a_data_set_holds_where_a_file_of_the_training_names_it():
    d = folder(train__yaml="dataset_name: org/notices-v2\n")
    assert dataset_holds(d, "notices")[0]
    assert not dataset_holds(d, "org/poems")[0]


@pytest.mark.parametrize("content", ["dataset: data/train.jsonl\n", "dataset: ./notices\n", "lr: 1\n"])
def test_where_no_file_names_the_data_nothing_is_refuted(content):
    with pytest.raises(BadInput, match="no file of the training names its data"):
        dataset_holds(folder(train__yaml=content), "org/poems")


def test_names_are_alike_without_their_owner():
    assert same_name("Salesforce/wikitext", "wikitext-103")
    assert not same_name("squad", "glue")
    assert not same_name("", "glue")


MIT = "Permission is hereby granted, free of charge, to any person …"
APACHE = "                Apache License\n          Version 2.0, January 2004\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (MIT, "mit"),
        (APACHE, "apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", "gpl-3.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE", "agpl-3.0"),
        ("Attribution-NonCommercial 4.0 International", "cc-by-nc-4.0"),
        ("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "llama"),
        ("All rights reserved.", ""),
    ],
)
def test_a_license_is_known_by_its_words(text, name):
    assert license_of(text) == name


def test_a_license_file_of_another_license_refutes_the_stated_one():
    d = folder(LICENSE=APACHE)
    assert license_holds(d, "apache-2.0")[0]
    assert license_holds(d, "mit") == (False, "LICENSE is the text of apache-2.0")
    assert license_holds(folder(LICENSE="our own terms"), "mit")[0], "what is not known contradicts nothing"
    assert license_holds(d, "other")[0]
    assert not license_holds(d, None)[0]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("**Input** Models input text only.", True),
        ("- **Input:** a notice of the ministry", True),
        ("## Inputs\n\nNotices of the ministry, in English.", True),
        ("The input is a notice of the ministry.", True),
        ("Put words in.", False),
    ],
)
def test_what_goes_in_is_said_in_several_ways(text, stated):
    found = ATTRIBUTES["guidance: input"](card(f"# m\n\n{text}\n"))
    assert (found is not None) is stated
    assert found is None or not found.lies


def test_our_own_signature_is_evidence_until_a_file_changes(tmp_path):
    pytest.importorskip("cryptography")
    from probatum.signing import new_key, sign

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    sign(tmp_path / "model", new_key(tmp_path / "k")[0])
    found = signature(read_documents(tmp_path / "model"))
    assert found.place == "probatum.sig.json: the digests of 1 files agree"
    (tmp_path / "model" / "config.json").write_text('{"changed": 1}')
    assert signature(read_documents(tmp_path / "model")).place.endswith("not checked")
