"""The log of a git repository that nobody trusts: read without its configuration, hooks, attributes or remotes.

A repository's own configuration can make ``git log`` run programs (``gpg.program`` with ``log.showSignature``, a pager,
a file system monitor, a remote that is asked for missing objects). So git never sees it: it works in an empty
repository of ours, whose configuration we wrote, and which borrows nothing but the folder of objects. Where the log
begins is read from ``HEAD`` by ourselves.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from probatum.core.errors import BadInput

#: One record a commit: hash, author, time, subject; then the names of the files, one a line.
FORMAT = "%x1e%H%x1f%an%x1f%aI%x1f%s"
#: What a user may run where we do not; its output is taken as a file.
COMMAND = f"git log --reverse --no-merges --no-renames --name-only --format='{FORMAT}' > history.log"
SECONDS, LARGEST = 300, 1 << 28  #: longest run of git, and most bytes of a log
_HASH = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_REF = re.compile(r"refs/[\w][\w./@+-]{0,250}\Z")
_ARGUMENTS = (
    "-c", "core.fsmonitor=", "-c", f"core.hooksPath={os.devnull}", "-c", "core.commitGraph=false",
    "log", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-mailmap", "--no-color", "--no-decorate",
    "--no-notes", "--reverse", "--no-merges", "--no-renames", "--name-only", f"--format={FORMAT}",
)  # fmt: skip


def is_repository(folder: Path) -> bool:
    """A checkout with its own ``.git`` directory, or a bare repository."""
    return any((place / "HEAD").is_file() and (place / "objects").is_dir() for place in (folder / ".git", folder))


def read_log(folder: Path, *, seconds: float = SECONDS) -> str:
    """The log from ``HEAD``, oldest first, without merges, in `FORMAT`.

    Raises
    ------
    BadInput
        No repository (a worktree or a submodule keeps its objects elsewhere), no commit, no git, or git gave up.
    """
    if not is_repository(folder):
        raise BadInput(f"{folder}: expected a git checkout with its own .git directory, or the output of `{COMMAND}`")
    place = folder / ".git" if (folder / ".git" / "HEAD").is_file() else folder
    git = shutil.which("git")
    if git is None or not os.path.isabs(git) or Path(git).resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"{folder}: git was not found on the path; give the output of `{COMMAND}` instead")
    head = _head(place)
    objects = str((place / "objects").resolve())
    if "\n" in objects:
        raise BadInput(f"{folder!s}: a path with a line break cannot be read")
    with tempfile.TemporaryDirectory(prefix="probatum-git-") as name:
        own = Path(name)
        _skeleton(own, objects, _shallow(place), long=len(head) == 64)
        return _run(folder, [git, "--no-pager", f"--git-dir={own}", *_ARGUMENTS, head, "--"], own, seconds)


def _head(place: Path) -> str:
    """The commit that HEAD names, by way of one reference."""
    said = _small(place / "HEAD").strip()
    if said.startswith("ref:"):
        ref = said[4:].strip()
        if not _REF.match(ref) or ".." in ref:
            raise BadInput(f"{place}: HEAD names no ordinary branch; give the output of `{COMMAND}` instead")
        said = _small(place / ref).strip()
        if not said:
            packed = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(ref)}$", _small(place / "packed-refs"), re.MULTILINE)
            said = packed[1] if packed else ""
    if not _HASH.match(said):
        raise BadInput(f"{place}: HEAD names no commit that is here; give the output of `{COMMAND}` instead")
    return said


def _shallow(place: Path) -> list[str]:
    return [line for line in _small(place / "shallow").split() if _HASH.match(line)]


def _small(file: Path) -> str:
    if not file.is_file() or file.is_symlink():
        return ""
    with file.open("rb") as stream:
        return stream.read(1 << 24).decode("utf-8", "replace")


def _skeleton(own: Path, objects: str, shallow: list[str], *, long: bool) -> None:
    """An empty repository that borrows the objects."""
    (own / "objects" / "info").mkdir(parents=True)
    (own / "refs").mkdir()
    (own / "HEAD").write_text("ref: refs/heads/none\n")
    version = "repositoryformatversion = 1\n[extensions]\nobjectformat = sha256\n" if long else "bare = true\n"
    (own / "config").write_text(f"[core]\n{version}")
    (own / "objects" / "info" / "alternates").write_text(objects + "\n", encoding="utf-8")
    if shallow:
        (own / "shallow").write_text("\n".join(shallow) + "\n")


def _run(folder: Path, command: list[str], own: Path, seconds: float) -> str:
    environment = {
        "PATH": os.environ.get("PATH", ""), "HOME": str(own), "XDG_CONFIG_HOME": str(own), "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    with (own / "errors").open("w+b") as errors:
        process = subprocess.Popen(
            command, cwd=own, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            out = process.stdout.read(LARGEST + 1) if process.stdout else b""
            if len(out) > LARGEST:
                process.kill()
                raise BadInput(f"{folder}: its log is longer than {LARGEST:,} bytes")
            code = process.wait()
        finally:
            timer.cancel()
            if process.stdout:
                process.stdout.close()
        if code < 0:
            raise BadInput(
                f"{folder}: git had not finished after {seconds:g} s; give the output of `{COMMAND}` instead"
            )
        if code:
            errors.seek(0)
            said = errors.read(200).decode("utf-8", "replace").strip().splitlines()
            raise BadInput(f"{folder}: git could not read its log ({said[0] if said else code})")
    return out.decode("utf-8", "replace")
