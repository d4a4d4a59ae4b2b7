"""What a script sees: 0 within, 1 over the policy, 2 bad input, 3 a probe crashed, 130 interrupted."""

import importlib
import json

import pytest
from driving import finding, report_in

from probatum.core import catalogue

PLUGIN = '''"""A plug-in that fails."""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(paper="none", question="Does it fail?", needs=Access.LOGPROBS, metric=auroc, dimension="privacy")
def {name}(target: Target, data: Members) -> Scores:
    """Fail."""
    raise {error}
'''


@pytest.fixture
def plug_in(monkeypatch, tmp_path):
    """Puts a probe into the catalogue as an entry point would, for this test only."""

    def install(name, error):
        folder = tmp_path / "plugin"
        folder.mkdir(exist_ok=True)
        file = folder / f"plugin_{name}.py"
        file.write_text(PLUGIN.format(name=name, error=error), encoding="utf-8")
        monkeypatch.syspath_prepend(str(folder))
        for entry in catalogue.read(file.stem, file):
            monkeypatch.setitem(catalogue.entries(), entry.name, entry)

    return install


@pytest.fixture
def words(tiny, tmp_path):
    data = ("--members", tiny / "members.jsonl", "--nonmembers", tiny / "nonmembers.jsonl")
    return ("audit", tiny / "model", *data, "--out", tmp_path / "out")


def policy(tmp_path, text):
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return ("--policy", file)


@pytest.mark.slow
def test_findings_alone_do_not_fail(probatum, tmp_path):
    ran = probatum("audit", "specimen", "--probe", "norm_agreement", "--out", tmp_path)
    assert finding(report_in(tmp_path / "specimen"), "norm_agreement")["outcome"] == "evidence"
    assert ran.code == 0


@pytest.mark.slow
def test_a_finding_over_the_policy_exits_1_and_says_why(probatum, tmp_path):
    rule = policy(tmp_path, 'name = "release"\n[[rule]]\nprobe = "norm_agreement"\nmax = 0.2\n')
    ran = probatum("audit", "specimen", "--probe", "norm_agreement", *rule, "--out", tmp_path)
    assert ran.code == 1
    printed = " ".join(ran.out.split())
    assert "over the policy 'release'" in printed
    assert "the policy allows 0.2" in printed
    verdict = report_in(tmp_path / "specimen")["policy"]
    assert verdict["passed"] is False
    assert list(verdict["failed"]) == [finding(report_in(tmp_path / "specimen"), "norm_agreement")["id"]]


@pytest.mark.slow
def test_the_twin_is_within_a_policy_that_the_specimen_is_over(probatum, tmp_path):
    rule = policy(tmp_path, 'evidence = "over"\n')
    assert probatum("audit", "twin", "--probe", "norm_agreement", *rule, "--out", tmp_path).code == 0
    assert probatum("audit", "specimen", "--probe", "norm_agreement", *rule, "--out", tmp_path, "--quiet").code == 1
    assert report_in(tmp_path / "twin")["policy"] == {"name": "policy", "passed": True, "failed": {}}


@pytest.mark.parametrize(("meaning", "code"), [("", 1), ('not_run = "over"\n', 1), ('not_run = "within"\n', 0)])
def test_what_was_not_run_is_over_unless_the_policy_says_otherwise(probatum, words, tmp_path, meaning, code):
    # Only questions that need data which nobody gave: nothing runs.
    ran = probatum(*words, "--probe", "norm_agreement", "--quiet", *policy(tmp_path, meaning))
    assert ran.code == code, ran.err


@pytest.mark.slow
def test_a_crashed_probe_exits_3_and_leaves_the_findings_of_the_others(probatum, plug_in, words, tmp_path):
    plug_in("stumbling", 'ZeroDivisionError("on purpose")')
    ran = probatum(*words, "--probe", "loss", "--probe", "stumbling", "--probe", "zlib_entropy")
    assert ran.code == 3
    assert "stumbling" in ran.err
    report = report_in(tmp_path / "out" / "model")
    assert report["complete"] is False
    assert finding(report, "stumbling")["reason"] == "crashed: ZeroDivisionError: on purpose"
    assert finding(report, "stumbling")["outcome"] == "not run"
    for name in ("loss", "zlib_entropy"):
        assert finding(report, name)["estimate"]["n"] == 40, name
    assert "Incomplete" in ran.out


def test_debug_lets_the_error_through(probatum, plug_in, words):
    plug_in("stumbling", 'ZeroDivisionError("on purpose")')
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        probatum(*words, "--probe", "stumbling", "--debug")


def test_a_crash_counts_more_than_a_policy(probatum, plug_in, words, tmp_path):
    plug_in("stumbling", 'ZeroDivisionError("on purpose")')
    assert probatum(*words, "--probe", "stumbling", "--quiet", *policy(tmp_path, 'not_run = "over"\n')).code == 3


@pytest.mark.slow
def test_an_interruption_exits_130_with_a_partial_report_and_ends_the_run(probatum, plug_in, words, tmp_path, tiny):
    plug_in("patience", "KeyboardInterrupt")
    ran = probatum(*words[:2], "twin", *words[2:], "--probe", "loss", "--probe", "patience", "--probe", "zlib_entropy")
    assert ran.code == 130
    report = report_in(tmp_path / "out" / "model")
    assert report["complete"] is False
    assert finding(report, "loss")["estimate"]["n"] == 40
    for name in ("patience", "zlib_entropy"):
        assert (finding(report, name)["outcome"], finding(report, name)["reason"]) == ("not run", "interrupted")
    assert (tmp_path / "out" / "model" / "report.html").is_file()
    assert not (tmp_path / "out" / "twin").exists()  # the second model is not begun
    assert "Traceback" not in ran.err


def test_an_interruption_before_the_first_probe_exits_130_and_writes_nothing(probatum, words, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("probatum.audit"), "limited", interrupted)
    ran = probatum(*words)
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_spent_budget_is_a_reason_and_no_failure(probatum, words, tmp_path):
    ran = probatum(*words, "--probe", "loss", "--token-budget", "10", "--cache", tmp_path / "cache", "--json")
    assert ran.code == 0
    loss = finding(json.loads(ran.out), "loss")
    assert loss["outcome"] == "not run"
    assert loss["reason"].startswith("budget: ")


def test_two_models_of_one_name_do_not_overwrite_one_another(probatum, tiny, tmp_path):
    other = tmp_path / "elsewhere" / "model"
    other.parent.mkdir()
    other.symlink_to(tiny / "model")
    words = ("audit", tiny / "model", other, "--probe", "norm_agreement", "--quiet", "--out", tmp_path / "out")
    assert probatum(*words).code == 0
    names = [report_in(tmp_path / "out" / folder)["subject"]["name"] for folder in ("model", "model-2")]
    assert names == [str(tiny / "model"), str(other)]
