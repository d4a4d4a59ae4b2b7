"""Suites: by name, by dimension, or from a file."""

import pytest

from probatum.core.catalogue import entries
from probatum.core.errors import BadInput
from probatum.core.finding import DIMENSIONS
from probatum.core.suite import read_suite


def suite(folder, text):
    file = folder / "s.toml"
    file.write_text(text, encoding="utf-8")
    return read_suite(file)


def test_the_default_asks_about_every_dimension_and_names_no_probe_twice():
    names = [name for name, _ in read_suite("default").probes]
    assert len(names) == len(set(names))
    assert {entries()[name].dimension for name in names} == set(DIMENSIONS)


def test_a_dimension_holds_every_probe_of_it_once_and_no_protection():
    names = [name for dimension in DIMENSIONS for name, _ in read_suite(dimension).probes]
    tasks = [n for n, e in entries().items() if e.dimension == "privacy" and (e.items or ".forgetting." in e.module)]
    assert len(tasks) > 15, "what a model says of privacy is asked by the trust suite, what it forgot by the receipt"
    assert sorted([*names, *tasks]) == sorted(n for n, e in entries().items() if e.kind == "probe")


def test_a_probe_stands_for_each_dimension():
    primary = read_suite("default").primary
    assert set(primary) == set(DIMENSIONS)
    assert all(entries()[probe].dimension == dimension for dimension, named in primary.items() for probe in named)


def test_privacy_declares_one_probe_for_each_access_before_anything_is_seen():
    needs = [entries()[name].needs for name in read_suite("privacy").primary["privacy"]]
    assert {"TEXT", "LOGPROBS", "LOGITS", "GRADIENTS"} <= {access for one in needs for access in one}


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_dimension_is_a_suite(dimension):
    names = [name for name, _ in read_suite(dimension).probes]
    assert names
    assert {entries()[name].dimension for name in names} == {dimension}


def test_a_probe_may_stand_twice_with_other_options(tmp_path):
    text = '[[probe]]\nname = "min_k_prob"\nk = 0.1\n[[probe]]\nname = "min_k_prob"\nk = 0.5\n'
    found = suite(tmp_path, text)
    assert found.probes == (("min_k_prob", {"k": 0.1}), ("min_k_prob", {"k": 0.5}))
    assert found.name == "s"


def test_options_in_a_suite_of_all_probes_replace_the_plain_one(tmp_path):
    probes = suite(tmp_path, 'all = true\n[[probe]]\nname = "surp"\nk = 0.2\n').probes
    assert [options for name, options in probes if name == "surp"] == [{"k": 0.2}]
    assert len(probes) == sum(e.kind == "probe" for e in entries().values())


def test_all_of_one_dimension(tmp_path):
    assert suite(tmp_path, 'all = "fairness"').probes == read_suite("fairness").probes


def test_the_probe_of_a_dimension_may_be_another_one(tmp_path):
    primary = suite(tmp_path, 'all = true\n[primary]\nprivacy = "exposure"\n').primary
    assert primary["privacy"] == ("exposure",)
    assert primary["safety"] == ("trigger_response",)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "names no probe"),
        ("x =", "not a TOML file"),
        ('all = "privacy"\ntasks = 3', "tasks is true or false"),
        ('[[probe]]\nname = "los"', "did you mean loss"),
        ('[[probe]]\nname = "npo"', "no probe is called 'npo'"),
        ("[[probe]]\nk = 1", "no probe is called 'None'"),
        ('[probe]\nname = "loss"', "a table of its own"),
        ('probes = ["loss"]', "no key 'probes'"),
        ('all = "truth"', "all is true, or one of privacy"),
        ("all = true\n[primary]\nprivacy = []", "names a probe for a dimension"),
        ('all = true\n[primary]\nprivacy = "npo"', "names a probe for a dimension"),
        ('all = true\n[primary]\nprivate = "loss"', "names a probe for a dimension"),
    ],
)
def test_a_bad_suite_is_refused_with_its_fault(text, word, tmp_path):
    with pytest.raises(BadInput, match=word):
        suite(tmp_path, text)


def test_a_name_that_is_none_is_answered_with_those_that_are():
    with pytest.raises(BadInput, match="default, privacy"):
        read_suite("trust me")
