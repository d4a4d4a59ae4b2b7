"""Layout messages, versions 1 to 5: where the elements of a dataset are kept."""

from __future__ import annotations

import math

from probatum.scan.hdf5.store import Bad, Cursor, Store

COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = range(4)


class Layout:
    """``chunk``: its sizes, the last one the bytes of an element; ``size``: bytes of the elements, or of one chunk."""

    def __init__(self) -> None:
        self.kind, self.address, self.size, self.data = 0, -1, -1, b""
        self.chunk: list[int] = []
        self.index, self.single, self.plain_edges, self.entry = 0, (0, 0), False, 0


def read(store: Store, cursor: Cursor) -> Layout:
    """Raises `Bad`."""
    version, out = cursor.number(1), Layout()
    if version in (1, 2):
        return _old(store, cursor, out)
    if version not in (3, 4, 5):
        raise Bad(f"a layout of version {version}")
    out.kind = cursor.number(1)
    if out.kind == COMPACT:
        out.size = cursor.number(2)
        out.data = cursor.take(out.size)
    elif out.kind == CONTIGUOUS:
        out.address, out.size = cursor.number(store.wide), cursor.number(store.long)
    elif out.kind == VIRTUAL and version > 3:
        out.address, out.entry = cursor.number(store.wide), cursor.number(4)
    elif out.kind == CHUNKED and version == 3:
        rank = cursor.number(1)
        out.address = cursor.number(store.wide)
        _chunk(out, [cursor.number(4) for _ in range(rank)])
    elif out.kind == CHUNKED:
        _indexed(store, cursor, out)
    else:
        raise Bad(f"a layout of class {out.kind}")
    return out


def _old(store: Store, cursor: Cursor, out: Layout) -> Layout:
    rank, out.kind = cursor.number(1), cursor.number(1)
    cursor.take(5)
    if out.kind > CHUNKED:
        raise Bad(f"a layout of class {out.kind}")
    out.address = cursor.number(store.wide) if out.kind else -1
    sizes = [cursor.number(4) for _ in range(rank)]
    if out.kind == COMPACT:
        out.size = cursor.number(4)
        out.data = cursor.take(out.size)
    elif out.kind == CHUNKED:
        _chunk(out, sizes)
    return out


def _chunk(out: Layout, sizes: list[int]) -> None:
    if not 2 <= len(sizes) <= 33 or not all(sizes):
        raise Bad("chunks without a size")
    out.chunk, out.size = sizes, math.prod(sizes)


def _indexed(store: Store, cursor: Cursor, out: Layout) -> None:
    flags, rank, width = cursor.number(1), cursor.number(1), cursor.number(1)
    if not 1 <= width <= 8:
        raise Bad("chunks without a size")
    _chunk(out, [cursor.number(width) for _ in range(rank)])
    out.index, out.plain_edges = cursor.number(1), bool(flags & 1)
    if out.index == 1 and flags & 2:
        out.single = cursor.number(store.long), cursor.number(4)
    cursor.take({3: 1, 4: 5, 5: 6}.get(out.index, 0))
    out.address = cursor.number(store.wide)


def fill(cursor: Cursor, new: bool) -> tuple[bytes, int]:
    """(the fill value or nothing, where in the message it begins). Raises `Bad`."""
    if new:
        version = cursor.number(1)
        if version == 3:
            defined = cursor.number(1) & 0x20
        else:
            cursor.take(2)
            defined = cursor.number(1) or version == 1
        if not defined:
            return b"", 0
    size = cursor.number(4) if cursor.left >= 4 else 0
    return cursor.take(min(size, cursor.left)), cursor.pos - size
