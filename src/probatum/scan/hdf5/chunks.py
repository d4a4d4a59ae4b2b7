"""Where the chunks of a dataset stand: the six kinds of index."""

from __future__ import annotations

import math

from probatum.scan.hdf5 import arrays, trees
from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.hdf5.layouts import Layout

#: Kinds of index of a layout of version 4, and 0 for the tree of the versions before.
TREE, SINGLE, IMPLICIT, FIXED, EXTENSIBLE, SECOND = range(6)


def places(store: Store, layout: Layout, shape: list[int], filtered: bool) -> Iterator[tuple[int, int, int]]:
    """(address, stored bytes, mask of left-out filters) of every chunk that is there. Raises `Bad`."""
    if store.is_none(layout.address):
        return
    if layout.index == TREE:
        for key, address in trees.first(store, layout.address, 1, 8 + 8 * len(layout.chunk)):
            cursor = Cursor(key, "a chunk")
            yield address, cursor.number(4), cursor.number(4)
    elif layout.index == SINGLE:
        yield layout.address, layout.single[0] if filtered else layout.size, layout.single[1]
    elif layout.index == IMPLICIT:
        count = math.prod(-(-n // max(1, c)) for n, c in zip(shape, layout.chunk, strict=False))
        yield layout.address, count * layout.size, 0
    elif layout.index in (FIXED, EXTENSIBLE):
        walk = arrays.fixed if layout.index == FIXED else arrays.extensible
        for entry in walk(store, layout.address):
            yield from _entry(store, Cursor(entry, "an index of chunks"), layout, filtered, len(entry))
    elif layout.index == SECOND:
        for kind, record in trees.second(store, layout.address, (10, 11)):
            used = len(record) - 8 * (len(layout.chunk) - 1)
            yield from _entry(store, Cursor(record, "an index of chunks"), layout, kind == 11, used)
    else:
        raise Bad(f"an index of chunks of kind {layout.index}")


def _entry(store: Store, cursor: Cursor, layout: Layout, filtered: bool, used: int) -> Iterator[tuple[int, int, int]]:
    """An address; of filtered chunks the stored bytes and the mask as well."""
    address = cursor.number(store.wide)
    if store.is_none(address):
        return
    if not filtered:
        yield address, layout.size, 0
        return
    yield address, cursor.number(max(0, used - store.wide - 4)), cursor.number(4)
