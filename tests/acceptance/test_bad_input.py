"""Bad input: exit code 2, one sentence on stderr, no traceback, and nothing half-written."""

import errno
import json
import os
import shutil
import socket

import pytest
from driving import write_jsonl
from own_models import letters


@pytest.fixture
def good(tiny, tmp_path):
    """A copy of a model that may be damaged, and files that may be spoiled."""
    shutil.copytree(tiny, tmp_path / "good")
    return tmp_path / "good"


@pytest.fixture
def refused(probatum, tmp_path):
    """Audits, and holds that it was refused in one sentence; gives the sentence."""

    def audit(*words, verb="audit", out=tmp_path / "out"):
        ran = probatum(verb, *words, *(() if out is None else ("--out", out)))
        assert ran.code == 2, (ran.code, ran.out, ran.err)
        assert ran.out == ""
        assert ran.err.startswith("probatum: ")
        assert ran.err.count("\n") == 1, ran.err
        assert "Traceback" not in ran.err
        assert not (tmp_path / "out").exists(), "something was written"
        return ran.err

    return audit


@pytest.fixture
def members(good):
    return ("--members", good / "members.jsonl", "--nonmembers", good / "nonmembers.jsonl")


def edit(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


# The model.


def test_no_such_directory(refused, tmp_path):
    assert "no such directory" in refused(tmp_path / "nowhere")


def test_a_file_where_a_directory_is_expected(refused, good):
    assert "is a file, not a directory" in refused(good / "model" / "config.json")


def test_not_a_model_directory(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no config.json" in refused(tmp_path / "empty")


def test_pickle_weights_are_never_loaded(refused, good):
    (good / "model" / "model.safetensors").rename(good / "model" / "pytorch_model.bin")
    sentence = refused(good / "model")
    assert "pickle" in sentence
    assert "probatum convert" in sentence


def test_code_that_comes_with_a_model_is_refused_unless_asked_for(refused, good):
    edit(good / "model" / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})
    assert "--trust-remote-code" in refused(good / "model")


def test_no_tokenizer(refused, good):
    (good / "model" / "tokenizer.json").unlink()
    assert "no tokenizer" in refused(good / "model")


def test_truncated_weights(refused, good):
    weights = good / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert "truncated" in refused(good / "model")


@pytest.mark.slow
def test_a_model_that_shows_itself_as_none_only_when_it_is_loaded(refused, good, members):
    edit(good / "model" / "config.json", n_layer=3)
    sentence = refused(good / "model", *members, "--probe", "loss", "--probe", "zlib_entropy")
    assert "weights are missing" in sentence


@pytest.mark.slow
def test_a_tokenizer_that_does_not_belong_to_the_model(refused, good, members, own):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(own / "model" / name, good / "model" / name)
    many = ("--members", own / "members.jsonl", "--nonmembers", own / "nonmembers.jsonl")
    assert "do not belong together" in refused(good / "model", *many, "--probe", "loss")


def test_a_reference_that_does_not_exist(refused, good, members, tmp_path):
    assert "no such directory" in refused(good / "model", *members, "--reference", tmp_path / "nowhere")


def test_an_endpoint_that_is_down(refused, good, members):
    with socket.socket() as taken:  # bound and never listening: nothing else can answer there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        sentence = refused(f"http://127.0.0.1:{port}/v1", "--model", "specimen", *members)
    assert f"127.0.0.1:{port}" in sentence


# The data.


def spoil(good, content, name="members.jsonl"):
    file = good / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ("--members", file, "--nonmembers", good / "nonmembers.jsonl")


ROW = '{"text": "one"}\n'
SPOILED = {
    "empty": ("members.jsonl", "", "empty"),
    "blank lines only": ("members.txt", "\n\n", "empty"),
    "one line": ("members.jsonl", ROW, "one record"),
    "a header only": ("members.csv", "id,text\n", "empty"),
    "another column": ("members.jsonl", '{"body": "one", "x": 1}\n{"body": "two"}\n', "present: body, x"),
    "a column missing in one row": ("members.jsonl", ROW + '{"txt": "two"}\n', "record 2: the column 'text'"),
    "null": ("members.jsonl", ROW + '{"text": null}\n', "record 2: the column 'text'"),
    "a number": ("members.jsonl", ROW + '{"text": 5}\n', "not text but int"),
    "not UTF-8": ("members.txt", b"caf\xe9\nb\n", "not UTF-8"),
    "not JSON": ("members.jsonl", ROW + "{text: two}\n", "line 2: not JSON"),
    "a list": ("members.jsonl", "[1]\n", "line 1: expected an object"),
    "more cells than the header": ("members.csv", "text\na,b\n", "more cells than the header"),
    "no parquet": ("members.parquet", "text\n", "not a parquet file"),
    "an unknown ending": ("members.xlsx", "text\n", "expected a file ending in"),
    "ids that stand twice": ("members.jsonl", '{"text": "a", "id": 1}\n{"text": "b", "id": 1}\n', "stands there twice"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_data_file_is_named_with_its_fault(case, refused, good):
    name, content, words = SPOILED[case]
    sentence = refused(good / "model", *spoil(good, content, name))
    assert name in sentence
    assert words in sentence


def test_no_such_data_file(refused, good):
    missing = good / "none.jsonl"
    assert "no such file" in refused(good / "model", "--members", missing, "--nonmembers", missing)


def test_the_field_option_names_the_columns_that_are_present(refused, good, members):
    assert "'body' is missing (present: text)" in refused(good / "model", *members, "--field", "body")


def test_members_need_nonmembers(refused, good):
    assert "go together" in refused(good / "model", "--members", good / "members.jsonl")
    assert "go together" in refused(good / "model", "--nonmembers", good / "members.jsonl")


def test_the_same_text_on_both_sides_is_counted(refused, good):
    texts = letters(10, seed=1)
    write_jsonl(good / "members.jsonl", texts[:6])
    write_jsonl(good / "nonmembers.jsonl", texts[3:])
    assert "3 texts stand both in" in refused(good / "model", *spoil(good, (good / "members.jsonl").read_bytes()))


CHOICES = {
    "one option": ('{"question": "q", "options": ["a"], "answer": 0}', "at least two options"),
    "an answer beyond the options": ('{"question": "q", "options": ["a", "b"], "answer": 2}', "answer 2"),
    "an answer that is no option": ('{"question": "q", "options": ["a", "b"], "answer": "c"}', "'c'"),
    "no options": ('{"question": "q", "answer": 0}', "'options' is missing"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_spoiled_choices(case, refused, good):
    line, words = CHOICES[case]
    (good / "choices.jsonl").write_text(line + "\n")
    assert words in refused(good / "model", "--choices", good / "choices.jsonl")


def test_options_of_a_csv_that_are_no_json(refused, good):
    (good / "choices.csv").write_text('question,options,answer\nq,"[""a"", ",0\n')
    assert "not JSON" in refused(good / "model", "--choices", good / "choices.csv")


# The names.


def test_an_unknown_probe_brings_the_nearest_names(refused):
    assert "did you mean min_k_prob" in refused("specimen", "--probe", "min_k_pro")


def test_a_protection_is_no_probe(refused):
    assert "npo is a protection" in refused("specimen", "--probe", "npo")


def test_an_unknown_suite(refused):
    sentence = refused("specimen", "--suite", "everything")
    assert "no suite is called 'everything'" in sentence
    assert "privacy" in sentence


SUITES = {
    "no TOML": ("[[probe", "not a TOML file"),
    "no probe": ("", "names no probe"),
    "an unknown probe": ('[[probe]]\nname = "los"', "did you mean loss"),
    "an unknown key": ('al = true\n[[probe]]\nname = "loss"', "no key 'al'"),
    "a probe that is no table": ('probe = ["loss"]', "[[probe]]"),
    "an unknown option": ('[[probe]]\nname = "min_k_prob"\nkk = 0.1', "no option 'kk'; did you mean k"),
    "a wrong type": ('[[probe]]\nname = "min_k_prob"\nk = "much"', "min_k_prob.k must be a float"),
    "an unknown dimension": ('all = true\n[primary]\nprivaty = "loss"', "[primary]"),
}


@pytest.mark.parametrize("case", SUITES)
def test_a_spoiled_suite_file(case, refused, tmp_path):
    content, words = SUITES[case]
    (tmp_path / "suite.toml").write_text(content)
    assert words in refused("specimen", "--suite", tmp_path / "suite.toml")


POLICIES = {
    "no TOML": ("evidence over", "not a TOML file"),
    "an unknown key": ('evidenze = "over"', "evidenze"),
    "an unknown meaning": ('evidence = "maybe"', "maybe"),
    "an unknown key of a rule": ('[[rule]]\nprobe = "loss"\nmost = 1', "no key 'most'"),
    "a bound that is no number": ('[[rule]]\nprobe = "loss"\nmax = "0.6"', "max must be a number"),
    "an unknown probe": ('[[rule]]\nprobe = "los"\nmax = 0.6', "did you mean loss"),
    "an unknown dimension": ('[[rule]]\ndimension = "privaty"\nmax = 0.6', "privaty"),
    "a rule for nothing": ("[[rule]]\nmax = 0.6", "either a probe or a dimension"),
    "a rule that is no table": ("[rule]\nmax = 0.6", "[[rule]]"),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_spoiled_policy_file(case, refused, tmp_path):
    content, words = POLICIES[case]
    (tmp_path / "policy.toml").write_text(content)
    assert words in refused("specimen", "--policy", tmp_path / "policy.toml")


OPTIONS = {
    "no value": ("min_k_prob.k", "expected --set PROBE.OPTION=VALUE"),
    "no probe": ("k=0.1", "expected --set PROBE.OPTION=VALUE"),
    "an unknown probe": ("min_k_pro.k=0.1", "did you mean min_k_prob"),
    "an unknown option": ("min_k_prob.kk=0.1", "no option 'kk'"),
    "a probe without options": ("loss.k=0.1", "it has none"),
    "a wrong type": ("min_k_prob.k=much", "must be a float, got 'much'"),
    "no number": ("min_k_prob.k=nan", "must be a float, got 'nan'"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_a_spoiled_option(case, refused):
    given, words = OPTIONS[case]
    assert words in refused("specimen", "--set", given)


def test_an_option_of_a_probe_that_is_not_run(refused):
    assert "not among the probes" in refused("specimen", "--probe", "loss", "--set", "min_k_prob.k=0.1")


def test_a_role_that_no_probe_asks_for(refused):
    sentence = refused("specimen", "--with", "anzestor=base")
    assert "anzestor" in sentence
    assert "ancestor" in sentence


@pytest.mark.parametrize("words", ["--nonsense", "--limit 0", "--limit many", "--dtype float8", "--policy none.toml"])
def test_a_spoiled_flag(words, refused):
    refused("specimen", *words.split())


def test_an_unknown_verb_and_a_missing_argument(refused):
    assert "'asay'" in refused("specimen", verb="asay", out=None)
    assert "MODEL" in refused(verb="audit", out=None)


# The place of the report.


def test_a_file_where_the_reports_should_go(probatum, tmp_path, tiny):
    (tmp_path / "model").write_text("mine")
    ran = probatum("audit", tiny / "model", "--probe", "norm_agreement", "--out", tmp_path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "name a directory" in ran.err
    assert (tmp_path / "model").read_text() == "mine"


def test_a_disk_that_fills_while_the_report_is_written_leaves_the_old_report(probatum, tmp_path, tiny, monkeypatch):
    words = ("audit", tiny / "model", "--probe", "norm_agreement", "--quiet", "--out", tmp_path / "out")
    assert probatum(*words).code == 0
    before = {f.name: f.read_bytes() for f in (tmp_path / "out" / "model").iterdir()}

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ran = probatum(*words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "No space left on device" in ran.err
    assert {f.name: f.read_bytes() for f in (tmp_path / "out" / "model").iterdir()} == before
