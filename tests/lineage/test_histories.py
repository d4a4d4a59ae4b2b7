"""Histories of commits: one category each, what follows what, and a hostile repository that runs nothing."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from probatum.core.errors import BadInput
from probatum.lineage.commits import NAMES, Commit, category_of, read_commits, says_nothing
from probatum.lineage.git_log import COMMAND, read_log
from probatum.lineage.history import history, rate, unsignaled

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")
CLEAN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
CLEAN |= {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder, *arguments, text="", **environment):
    return subprocess.run(
        [GIT, *arguments], cwd=folder, env=CLEAN | environment, input=text, capture_output=True, text=True, check=True
    ).stdout.strip()


def grow(folder, commits, *arguments):
    """A repository with these commits: (message, {file: text})."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", *arguments)
    for message, files in commits:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", message)
    return folder


def log(*commits):
    rows = [f"\x1e{i:040x}\x1f{author}\x1f2024-01-01\x1f{message}\n\n" + "\n".join(files)
            for i, (author, message, files) in enumerate(commits)]  # fmt: skip
    return "\n".join(rows) + "\n"


STORY = [
    ("initial commit", {".gitattributes": "*"}),
    ("Upload model.safetensors with huggingface_hub", {"model.safetensors": "1"}),
    ("Add license to the card", {"README.md": "a"}),
    ("Fix a typo", {"README.md": "b"}),
    ("Update model.safetensors", {"model.safetensors": "2"}),
    ("Retrained for two more epochs", {"model.safetensors": "3", "README.md": "c"}),
]
KINDS = ["sharing", "parameters", "sharing", "documentation", "parameters", "training"]


@pytest.mark.parametrize(
    ("message", "files", "kind"),
    [
        ("Upload README.md with huggingface_hub", ["README.md"], "documentation"),
        ("Add files via upload", ["tokenizer.json"], "preprocessing"),
        ("Upload folder using huggingface_hub", ["config.json", "model.safetensors", "README.md"], "parameters"),
        ("Upload LlamaForCausalLM", ["config.json", "generation_config.json"], "structure"),
        ("Update README.md", ["README.md"], "documentation"),
        ("Add pipeline tag and library name", ["README.md"], "metadata"),
        ("Changed the license", ["README.md"], "sharing"),
        ("Describe the dataset", ["README.md"], "data"),
        ("Training in progress, step 500", ["model.safetensors", "training_args.bin"], "training"),
        ("New chat template", ["tokenizer_config.json", "README.md"], "preprocessing"),
        ("New chat template", ["model.safetensors"], "parameters"),  # the files do not bear it out
        ("fix", ["handler.py"], "code"),
        ("fix", ["onnx/config.json"], "structure"),
        ("fix", ["odd.xyz"], "other"),
        ("", [], "other"),
        ("bump dependencies", [], "dependencies"),
    ],
)
def test_a_commit_has_one_category(message, files, kind):
    assert category_of(Commit("a", message, tuple(files))) == kind
    assert kind in NAMES


@pytest.mark.parametrize(
    ("message", "empty"),
    [
        ("Upload model-00001-of-00002.safetensors with huggingface_hub", True), ("Add files via upload", True),
        ("Upload 7 files", True), ("Create README.md", True), ("Rename a.bin to b.bin", True), ("", True),
        ("Upload folder using huggingface_hub", True), ("Delete pytorch_model.bin", True), ("Upload tokenizer", True),
        ("initial commit", True), ("Add dataset", False), ("Update weights", False), ("Fix the template", False),
    ],
)  # fmt: skip
def test_messages_of_web_pages_say_nothing(message, empty):
    assert says_nothing(message) is empty


def commits(*files):
    return [Commit("a", "x", tuple(f.split())) for f in files]


@pytest.mark.parametrize(
    ("files", "silent"),
    [
        (["m.safetensors"], []),  # the first upload changes nothing
        (["m.safetensors", "m.safetensors"], [(True, True)]),
        (["m.safetensors", "m.safetensors README.md"], [(False, False)]),
        (["m.safetensors", "m.safetensors", "README.md"], [(True, False)]),
        (["m.safetensors", "m.safetensors", "m.safetensors", "README.md"], [(True, True), (True, False)]),
        (["m.safetensors", "m.safetensors m-v2.safetensors"], [(False, False)]),
        (["m.safetensors", "m.safetensors b.safetensors"], [(True, True)]),
        (["m.safetensors", "config.json", "README.md"], []),
    ],
)
def test_changes_of_weights_without_a_word_are_counted(files, silent):
    assert unsignaled(commits(*files)) == silent


