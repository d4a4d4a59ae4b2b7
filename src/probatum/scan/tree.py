"""Walk files and directories without following anything out of them."""

from __future__ import annotations

import os
import stat
import unicodedata

from probatum.scan.budget import Budget
from probatum.scan.context import Context
from probatum.scan.dispatch import scan_source
from probatum.scan.finding import FileResult, Finding, Result, printable, quote
from probatum.scan.source import Source
from probatum.scan.versions import versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    #: Is called with the path and the descriptor of every file that was scanned, while it is open.
    Seen: TypeAlias = Callable[[str, int], None]


class BadPath(ValueError):
    """A path that the user named does not exist or cannot be read; ``args[0]`` is the sentence."""


def scan(paths: Sequence[str | os.PathLike[str]], budget: Budget | None = None, seen: Seen | None = None) -> Result:
    """Scan files and directories.

    Parameters
    ----------
    paths
        Files or directories. A link that is named here is followed; links found below are not.
    budget
        What may be spent, over all paths.
    seen
        Called with the path and the open descriptor of every file after it was scanned: who hashes it there hashes
        what was scanned, and finds it in the system's cache.

    Raises
    ------
    BadPath
        If a named path does not exist.
    """
    budget = budget or Budget()
    results: list[FileResult] = []
    for path in paths:
        root = os.fspath(path)
        try:
            mode = os.stat(root).st_mode
        except OSError as error:
            raise BadPath(f"cannot read {quote(root)}: {error.strerror}") from None
        if stat.S_ISDIR(mode):
            results += _directory(root, budget, seen)
        else:
            results.append(_file(root, budget, seen, follow=True))
    return Result(results, versions())


def _directory(root: str, budget: Budget, seen: Seen | None) -> Iterator[FileResult]:
    """Every entry below, folder by folder, in the order of names."""
    todo = [root]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda e: e.name)
        except OSError as error:
            yield _only(folder, "directory", "DIR003", f"cannot list it: {error.strerror}")
            continue
        yield from _clashes(folder, [e.name for e in found])
        below = []
        for entry in found:
            if entry.is_symlink():
                yield _link(entry.path, root, budget)
            elif entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            else:
                yield _file(entry.path, budget, seen)
        todo += reversed(below)


def _link(path: str, root: str, budget: Budget) -> FileResult:
    """A link to a file inside the same root is that file, which is scanned where it lies; others are said."""
    try:
        target = os.path.realpath(path, strict=True)
    except OSError:
        return _only(path, "link", "DIR001", f"leads nowhere or in a circle: {quote(os.readlink(path))}")
    inside = os.path.realpath(root)
    if os.path.commonpath([target, inside]) != inside:
        return _only(path, "link", "DIR001", f"leads out of the directory: {quote(os.readlink(path))}")
    return FileResult(path, "link inside the directory", ())


def _file(path: str, budget: Budget, seen: Seen | None, follow: bool = False) -> FileResult:
    """Open without blocking, look again at what was opened, scan."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if not stat.S_ISREG(os.stat(path, follow_symlinks=follow).st_mode):
            return _only(path, "special file", "DIR002", "not a regular file; it was not opened")
        handle = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        return _only(path, "unknown", "DIR003", f"cannot open it: {error.strerror}")
    context = Context(budget)
    source = Source(path, file=handle)
    try:
        format = scan_source(source, context)
        if seen is not None:
            seen(path, handle)
    except (OSError, ValueError) as error:
        context.report("DIR003", f"reading it failed: {type(error).__name__} {printable(str(error))[:80]}", source)
        format = "unknown"
    finally:
        os.close(handle)
    return FileResult(path, format, context.findings)


def _clashes(folder: str, names: list[str]) -> Iterator[FileResult]:
    """Names that become one on a file system that ignores case or spells accents otherwise."""
    seen: dict[str, str] = {}
    for name in names:
        key = name if name.isascii() else unicodedata.normalize("NFC", name)
        key = key.casefold()
        if key in seen:
            said = f"{quote(seen[key])} and {quote(name)} are one name elsewhere"
            yield _only(folder, "directory", "DIR004", said)
        seen[key] = name


def _only(path: str, format: str, rule: str, message: str) -> FileResult:
    return FileResult(path, format, [Finding(rule, message)])
