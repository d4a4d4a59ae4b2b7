"""The command: directories, exit codes, JSON, hostile names, and what it costs."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import CALL, EVAL

import probatum
from probatum.scan import Budget, scan
from probatum.scan.finding import RULES, VERDICTS, printable
from probatum.scan.rules import explain


def run(*arguments, cwd=None):
    """The command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "probatum", "scan", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, env=environment,
    )  # fmt: skip


@pytest.fixture
def clean(tmp_path):
    """A directory as a hub holds it."""
    import torch
    from safetensors.torch import save_file

    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    save_file({"w": torch.zeros(3)}, folder / "model.safetensors")
    torch.save({"w": torch.zeros(3)}, folder / "pytorch_model.bin")
    (folder / "config.json").write_text('{"model_type": "x"}')
    (folder / "README.md").write_text("# A model\n")
    (folder / "deep" / "data.pkl").write_bytes(pickle.dumps([1]))
    return folder


def test_a_clean_directory_is_inert_and_ends_with_0(clean):
    ran = run(clean, "--json")
    said = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert {Path(f["path"]).name: f["format"] for f in said["files"]} == {
        "model.safetensors": "safetensors", "pytorch_model.bin": "torch zip", "config.json": "json",
        "README.md": "text", "data.pkl": "pickle",
    }  # fmt: skip
    assert said["summary"] == {"verdict": "proved inert", "proved inert": 5, "not covered": 0,
                               "executes unknown code": 0, "dangerous": 0}  # fmt: skip
    assert all(f["covered"] and f["findings"] == [] for f in said["files"])


@pytest.mark.parametrize(
    ("data", "verdict"), [(EVAL, "dangerous"), (CALL, "executes unknown code"), (b"\0\1", "not covered")]
)
def test_anything_else_ends_with_1(clean, data, verdict):
    (clean / "extra").write_bytes(data)
    ran = run(clean, "--quiet")
    assert ran.returncode == 1
    assert ran.stdout.startswith(verdict)
    assert "config.json" not in ran.stdout


def test_a_missing_path_is_one_sentence_and_2(tmp_path):
    ran = run(tmp_path / "nowhere\x1b[31m")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "\x1b" not in ran.stderr


def test_links_are_not_followed_out(clean, tmp_path):
    (tmp_path / "outside.pkl").write_bytes(EVAL)
    (clean / "out.pkl").symlink_to(tmp_path / "outside.pkl")
    (clean / "out").symlink_to(tmp_path)
    (clean / "loop").symlink_to(clean / "loop")
    (clean / "deep" / "up").symlink_to(clean)
    (clean / "inside.json").symlink_to(clean / "config.json")
    result = scan([clean])
    said = {Path(f.path).name: [x.rule for x in f.findings] for f in result.files if f.format.startswith("link")}
    assert said == {"out.pkl": ["DIR001"], "out": ["DIR001"], "loop": ["DIR001"], "up": [], "inside.json": []}
    assert result.verdict == "not covered"


def test_pipes_are_not_opened(clean):
    os.mkfifo(clean / "pipe.bin")
    assert [f.rule for file in scan([clean]).files for f in file.findings] == ["DIR002"]


def test_a_sparse_file_of_10_gb_is_not_read(clean):
    with open(clean / "giant.bin", "wb") as file:
        file.truncate(10 << 30)
    budget = Budget()
    assert scan([clean / "giant.bin"], budget).verdict == "not covered"
    assert budget.steps_used < 100


def test_names_that_clash(clean):
    (clean / "Config.json").write_text("{}")
    assert "DIR004" in {f.rule for file in scan([clean]).files for f in file.findings}


def test_hostile_names_are_escaped(tmp_path):
    name = "a\x1b[2J\u202egnp.pkl\n"
    (tmp_path / name).write_bytes(b"\x80\x02" + "cx\x1b[31m\u202e\nname\n.".encode())
    for ran in (run(tmp_path), run(tmp_path, "--json")):
        assert ran.returncode == 1
        assert not set("\x1b\u202e") & set(ran.stdout)


def test_printable():
    assert printable("caf\xe9 ok") == "caf\xe9 ok"
    assert printable("a\x1b\u202e\u200b\ud800\x9b\n") == "a\\x1b\\u202e\\u200b\\ud800\\x9b\\n"


def test_it_needs_python_and_nothing_else(clean, tmp_path):
    """Only the folder of the scanner, in an isolated interpreter without site-packages."""
    package = tmp_path / "lone" / "probatum"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "scan").symlink_to(Path(probatum.__file__).parent / "scan")
    code = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r}); from probatum.scan.__main__ import main; "
        f"code = main([{str(clean)!r}]); heavy = {{'numpy', 'typing', 'inspect', 'typer'}} & set(sys.modules); "
        "assert not heavy, heavy; sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_rule_is_documented():
    for id, rule in RULES.items():
        assert (rule.id, len(id)) == (id, 6)
        assert rule.verdict in VERDICTS
        assert rule.severity in ("note", "warning", "error")
        assert all(len(text) > 5 for text in (rule.title, rule.means, rule.matters, rule.do))
        assert rule.example in explain(id)


def test_explain_answers_rule_ids():
    environment = {**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1])}
    command = [sys.executable, "-m", "probatum", "explain", "pkl003"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.stdout.startswith("PKL003")
