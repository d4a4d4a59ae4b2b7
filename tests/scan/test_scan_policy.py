"""The policy of an intake: what it may relax, what it insists on, and that every relaxation is said."""

import hashlib
import json
import pickle
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from attacks import CALL, EVAL
from export_shapes import check_sarif

from probatum.scan import scan
from probatum.scan.__main__ import main
from probatum.scan.exports.places import Places
from probatum.scan.policy import Allow, BadPolicy, Judged, Policy, read


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m" / "scalers").mkdir(parents=True)
    (tmp_path / "m" / "plain.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "m" / "scalers" / "a.pkl").write_bytes(CALL)
    (tmp_path / "m" / "engine.own").write_bytes(b"\0\1\2")
    return tmp_path / "m"


def policy(text):
    Path("p.toml").write_text(text)
    return read("p.toml")


BOTH = """
name = "intake"
[[allow]]
path = "scalers/*.pkl"
verdict = "executes unknown code"
reason = "read on 2 May"
[[allow]]
rules = ["FIL001"]
reason = "an engine"
"""


def test_within_the_policy_ends_with_0_and_names_every_relaxation(model, capsys):
    Path("p.toml").write_text(BOTH)
    assert main(["m"]) == 1
    assert main(["m", "--policy", "p.toml"]) == 0
    said = capsys.readouterr().out
    assert "policy 'intake': within" in said
    result = scan(["m"])
    count = sum(f.verdict != "proved inert" for file in result.files for f in file.findings)
    assert said.count("    relaxed: ") == count == 3  # named, called, unknown format
    assert "[read on 2 May]" in said
    assert main(["m", "--policy", "p.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"]["passed"] is True
    assert [(r["path"], r["relaxation"], r["reason"]) for r in told["policy"]["relaxed"]] == [
        ("m/engine.own", 2, "an engine"),
        ("m/scalers/a.pkl", 1, "read on 2 May"),
        ("m/scalers/a.pkl", 1, "read on 2 May"),
    ]
    assert told["summary"]["verdict"] == "executes unknown code"  # the scan's own verdict is never rewritten


def test_one_finding_that_is_not_relaxed_is_enough(model, capsys):
    Path("p.toml").write_text(BOTH)
    (model / "other.pkl").write_bytes(CALL)
    assert main(["m", "--policy", "p.toml"]) == 1
    assert "policy 'intake': over" in capsys.readouterr().out


def test_what_is_dangerous_stays(model):
    (model / "scalers" / "a.pkl").write_bytes(EVAL)
    wide = Policy(
        "wide", tuple(Allow(n, "x", verdict=v) for n, v in enumerate(("not covered", "executes unknown code")))
    )
    result = scan([str(model)])
    judged = Judged(wide, result, Places([str(model)]), {})
    assert not judged.passed
    verdicts = {Path(f.path).name: judged.verdict(f) for f in result.files}
    assert verdicts == {"a.pkl": "dangerous", "engine.own": "proved inert", "plain.pkl": "proved inert"}


def test_a_relaxation_by_hash_holds_for_that_file_alone(model, capsys):
    digest = hashlib.sha256(CALL).hexdigest()
    Path("p.toml").write_text(BOTH.replace('reason = "read', f'sha256 = ["{digest.upper()}"]\nreason = "read'))
    assert main(["m", "--policy", "p.toml"]) == 0
    (model / "scalers" / "a.pkl").write_bytes(CALL.replace(b"print", b"input"))
    assert main(["m", "--policy", "p.toml"]) == 1
    assert "unused: relaxation 1 (read on 2 May)" in capsys.readouterr().out


def test_a_relaxation_by_path_means_the_path_below_the_root(model, monkeypatch):
    result = scan([str(model)])
    for pattern, fits in (("scalers/a.pkl", True), ("*.pkl", True), ("m/scalers/*", False), ("SCALERS/*", False)):
        one = Policy("p", (Allow(1, "x", path=pattern, verdict="executes unknown code"),))
        assert bool(Judged(one, result, Places([str(model)]), {}).relaxed) is fits


def test_what_is_required(model, capsys):
    (model / "out").symlink_to("/etc/hostname")
    Path("p.toml").write_text(
        '[require]\nfiles = ["LICENSE*", "plain.*", "out"]\nformats = ["pickle"]\n'
        '[[allow]]\nverdict = "not covered"\nreason = "a"\n[[allow]]\nverdict = "executes unknown code"\nreason = "b"\n'
    )
    assert main(["m", "--policy", "p.toml", "--json", "--sarif", "o.sarif", "--junit", "o.xml"]) == 1
    said = json.loads(capsys.readouterr().out)["policy"]
    assert said["failed"] == [
        "no file fits 'LICENSE*'",
        "no file fits 'out'",
        "'engine.own' is unknown, which is not among the formats allowed",
    ]
    sarif = json.loads(Path("o.sarif").read_text())
    check_sarif(sarif)
    results = sarif["runs"][0]["results"]
    assert [r["ruleId"] for r in results if not r.get("suppressions")] == ["policy"] * 3
    suppressed = [r["suppressions"][0]["justification"] for r in results if r.get("suppressions")]
    assert len(suppressed) == 4
    assert "policy p, relaxation 2: b" in suppressed
    cases = {case.get("name"): case for case in ET.fromstring(Path("o.xml").read_text()).iter("testcase")}
    assert cases["m/scalers/a.pkl"].find("skipped").get("message") == "executes unknown code, relaxed by the policy"
    assert "relaxed: b" in cases["m/scalers/a.pkl"].find("skipped").text
    assert cases["no file fits 'LICENSE*'"].find("failure") is not None
    assert list(cases["m/plain.pkl"]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = 1", "no key 'a'"),
        ("[[allow]]\nverdict = 'not covered'", "has no reason"),
        ("[[allow]]\nverdict = 'not covered'\nreason = ' '", "has no reason"),
        ("[[allow]]\nreason = 'x'", "either rules"),
        ("[[allow]]\nreason = 'x'\nverdict = 'not covered'\nrules = ['FIL001']", "either rules"),
        ("[[allow]]\nreason = 'x'\nverdict = 'dangerous'", "cannot be relaxed"),
        ("[[allow]]\nreason = 'x'\nrules = ['PKL003']", "dangerous, which no policy can relax"),
        ("[[allow]]\nreason = 'x'\nrules = ['NOP001']", "no rule is called"),
        ("[[allow]]\nreason = 'x'\nrules = []", "at least one"),
        ("[[allow]]\nreason = 'x'\nrules = [1]", "list of texts"),
        ("[[allow]]\nreason = 1\nverdict = 'not covered'", "must be a text"),
        ("[[allow]]\nreason = 'x'\nverdict = 'not covered'\nsha256 = ['abc']", "64 hexadecimal"),
        ("[[allow]]\nreason = 'x'\nverdict = 'not covered'\nrule = 'FIL001'", "no key 'rule'"),
        ("allow = 1", r"\[\[allow\]\]"),
        ("require = 1", r"\[require\]"),
        ("[require]\nfile = ['x']", "no key 'file'"),
        ("[require]\nfiles = []", "at least one"),
        ("name = ", "not a TOML file"),
    ],
)
def test_a_policy_that_means_nothing_is_one_sentence(text, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadPolicy, match=says):
        policy(text)
    assert main([".", "--policy", "p.toml"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_policy_is_2(tmp_path, capsys):
    assert main([str(tmp_path), "--policy", str(tmp_path / "none.toml")]) == 2
    assert "cannot read the policy" in capsys.readouterr().err


def test_the_example_of_the_module_is_a_policy(tmp_path, monkeypatch):
    """The text at the top of policy.py, as TOML."""
    import probatum.scan.policy as module

    monkeypatch.chdir(tmp_path)
    lines = module.__doc__.split("\n\n", 1)[1].rsplit("\n\n", 1)[0].replace("9f86d081…", "ab" * 32)
    made = policy(lines)
    assert (made.name, made.allow[0].path, made.formats[0], made.hashes) == (
        "intake",
        "scalers/*.pkl",
        "safetensors",
        True,
    )


def test_the_example_of_the_page_is_a_policy(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "signing.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = policy(page.split("```toml\n")[1].split("```")[0])
    assert (made.name, len(made.allow), made.files) == ("intake", 1, ("README.md", "LICENSE*"))
