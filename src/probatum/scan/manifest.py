"""The sha256 of every file of a model: what a signature covers and what a bill of materials lists."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading

from probatum.scan.finding import quote
from probatum.scan.tree import BadPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: What is done with a symbolic link: refuse the model, note where it leads, or take the file it leads to.
LINKS = ("refuse", "record", "follow")
#: Bytes that are read at once: they stay in the processor's cache until they are hashed.
PIECE = 1 << 18


class Changed(OSError):
    """A file was written to while it was read; ``args[0]`` is the sentence."""


class Manifest:
    """What lies below a root. Paths are relative, with "/" between folders, in the order of their code points.

    ``files``: path -> (size in bytes, sha256 in hex, "" if it was not asked for); ``links``: path -> where it leads;
    ``special``: pipes, sockets and devices, which nobody may open.
    """

    __slots__ = ("files", "links", "special")

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, str]] = {}
        self.links: dict[str, str] = {}
        self.special: list[str] = []


class Hasher:
    """Hashes open files, each inode once: two names of one file, or links to it, are not read twice. Thread-safe.

    ``tick`` is called with the count of bytes after every piece.
    """

    __slots__ = ("_known", "_locks", "tick")

    def __init__(self, tick: Callable[[int], None] | None = None) -> None:
        self._known: dict[tuple[int, ...], str] = {}
        self._locks: dict[tuple[int, ...], threading.Lock] = {}
        self.tick = tick

    def digest(self, handle: int) -> tuple[int, str]:
        """(size, sha256) of an open file. Raises `Changed` if it was written to meanwhile."""
        before = os.fstat(handle)
        key = (before.st_dev, before.st_ino, before.st_size, before.st_mtime_ns)
        with self._locks.setdefault(key, threading.Lock()):  # one call, so that no second lock comes between
            if key not in self._known:
                self._known[key] = self._hash(handle, before)
        return before.st_size, self._known[key]

    def _hash(self, handle: int, before: os.stat_result) -> str:
        sha, done = hashlib.sha256(), 0
        view = memoryview(bytearray(PIECE))
        with io.FileIO(handle, closefd=False) as file:
            file.seek(0)
            while count := file.readinto(view):
                sha.update(view[:count])
                done += count
                if self.tick:
                    self.tick(count)
                if done > before.st_size:
                    break  # it grows: never run after its end
        after = os.fstat(handle)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or done != before.st_size:
            raise Changed("it changed while it was read")
        return sha.hexdigest()


def listing(root: str, *, follow: bool = False, skip: Callable[[str], bool] | None = None) -> Manifest:
    """Everything below ``root`` without hashes; of a file, the file itself under its last name.

    Parameters
    ----------
    follow
        Take the files that links lead to, wherever they lie (as in a hub cache). Links to anything else stay links.
    skip
        Says of a relative path that it is left out; of a folder, with all that it holds.

    Raises
    ------
    BadPath
        If a folder cannot be read.
    """
    found = Manifest()
    try:
        top = os.stat(root)
        if not stat.S_ISDIR(top.st_mode):
            found.files[os.path.basename(os.path.abspath(root))] = (top.st_size, "")
            return found
        todo = [("", root)]
        while todo:
            prefix, folder = todo.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if skip is not None and skip(path):
                        continue
                    if entry.is_symlink() and not (follow and _is_file(entry)):
                        found.links[path] = os.readlink(entry.path)
                    elif entry.is_dir():
                        todo.append((path + "/", entry.path))
                    elif entry.is_file():
                        found.files[path] = (entry.stat().st_size, "")
                    else:
                        found.special.append(path)
    except OSError as error:
        raise BadPath(f"cannot read {quote(str(error.filename or root))}: {error.strerror}") from None
    found.files, found.links = dict(sorted(found.files.items())), dict(sorted(found.links.items()))
    return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def check_links(found: Manifest, root: str, links: str) -> None:
    """Do the links stand as ``links`` (one of `LINKS`) has them? Raises `BadPath` with the first that does not.

    ``record`` takes links that stay inside the root; ``follow`` takes links to files, which `listing` made files of.
    """
    top = os.path.realpath(root)
    for path, target in found.links.items():
        says = f"{quote(path)} is a link to {quote(target)}"
        if links == "refuse":
            raise BadPath(f"{says}; choose --links record (where it leads) or --links follow (the file it leads to)")
        if links == "follow":
            raise BadPath(f"{says}, which is no file that could be followed; remove it")
        if os.path.commonpath([os.path.realpath(os.path.join(root, *path.split("/"))), top]) != top:
            raise BadPath(f"{says}, which leaves the model; choose --links follow, or remove it")


def hashed(root: str, paths: Iterable[str], hasher: Hasher, *, follow: bool = False) -> dict[str, tuple[int, str]]:
    """path -> (size, sha256) of these files below ``root``, several at a time.

    Raises `BadPath` where one cannot be read or changes meanwhile, or is a link where none are followed.
    """
    from concurrent.futures import ThreadPoolExecutor

    single = not os.path.isdir(root)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= 0 if follow or single else getattr(os, "O_NOFOLLOW", 0)

    def one(path: str) -> tuple[int, str]:
        try:
            handle = os.open(root if single else os.path.join(root, *path.split("/")), flags)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise Changed("it is no regular file any more")
                return hasher.digest(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise BadPath(f"cannot read {quote(path)}: {error.strerror or error.args[0]}") from None

    wanted = list(paths)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))


def ignoring(patterns: Sequence[str], *names: str) -> Callable[[str], bool]:
    """Says of a path whether one of the globs fits it, or it is one of ``names``; "*" also crosses folders."""
    from fnmatch import fnmatchcase

    return lambda path: path in names or any(fnmatchcase(path, p) for p in patterns)
