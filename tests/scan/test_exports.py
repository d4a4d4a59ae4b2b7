"""SARIF, JUnit and CycloneDX of a scan: their shape, hostile names, and the same bytes for the same model."""

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from attacks import CALL, EVAL
from export_shapes import check_bom, check_sarif

import probatum
from probatum.scan import FileResult, Finding, Result, scan
from probatum.scan.__main__ import main
from probatum.scan.exports.declared import declared
from probatum.scan.exports.junit import Case, document
from probatum.scan.exports.junit import junit as to_junit
from probatum.scan.exports.places import Places, uri
from probatum.scan.exports.sarif import sarif as to_sarif
from probatum.scan.exports.sarif import text
from probatum.scan.finding import printable
from probatum.scan.licenses import SPDX, spdx

HOSTILE = "a\x1b[31m\u202e<script>&\"'\n[click](http:evil)%2f\u200b\ufffe.pkl"
CARD = """---
license: apache-2.0
base_model: acme/base-7b
datasets:
- acme/words
- plain
pipeline_tag: text-generation
library_name: transformers
model-index:
- name: toy
  results:
  - task:
      type: text-generation
    dataset:
      name: Words
    metrics:
    - type: accuracy
      value: 0.91
---
# A model
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A directory with every verdict, every kind of entry, and names that nobody should have."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "transformers_version": "4.40.1"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "requirements.txt").write_text("torch==2.6.0\nNumPy_Base>=1  # any\n-r more.txt\n")
    (folder / "plain.pkl").write_bytes(pickle.dumps([1]))
    (folder / "deep" / "call.pkl").write_bytes(CALL)
    (folder / HOSTILE).write_bytes(CALL)
    (folder / "unknown.bin").write_bytes(b"\0\1\2")
    with zipfile.ZipFile(folder / "held.zip", "w") as archive:
        archive.writestr("in [it](http:evil)/\x1bside.pkl", EVAL)
    (folder / "out").symlink_to("/etc/hostname")
    (folder / "in.json").symlink_to("config.json")
    with open(os.fsencode(folder) + b"/bad\xff\xfe.pkl", "wb") as file:
        file.write(CALL)
    return folder


def export(*arguments):
    """(exit code, SARIF, JUnit, CycloneDX) of the command, as text."""
    code = main([*map(str, arguments), "--sarif", "o.sarif", "--junit", "o.xml", "--sbom", "o.cdx.json"])
    return code, *(Path(name).read_text(encoding="utf-8") for name in ("o.sarif", "o.xml", "o.cdx.json"))


def test_a_hostile_directory_in_all_three(model, capsys):
    code, sarif, junit, bom = export("model")
    assert code == 1
    capsys.readouterr()
    check_sarif(json.loads(sarif))
    check_bom(json.loads(bom))
    for said in (sarif, junit, bom):
        assert not set("\x1b\u202e\u200b\ufffe") & set(said)
        assert str(model.parent) not in said
    assert "<script>" not in junit
    names = [case.get("name") for case in ET.fromstring(junit).iter("testcase")]
    assert len(names) == len(set(names)) == len(scan(["model"]).files)


def test_uris_give_the_names_back(model, capsys):
    _, sarif, _, bom = export("model")
    capsys.readouterr()
    run = json.loads(sarif)["runs"][0]
    found = {unquote_to_bytes(a["location"]["uri"]) for a in run["artifacts"]}
    walked = {os.fsencode(os.path.join(f, n)) for f, _, ns in os.walk("model") for n in ns}
    assert found == walked
    refs = {unquote_to_bytes(c["bom-ref"][5:]) for c in json.loads(bom)["components"] if c["type"] == "file"}
    assert refs == {path[len(b"model/") :] for path in walked}


def test_one_result_for_one_finding_with_its_place(model):
    result = scan(["model"])
    run = json.loads(to_sarif(result, Places(["model"])))["runs"][0]
    findings = [(file, finding) for file in result.files for finding in file.findings]
    assert len(run["results"]) == len(findings) > 5
    for (file, finding), said in zip(findings, run["results"], strict=True):
        assert (said["ruleId"], said["level"]) == (finding.rule, finding.severity)
        location = said["locations"][0]
        if finding.member:
            assert "byteOffset" not in location["physicalLocation"]["region"]
            assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("in [it]")
            assert f"at byte {finding.offset}" in said["message"]["text"]
        else:
            assert location["physicalLocation"]["region"].get("byteOffset") == finding.offset
        steps = [s["location"]["message"]["text"] for flow in said.get("codeFlows", ()) for s in
                 flow["threadFlows"][0]["locations"]]  # fmt: skip
        assert len(steps) == len(finding.trace)
        assert said["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri(file.path)
    rule = run["tool"]["driver"]["rules"][0]
    assert "What to do" in rule["help"]["text"]
    assert "**What to do**" in rule["help"]["markdown"]


def test_fingerprints_stay_when_bytes_move_and_part_otherwise():
    places = Places(["f"])

    def marks(*findings):
        said = json.loads(to_sarif(Result([FileResult("f", "pickle", findings)], {"ruleset": "1"}), places))
        return [r["partialFingerprints"]["probatumFinding/v1"] for r in said["runs"][0]["results"]]

    first = marks(Finding("PKL003", "calls os.system", offset=3))
    assert marks(Finding("PKL003", "calls os.system", offset=900)) == first
    others = marks(
        Finding("PKL003", "calls os.popen", offset=3),
        Finding("PKL001", "calls os.system", offset=3),
        Finding("PKL003", "calls os.system", offset=3, member="a"),
    )
    assert len({*first, *others}) == 4


def test_a_line_of_python_is_the_line_of_its_region(tmp_path):
    (tmp_path / "m.py").write_text("x = 1\nimport os\nos.system('echo')\n")
    said = json.loads(to_sarif(scan([tmp_path / "m.py"]), Places([str(tmp_path / "m.py")])))
    lines = {r["ruleId"]: r["locations"][0]["physicalLocation"]["region"] for r in said["runs"][0]["results"]}
    assert lines["PYC003"] == {"startLine": 3, "byteOffset": len("x = 1\nimport os\n")}


def test_brackets_make_no_link():
    assert text("[click](http://evil)")["text"] == "\\[click\\](http://evil)"
    assert text("a [list] (of things)")["text"] == "a \\[list\\] (of things)"
    assert text("plain [0] text")["text"] == "plain [0] text"


def test_junit_counts_and_verdicts(model, capsys):
    _, _, junit, _ = export("model")
    capsys.readouterr()
    result, suite = scan(["model"]), ET.fromstring(junit)[0]
    cases = list(suite.iter("testcase"))
    failed = [f for f in result.files if f.verdict != "proved inert"]
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(failed) == sum(case.find("failure") is not None for case in cases)
    kinds = {case.get("name"): f.get("type") for case in cases if (f := case.find("failure")) is not None}
    assert kinds["model/unknown.bin"] == "not covered"
    assert kinds["model/deep/call.pkl"] == "executes unknown code"
    assert kinds["model/held.zip"] == "dangerous"
    assert "model/plain.pkl" not in kinds


@pytest.mark.parametrize(
    "said", [HOSTILE, "\0\x01\x0b\x7f", "]]>", "\ud800 \udfff", "\uffff", "a\r\nb", "&#0;", "é漢😀"]
)
def test_xml_holds_any_text(said):
    result = Result([FileResult(said, "pickle", [Finding("FIL001", said, member=said, offset=1)])], {"ruleset": "1"})
    whole = document(said, [Case(said, said, "failure", said, [said, said], said), Case("b", "c")])
    for xml in (whole, to_junit(result, Places(["x"]))):
        root = ET.fromstring(xml.encode("utf-8"))
        assert root.find(".//failure").text
    assert ET.fromstring(whole)[0][0].get("name") == printable(said)
    check_sarif(json.loads(to_sarif(result, Places(["x"]))))


def test_the_bill_of_materials_says_what_the_documents_say(model, capsys):
    _, _, _, raw = export("model")
    capsys.readouterr()
    bom = json.loads(raw)
    told = bom["metadata"]["component"]
    by_ref = {c["bom-ref"]: c for c in bom["components"]}
    assert told["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    parameters = told["modelCard"]["modelParameters"]
    assert (parameters["task"], parameters["architectureFamily"], parameters["modelArchitecture"]) == (
        "text-generation", "llama", "LlamaForCausalLM",
    )  # fmt: skip
    assert [d["ref"] for d in parameters["datasets"]] == ["data:acme/words", "data:plain"]
    metrics = told["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics == [{"type": "accuracy", "value": "0.91", "slice": "Words"}]
    assert told["pedigree"]["ancestors"][0]["purl"] == "pkg:huggingface/acme/base-7b"
    assert by_ref["pypi:torch@2.6.0"]["purl"] == "pkg:pypi/torch@2.6.0"
    assert by_ref["pypi:numpy-base"]["name"] == "NumPy_Base"
    assert by_ref["pypi:transformers@4.40.1"]["version"] == "4.40.1"
    depends = next(d for d in bom["dependencies"] if d["ref"] == "model")["dependsOn"]
    assert set(depends) == set(by_ref)
    digest = hashlib.sha256((model / "config.json").read_bytes()).hexdigest()
    assert by_ref["file:config.json"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert "hashes" not in by_ref["file:out"]
    assert bom["compositions"][0]["aggregate"] == "incomplete"  # the link that leads out was not read


def test_the_same_model_gives_the_same_bytes_anywhere(model, capsys, monkeypatch):
    (model / "out").unlink()
    first = export("model")
    second = export("model")
    os.rename(model, "moved")
    os.mkdir("elsewhere")
    os.rename("moved", "elsewhere/model")
    monkeypatch.chdir("elsewhere")
    assert export("model") == first == second
    monkeypatch.chdir("model")
    *_, third = export(".")  # writes into the model itself: those files are no part of it
    assert third == first[3] == export(".")[3]
    (Path("plain.pkl")).write_bytes(pickle.dumps([2]))
    changed = export(".")[3]
    capsys.readouterr()
    assert json.loads(changed)["serialNumber"] != json.loads(third)["serialNumber"]
    assert "timestamp" not in changed
    assert json.loads(third)["compositions"][0]["aggregate"] == "complete"


def test_source_date_epoch(model, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    bom = json.loads(export("model")[3])
    check_bom(bom)
    assert bom["metadata"]["timestamp"] == "1970-01-02T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert main(["model", "--sbom", "o.cdx.json"]) == 2
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("README.md", "---\nlicense: [mit, 3]\nbase_model: {a: b}\ndatasets: 7\nmodel-index: [1, {results: 2}]\n---\n"),
        ("README.md", "---\nlicense: other\nlicense_name: mine\nlicense_link: 'javascript:alert(1)'\n---\n"),
        ("README.md", "---\n- a\n- b\n---\n"),
        ("README.md", "---\na: &x [*x]\n---\n"),
        ("README.md", "---\n: : :\n\t- {\n---\n"),
        ("README.md", "---\nbase_model: '/home/me/llama'\n---\n"),
        ("README.md", f"---\nbase_model: {HOSTILE!r}\ndatasets: ['a\x07b', '../../x']\n---\n"),
        ("config.json", "[1, 2]"),
        ("config.json", "[" * 100_000),
        ("config.json", '{"model_type": 1e999, "architectures": [null, {}], "_name_or_path": ["x"]}'),
        ("config.json", '{"model_type": "\\ud800\\u202e", "architectures": "one"}'),
        ("config.json", '{"transformers_version": "%s"}' % ("9" * 999)),
        ("config.json", '{"model_type": %s}' % ("9" * 5000)),
        ("config.json", b"\xff\xfe{}"),
        ("adapter_config.json", '{"base_model_name_or_path": "acme/base"}'),
        ("tokenizer_config.json", '{"name_or_path": "acme/words"}'),
        ("requirements.txt", "é==1\n===\nx[y]==1.0 ; python_version<'3'\n@ file:///x\na @ git+https://x/y\n"),
    ],
)  # fmt: skip
def test_documents_of_any_kind_give_a_valid_bill(name, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkdir("m")
    Path("m", name).write_bytes(said if isinstance(said, bytes) else said.encode("utf-8", "surrogatepass"))
    raw = export("m")[3]
    capsys.readouterr()
    check_bom(json.loads(raw))
    assert "javascript" not in raw
    assert "/home/me" not in raw


def test_whose_words_count():
    said = declared({"m/config.json": b'{"model_type": "whole"}', "m/unet/config.json": b'{"model_type": "part"}'})
    assert said.family == "whole"
    said = declared({"m/config.json": b"nonsense", "m/README.md": b"no front matter"})
    assert (said.family, said.unclear) == ("", ["config.json"])
    assert declared({"adapter_config.json": b'{"base_model_name_or_path": "a/b"}'}).models == [
        ("a/b", "adapter", "adapter_config.json: base_model_name_or_path")
    ]


def test_licenses_are_spdx_or_a_name():
    assert {spdx(id.lower()) for id in SPDX} == SPDX
    assert (spdx(" MIT "), spdx("llama3"), spdx("")) == ("MIT", "", "")


@pytest.mark.parametrize(
    ("roots", "path", "shown", "below"),
    [
        (["model"], "model/deep/a", "model/deep/a", "deep/a"),
        (["./model/"], "./model/deep/a", "model/deep/a", "deep/a"),
        (["."], "./a", "a", "a"),
        (["."], ".", ".", "."),
        (["model/a.pkl"], "model/a.pkl", "model/a.pkl", "a.pkl"),
        (["/far/away/m"], "/far/away/m/x/y", "m/x/y", "x/y"),
        (["/far/m", "/near/m"], "/near/m/x", "m-2/x", "x"),
        (["../up"], "../up/x", "up/x", "x"),
    ],
)
def test_places(roots, path, shown, below, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    places = Places(roots)
    assert (places.shown(path), places.below(path)) == (shown, below)


def test_a_uri_is_never_absolute():
    for name in ("http://x/y", "c:/x", "//host/x", "/etc/x", "?q#f", "", "\udcff", "\ud800"):
        assert re.fullmatch(r"[A-Za-z0-9%._~/-]*", uri(name))
        assert not uri(name).startswith("//")


def test_what_cannot_be_written_is_said_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "a.pkl").write_bytes(CALL)
    for flag, value in (("--sarif", "no/such/x"), ("--junit", tmp_path), ("--sbom", "/proc/none/x")):
        assert main([str(tmp_path), flag, str(value)]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
    assert main([str(tmp_path), str(tmp_path), "--sbom", str(tmp_path / "o.json")]) == 2
    assert "one path" in capsys.readouterr().err


def test_the_exports_need_python_and_nothing_else(model, tmp_path):
    """All flags, only the folder of the scanner, in an isolated interpreter without site-packages."""
    package = tmp_path / "lone" / "probatum"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "scan").symlink_to(Path(probatum.__file__).parent / "scan")
    Path("p.toml").write_text('[[allow]]\nverdict = "not covered"\nreason = "x"\n')
    flags = ["model", "--policy", "p.toml", "--sarif", "a", "--junit", "b", "--sbom", "c"]
    code = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r}); from probatum.scan.__main__ import main; "
        f"code = main({flags!r}); loaded = {{'numpy', 'torch', 'jsonschema'}} & set(sys.modules); "
        "assert not loaded, loaded; sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert all(Path(name).stat().st_size > 500 for name in "abc")


def test_a_plain_scan_imports_no_export(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(1))
    code = (
        f"import sys; from probatum.scan.__main__ import main; code = main([{str(tmp_path)!r}]); "
        "names = ('probatum.scan.exports', 'probatum.scan.policy', 'hashlib', 'tomllib', 'urllib'); "
        "loaded = [n for n in names if n in sys.modules]; assert not loaded, loaded; sys.exit(code)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (ran.returncode, ran.stderr) == (0, "")