@needs_git
def test_a_checkout_and_its_exported_log_say_the_same(tmp_path):
    folder = grow(tmp_path / "model", STORY)
    (tmp_path / "model.log").write_text(read_log(folder))
    assert read_commits(folder) == read_commits(tmp_path / "model.log")
    assert [category_of(c) for c in read_commits(folder)] == KINDS
    out = subprocess.run(COMMAND, shell=True, cwd=folder, env=CLEAN, check=True)
    assert not out.returncode
    assert read_commits(folder / "history.log") == read_commits(folder)
    found = history([folder])
    assert found.commits == 6
    assert (found.unsignaled["count"], found.unsignaled["n"]) == (1, 2)
    assert found.unsignaled["low"] < 0.5 < found.unsignaled["high"]
    assert found.transitions[0]["n"] >= found.transitions[0]["count"]
    assert sum(r["count"] for r in found.shares) == 6


@needs_git
@pytest.mark.parametrize("kind", ["packed", "detached", "bare", "sha256", "shallow"])
def test_every_form_of_repository_is_read(kind, tmp_path):
    folder = grow(tmp_path / "m", STORY, *(("--object-format=sha256",) if kind == "sha256" else ()))
    if kind == "packed":
        git(folder, "gc", "-q")
    elif kind == "detached":
        git(folder, "checkout", "-q", "--detach")
    elif kind in ("bare", "shallow"):
        other = tmp_path / "c.git"
        how = ["--bare"] if kind == "bare" else ["--depth=2"]
        git(tmp_path, "clone", "-q", *how, f"file://{folder}", str(other))
        folder = other
    assert len(read_commits(folder)) == (2 if kind == "shallow" else 6)


@needs_git
def test_a_hostile_repository_runs_nothing(tmp_path):
    """Its configuration runs a program under plain git log, which is shown first; ours never starts it."""
    folder = grow(tmp_path / "m", STORY)
    marker, bait = tmp_path / "ran", tmp_path / "bait.sh"
    bait.write_text(f"#!/bin/sh\ntouch {marker}\nexit 0\n")
    bait.chmod(0o755)
    tree, parent = git(folder, "rev-parse", "HEAD^{tree}"), git(folder, "rev-parse", "HEAD")
    who = "x <x@x> 1700000000 +0000"
    seal = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----"
    text = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n{seal}\n\nsigned\n"
    signed = git(folder, "hash-object", "-t", "commit", "-w", "--stdin", text=text)
    git(folder, "update-ref", "HEAD", signed)
    for key in ("gpg.program", "core.fsmonitor", "core.pager", "diff.external", "diff.bait.textconv", "core.sshCommand",
                "diff.bait.command", "core.alternateRefsCommand", "filter.bait.smudge", "core.editor"):  # fmt: skip
        git(folder, "config", key, str(bait))
    for key, value in (("log.showSignature", "true"), ("core.hooksPath", str(tmp_path)), ("pager.log", "true"),
                       ("log.diffMerges", "on")):  # fmt: skip
        git(folder, "config", key, value)
    (folder / ".gitattributes").write_text("* diff=bait filter=bait\n")
    for hook in (folder / ".git" / "hooks").parent.glob("hooks"):
        shutil.copy(bait, hook / "post-index-change")
    git(folder, "log", "--name-only")
    assert marker.exists(), "the bait works where git believes the configuration"
    marker.unlink()
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert len(history([folder]).repositories) == 1
    assert len(read_commits(folder)) == 7
    assert not marker.exists()
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before, "nothing in the repository was written"


