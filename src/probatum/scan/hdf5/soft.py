"""Soft links: paths inside the file. One that leads to nothing is told."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    #: Group address -> name -> address of a member, path of a soft link, or None for a link of another kind.
    Groups = dict[int, dict[bytes, int | bytes | None]]

#: Soft links on the way of one soft link; the library stops at 16 as well.
DEEPEST = 16
#: What a link leads to, where it is another link out of the file or was not read.
ELSEWHERE = -1


def dangling(groups: Groups, root: int, step: Callable[[int], None]) -> Iterator[tuple[str, bytes]]:
    """(link, its target) of all soft links that lead to nothing."""
    known: dict[tuple[int, bytes], int | None] = {}
    for address, members in groups.items():
        for name, target in members.items():
            if isinstance(target, bytes) and _resolve(groups, root, address, target, known, step, 0) is None:
                yield name[:160].decode("utf-8", "replace"), target


def _resolve(
    groups: Groups,
    root: int,
    base: int,
    path: bytes,
    known: dict[tuple[int, bytes], int | None],
    step: Callable[[int], None],
    depth: int,
) -> int | None:
    """The address behind a path that is read from a group on; None if there is nothing."""
    key = (root if path[:1] == b"/" else base, path)
    if key in known:
        return known[key]
    if depth > DEEPEST:
        return None
    known[key] = None  # a loop leads to nothing
    at: int | None = key[0]
    names = path.split(b"/")
    step(len(names) + len(path) // 16)
    for name in names:
        if name in (b"", b"."):
            continue
        if at == ELSEWHERE or at is None:
            break
        members = groups.get(at)
        if members is None or name not in members:
            at = None
            break
        target = members[name]
        if isinstance(target, bytes):
            at = _resolve(groups, root, at, target, known, step, depth + 1)
        else:
            at = ELSEWHERE if target is None else target
    known[key] = at
    return at
