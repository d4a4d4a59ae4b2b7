"""The links of a group: symbol tables, link messages, and dense links in a fractal heap."""

from __future__ import annotations

from probatum.scan.hdf5 import headers, outside, trees
from probatum.scan.hdf5.fractal import Fractal
from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.hdf5.headers import Message

#: (name, kind of link, what it leads to): an address in a hard link, else bytes.
HARD, SOFT, EXTERNAL = 0, 1, 64
Found = tuple[bytes, int, "int | bytes"]


def links(store: Store, found: list[Message]) -> Iterator[Found]:
    """All links of the object with these messages. Raises `Bad`."""
    for message in found:
        if message.type == headers.SYMBOLS:
            cursor = Cursor(message.data, "a symbol table")
            yield from symbols(store, cursor.number(store.wide), cursor.number(store.wide))
        elif message.type == headers.LINK:
            yield link(store, message.data)
        elif message.type == headers.LINK_INFO:
            yield from _dense(store, Cursor(message.data, "link info"))


def symbols(store: Store, tree: int, heap: int) -> Iterator[Found]:
    """A group as the first versions write it: a B-tree of symbol nodes, names in a local heap."""
    names = outside.local_heap(store, heap)
    wide = store.wide
    entry = 2 * wide + 24
    for key, address in trees.first(store, tree, 0, store.long):
        names.name(int.from_bytes(key, "little"))
        head = store.peek(address, 8, "a symbol node")
        count = int.from_bytes(head[6:8], "little")
        node = store.signed(address, 8 + count * entry, b"SNOD", "a symbol node")
        node.take(4)
        for _ in range(count):
            store.context.budget.spend_steps(1)
            name, target, cached = names.name(node.number(wide)), node.number(wide), node.number(4)
            node.take(4)
            scratch = Cursor(node.take(16), "a symbol node")
            if cached == 2:
                yield name, SOFT, names.name(scratch.number(4))
            elif cached in (0, 1):
                yield name, HARD, target
            else:
                raise Bad(f"a symbol of kind {cached}")


def link(store: Store, data: bytes) -> Found:
    """One link message. Raises `Bad`."""
    store.context.budget.spend_steps(1 + len(data) // 16)
    cursor = Cursor(data, "a link")
    version, flags = cursor.number(1), cursor.number(1)
    if version != 1:
        raise Bad(f"a link of version {version}")
    kind = cursor.number(1) if flags & 8 else HARD
    cursor.take(8 * bool(flags & 4) + bool(flags & 16))
    name = cursor.take(cursor.number(1 << (flags & 3)))
    if kind == HARD:
        return name, HARD, cursor.number(store.wide)
    return name, kind, cursor.take(cursor.number(2))


def _dense(store: Store, cursor: Cursor) -> Iterator[Found]:
    heap, ids = dense_ids(store, cursor, 8, (5, 6), {5: 4, 6: 8})
    for id in ids:
        if heap is not None:
            yield link(store, heap.get(id)[0])


def dense_ids(
    store: Store, cursor: Cursor, order: int, kinds: tuple[int, int], skip: dict[int, int]
) -> tuple[Fractal | None, list[bytes]]:
    """The heap of dense links or attributes, and the ids in its indexes (by name, by order), each once.

    ``order``: bytes of the largest creation order; ``kinds``: types of the two trees; ``skip``: where in a record of
    each the id begins.
    """
    if cursor.number(1):
        raise Bad(f"{cursor.what} of an unknown version")
    flags = cursor.number(1)
    cursor.take(order * (flags & 1))
    address, by_name = cursor.number(store.wide), cursor.number(store.wide)
    by_order = cursor.number(store.wide) if flags & 2 else (1 << 8 * store.wide) - 1
    if store.is_none(address):
        return None, []
    heap = Fractal(store, address)
    ids: dict[bytes, None] = {}
    for tree in (by_name, by_order):
        if not store.is_none(tree):
            for kind, record in trees.second(store, tree, kinds):
                ids[record[skip[kind] : skip[kind] + heap.id_size]] = None
    return heap, list(ids)