@needs_git
def test_a_missing_object_is_not_asked_of_a_hostile_remote(tmp_path):
    folder = grow(tmp_path / "m", STORY)
    marker, bait = tmp_path / "ran", tmp_path / "bait.sh"
    bait.write_text(f"#!/bin/sh\ntouch {marker}\n")
    bait.chmod(0o755)
    for key, value in (("core.repositoryformatversion", "1"), ("extensions.partialClone", "origin"),
                       ("remote.origin.url", f"ext::{bait}"), ("remote.origin.promisor", "true"),
                       ("protocol.ext.allow", "always")):  # fmt: skip
        git(folder, "config", key, value)
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    (folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(subprocess.CalledProcessError):
        git(folder, "log", "--name-only")
    assert marker.exists(), "the bait works where git believes the configuration"
    marker.unlink()
    with pytest.raises(BadInput, match="git could not read its log"):
        history([folder])
    assert not marker.exists()


@needs_git
def test_git_is_given_a_limited_time(tmp_path, monkeypatch):
    folder = grow(tmp_path / "m", STORY[:1])
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(BadInput, match="had not finished"):
        read_log(folder, seconds=0.3)


@needs_git
@pytest.mark.parametrize(
    ("head", "said"),
    [("ref: ../../etc/passwd", "no ordinary branch"), ("ref: refs/heads/../../x", "no ordinary branch"),
     ("--output=/tmp/x", "names no commit"), ("ref: refs/heads/gone", "names no commit"), ("0" * 40, "could not read")],
)  # fmt: skip
def test_an_odd_head_is_one_sentence(head, said, tmp_path):
    folder = grow(tmp_path / "m", STORY[:1])
    (folder / ".git" / "HEAD").write_text(head)
    with pytest.raises(BadInput, match=said):
        read_log(folder)


def test_what_is_no_history_is_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="expected a git checkout"):
        read_commits(tmp_path / "nothing")
    with pytest.raises(BadInput, match="expected a git checkout"):
        read_commits(tmp_path)
    (tmp_path / "x.log").write_text("commit abc\n")
    with pytest.raises(BadInput, match="is no log of"):
        read_commits(tmp_path / "x.log")


def test_a_dependence_between_commits_is_learned_and_chance_is_not(tmp_path):
    files = {"documentation": "README.md", "code": "a.py", "preprocessing": "tokenizer.json"}
    for follow in (0.0, 0.8):
        rng = np.random.default_rng(5)
        own = ["code"]
        for _ in range(600):
            after = {"code": "documentation", "documentation": "preprocessing", "preprocessing": "code"}[own[-1]]
            own.append(after if rng.random() < follow else str(rng.choice(list(files))))
        (tmp_path / "m.log").write_text(log(*(("a", "x", [files[k]]) for k in own)))
        found = history([tmp_path / "m.log"])
        assert [(e["parent"], e["child"]) for e in found.edges] == ([("previous", "category")] if follow else [])
        assert (found.bic["learned"] > found.bic["without edges"]) is bool(follow)


def test_what_belongs_to_a_repository_needs_ten_of_them(tmp_path):
    rng = np.random.default_rng(2)
    rows = ["model,downloads"]
    for i in range(12):
        popular = i % 2
        kinds = rng.choice(["a.py", "README.md"], p=[0.85, 0.15] if popular else [0.15, 0.85], size=60)
        (tmp_path / f"m{i}.log").write_text(log(*(("a", "x", [k]) for k in kinds)))
        rows.append(f"m{i},{1000 * popular + i}")
    (tmp_path / "p.csv").write_text("\n".join(rows))
    logs = sorted(tmp_path.glob("*.log"))
    found = history(logs, popularity=tmp_path / "p.csv")
    assert ("popularity", "category") in {(e["parent"], e["child"]) for e in found.edges}
    assert any("collaborators: the same" in n for n in found.notes)
    few = history(logs[:9], popularity=tmp_path / "p.csv")
    assert "popularity: not established (fewer than 10 repositories)" in few.notes
    wide, narrow = ({r["name"]: r for r in h.shares}["code"] for h in (found, few))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"], "repositories differ more than commits do"
    with pytest.raises(BadInput, match="called m1"):
        history([logs[1], logs[1]])


def test_a_share_of_nothing_is_no_number():
    assert rate("x", np.zeros(0, bool), np.zeros(0))["rate"] is None


@needs_git
def test_the_terminal_shows_it_and_cannot_be_driven(tmp_path, capsys):
    from probatum.cli import main

    folder = grow(tmp_path / "m\x1b[31m", STORY)
    for arguments in (["history", str(folder)], ["history", str(folder), "--json"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert not end.value.code
        told = capsys.readouterr().out
        assert "\x1b[31m" not in told
    assert '"commits": 6' in told
