"""B-trees of version 1 (groups and chunks) and version 2 (dense links and attributes, huge objects, chunks)."""

from __future__ import annotations

from probatum.scan.hdf5.store import Bad, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Levels of a tree that are followed.
DEEPEST = 64


def first(store: Store, address: int, kind: int, key: int) -> Iterator[tuple[bytes, int]]:
    """(key, child) of the lowest nodes of a tree of version 1; ``kind`` 0 groups, 1 chunks; ``key`` bytes of a key."""
    todo = [(address, -1)]
    while todo:
        at, expected = todo.pop()
        head = store.peek(at, 8 + 2 * store.wide, "a B-tree node")
        level, used = head[5], int.from_bytes(head[6:8], "little")
        if head[:4] != b"TREE" or head[4] != kind or level > DEEPEST or expected not in (-1, level):
            raise Bad(f"no node of the B-tree at {at:,}")
        size = 8 + 2 * store.wide + (used + 1) * key + used * store.wide
        data = store.block(at, size, "a B-tree node")
        pos = 8 + 2 * store.wide
        below = []
        for _ in range(used):
            child = int.from_bytes(data[pos + key : pos + key + store.wide], "little")
            if level:
                below.append((child, level - 1))
            else:
                store.context.budget.spend_steps(1)
                yield data[pos : pos + key], child
            pos += key + store.wide
        todo += reversed(below)


def _width(most: int) -> int:
    """Bytes that the library takes for a number up to this one."""
    return (most.bit_length() - 1) // 8 + 1 if most > 0 else 1


def second(store: Store, address: int, kinds: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    """(type of the tree, record) of all records of a tree of version 2."""
    wide = store.wide
    head = store.signed(address, 16 + wide + 2 + store.long + 4, b"BTHD", "the header of a B-tree")
    head.take(1)
    kind, node, record, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.number(wide), head.number(2)
    if kind not in kinds or not record or node < 10 + record or depth > DEEPEST:
        raise Bad(f"a B-tree at {address:,} of another kind, or with impossible sizes")
    most = [(node - 10) // record]  # records of a node, level by level, and of all below it
    whole = list(most)
    pointers = [0]
    for level in range(1, depth + 1):
        size = wide + _width(most[0]) + (_width(whole[level - 1]) if level > 1 else 0)
        pointers.append(size)
        most.append(max(0, (node - 10 - size) // (record + size)))
        whole.append((most[level] + 1) * whole[level - 1] + most[level])
        if not most[level] or whole[level] >> 64:
            raise Bad(f"a B-tree at {address:,} whose nodes are too small")
    todo = [(root, count, depth)] if count else []
    while todo:
        at, count, level = todo.pop()
        if count > most[level]:
            raise Bad(f"a B-tree node at {at:,} with more records than fit")
        size = 6 + count * record + (count + 1) * pointers[level] * bool(level) + 4
        data = store.signed(at, size, b"BTIN" if level else b"BTLF", "a B-tree node")
        if data.take(2)[1] != kind:
            raise Bad(f"a B-tree node at {at:,} of another kind")
        for _ in range(count):
            store.context.budget.spend_steps(1)
            yield kind, data.take(record)
        for _ in range(count + 1 if level else 0):
            child, inner = data.number(wide), data.number(_width(most[0]))
            data.take(pointers[level] - wide - _width(most[0]))
            todo.append((child, inner, level - 1))
