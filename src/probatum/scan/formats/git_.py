"""What a clone brings along: git's own files, its hooks and its configuration, which git runs while it looks at them.

Objects, packs and indexes are taken by their own checksum or length; no loader of models opens them. A hook is known
by its name, since git goes by that name alone: under another (``pre-push.sample``) it is never run.
"""

from __future__ import annotations

import re

from probatum.scan import secrets
from probatum.scan.finding import quote
from probatum.scan.formats import shell, text
from probatum.scan.formats.read_text import byte_offset, whole_text
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "git"
EXCLUSIVE = True

#: First bytes of files that end with a checksum of all that stands before it.
SUMMED = {
    b"PACK\0\0\0\x02": "git pack", b"\xfftOc\0\0\0\x02": "git pack index", b"RIDX\0\0\0\x01": "git pack index",
    b"MIDX\x01": "git pack index", b"BITM\0\x01": "git pack index", b"CGPH\x01": "git commit graph",
    b"DIRC\0\0\0": "git index",
}  # fmt: skip
_OBJECT = re.compile(rb"(?:blob|tree|commit|tag) (\d{1,15})\0")
_PLACE = re.compile(
    r"(?:^|/)[^/]*\.git/(?:modules/(?!.*\b(?:refs|logs)/).*/|worktrees/[^/]+/)?(hooks/[^/]+|config(?:\.worktree)?)$",
    re.DOTALL | re.IGNORECASE,
)
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\\n]|\\.)*)")?\s*\]')
_KEY = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$")
#: Settings with which git runs nothing, by section and key; a section alone stands for all of its keys.
HARMLESS = words(
    """
    core.repositoryformatversion core.filemode core.bare core.logallrefupdates core.symlinks core.ignorecase
    core.precomposeunicode core.autocrlf core.eol core.untrackedcache core.sparsecheckout core.sparsecheckoutcone
    core.compression core.longpaths core.protecthfs core.protectntfs core.quotepath core.safecrlf core.preloadindex
    extensions.objectformat extensions.worktreeconfig extensions.partialclone extensions.refstorage remote.fetch
    remote.partialclonefilter remote.promisor remote.tagopt remote.prune branch.remote branch.merge branch.rebase
    user.name user.email submodule.active lfs.repositoryformatversion lfs.access lfs.locksverify filter.required
    pull.rebase pull.ff push.default push.autosetupremote init.defaultbranch gc.auto gc.autodetach gc.pruneexpire
    pack.threads pack.packsizelimit pack.windowmemory index.version color advice
    """
)
ADDRESSES = words("remote.url remote.pushurl submodule.url lfs.url")
_ADDRESS = re.compile(r'"?(?:https?://|ssh://|git://|git@|file://|/|\.)[^\s"]*"?$')
_LFS = re.compile(r"git-lfs (?:clean -- %f|smudge (?:--skip )?-- %f|filter-process(?: --skip)?)$")


def sniff(head: bytes, source: Source) -> bool:
    return bool(_kind(head, source))


def _kind(head: bytes, source: Source) -> str:
    for magic, name in SUMMED.items():
        if head.startswith(magic):
            return name
    found = _OBJECT.match(head)
    if found is not None:
        return "git object" if int(found[1]) == source.size - found.end() else ""
    place = _PLACE.search((source.name or source.path).replace("\\", "/"))
    if place is None or not text.sniff(head, source):
        return ""
    return "git hook" if place[1].lower().startswith("hooks/") else "git config"


def scan(source: Source, context: Context) -> str:
    kind = _kind(source.head(), source)
    if kind == "git hook":
        _hook(source, context)
    elif kind == "git config":
        _config(source, context)
    elif kind != "git object" and not _summed(source, context):
        context.report("GIT004", f"a {kind} whose checksum does not hold", source)
    return kind


def _summed(source: Source, context: Context) -> bool:
    """Does it end with the SHA-1, or the SHA-256, of all that stands before?"""
    import hashlib

    for name, size in (("sha1", 20), ("sha256", 32)):
        end, pos, made = source.size - size, 0, hashlib.new(name, usedforsecurity=False)
        while pos < end:
            block = source.read(pos, min(1 << 20, end - pos))
            context.budget.spend_steps(1 + len(block) // 64)
            if not block:
                return False
            made.update(block)
            pos += len(block)
        if end > 0 and made.digest() == source.read(end, size):
            return True
    return False


def _hook(source: Source, context: Context) -> None:
    if source.name_ends((".sample",)):
        context.report("GIT001", "git runs it only under its name without .sample", source)
        secrets.report(source, context)
        return
    context.report("GIT002", "git runs this text when its time comes", source)
    shell.scan(source, context)


def _config(source: Source, context: Context) -> None:
    """Every setting must be one of those that run nothing."""
    content = whole_text(source, context)
    section, pos = "", 0
    for line in (content or "").splitlines(keepends=True):
        rest = line.rstrip("\r\n")
        while (head := _SECTION.match(rest)) is not None:
            section, rest = head[1].lower(), rest[head.end() :]
        found = _KEY.match(rest)
        if (
            rest.strip()
            and rest.strip()[0] not in "#;"
            and not (found and _harmless(section, found[1], found[2] or ""))
        ):
            said = f"[{section}] {rest.strip()}"[:120]
            context.report("GIT003", quote(said), source, offset=byte_offset(content or "", pos))
        pos += len(line)


def _harmless(section: str, key: str, value: str) -> bool:
    """A dotted section, ``[remote.origin]``, is an old way to write a subsection."""
    top, value = section.partition(".")[0], value.strip()
    name = f"{top}.{key.lower()}"
    if value.endswith("\\"):  # the value goes on in the next line
        return False
    if name in ADDRESSES:
        return bool(_ADDRESS.match(value))
    if top == "filter" and key.lower() in ("clean", "smudge", "process"):
        return bool(_LFS.match(value))
    return top in HARMLESS or name in HARMLESS
