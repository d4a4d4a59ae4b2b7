"""The superblock: where the file begins, how wide its numbers are, where the root group and the extension stand."""

from __future__ import annotations

from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.source import Source

MAGIC = b"\x89HDF\r\n\x1a\n"
#: Addresses of the root: its object header, and its B-tree and heap as the superblock knows them (-1: it does not).
Root = tuple[int, int, int]


def find(source: Source) -> int:
    """Where the signature stands: at 0, 512, 1024, 2048 and so on; -1 if it does not."""
    at = 0
    while at < source.size:
        if source.read(at, 8) == MAGIC:
            return at
        at = at * 2 or 512
    return -1


def read(store: Store) -> tuple[Root, int]:
    """(root group, address of the extension or -1). Sets the widths and the end of the store. Raises `Bad`."""
    cursor = Cursor(store.source.read(store.start, 128), "the superblock", 8)
    version = cursor.number(1)
    if version in (0, 1):
        return _old(store, cursor, version)
    if version not in (2, 3):
        raise Bad(f"a superblock of version {version}")
    _widths(store, cursor)
    cursor.take(1)
    base, extension, end, root = (cursor.number(store.wide) for _ in range(4))
    cursor.take(4)
    _ends(store, base, end, cursor.pos)
    return (root, -1, -1), -1 if store.is_none(extension) else extension


def _old(store: Store, cursor: Cursor, version: int) -> tuple[Root, int]:
    cursor.take(4)
    _widths(store, cursor)
    cursor.take(1 + 2 + 2 + 4 + (4 if version else 0))
    base, _, end, driver = (cursor.number(store.wide) for _ in range(4))
    cursor.take(store.wide)
    root, cached = cursor.number(store.wide), cursor.number(4)
    cursor.take(4)
    scratch = Cursor(cursor.take(16), "the root entry")
    _ends(store, base, end, cursor.pos)
    if not store.is_none(driver):
        raise Bad("a driver that spreads the file over several files", "HDF004")
    if cached == 1 and store.wide <= 8:
        return (root, scratch.number(store.wide), scratch.number(store.wide)), -1
    return (root, -1, -1), -1


def _widths(store: Store, cursor: Cursor) -> None:
    store.wide, store.long = cursor.number(1), cursor.number(1)
    if store.wide not in (2, 4, 8) or store.long not in (2, 4, 8):
        raise Bad(f"addresses of {store.wide} bytes and lengths of {store.long}")


def _ends(store: Store, base: int, end: int, size: int) -> None:
    """The base may be written as 0 although bytes stand before; the end counts from the same place."""
    if base not in (0, store.start):
        raise Bad(f"a base address {base:,} where the superblock stands at {store.start:,}")
    end -= base
    if end > store.source.size - store.start:
        raise Bad(f"the file should end at {store.start + end:,}, but ends at {store.source.size:,}")
    store.end = end
    store.claim(0, size, "the superblock")
