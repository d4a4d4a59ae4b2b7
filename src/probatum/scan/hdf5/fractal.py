"""Fractal heaps: where dense links and dense attributes are kept."""

from __future__ import annotations

from probatum.scan.hdf5 import trees
from probatum.scan.hdf5.store import Bad, Cursor, Store

MANAGED, HUGE, TINY = 0, 1, 2


def _log2(value: int) -> int:
    return value.bit_length() - 1


class Fractal:
    """A heap whose objects are found by their ids. Its blocks are walked at the start, its objects noted when read."""

    def __init__(self, store: Store, address: int) -> None:
        self.store, self.address = store, address
        wide, long = store.wide, store.long
        head = store.signed(address, 26 + 12 * long + 3 * wide, b"FRHP", "a fractal heap")
        head.take(1)
        self.id_size, filters = head.number(2), head.number(2)
        self.flags, self.most = head.number(1), head.number(4)
        head.take(long)
        self.huge = head.number(wide)
        head.take(long + wide + 8 * long)
        if filters:
            raise Bad(f"a fractal heap at {address:,} with filters")
        self.width, self.first, self.largest = head.number(2), head.number(long), head.number(long)
        self.bits = head.number(2)
        head.take(2)
        root, rows = head.number(wide), head.number(2)
        powers = all(n and not n & (n - 1) for n in (self.width, self.first, self.largest))
        if not powers or self.largest < self.first or not 0 < self.bits <= 64 or self.first < 16:
            raise Bad(f"a fractal heap at {address:,} with impossible sizes")
        self.direct = _log2(self.largest) - _log2(self.first) + 2  # rows of direct blocks
        self.head = 5 + wide + (self.bits + 7) // 8
        self.starts: list[tuple[int, int, int]] = []  # offset in the heap, address, size
        self._huge: dict[bytes, tuple[int, int]] | None = None
        if not store.is_none(root):
            self._walk(root, rows)
            self.starts.sort()

    def _walk(self, root: int, rows: int) -> None:
        store, todo = self.store, [(root, rows, 0, self.first)]
        while todo:
            at, rows, offset, size = todo.pop()
            if not rows:
                mark = self.head + 4 * bool(self.flags & 2)
                store.signed(at, mark, b"FHDB", "a block of a fractal heap")
                if size < mark or at + size > store.end:
                    raise Bad(f"a block of a fractal heap at {at:,} does not lie in the file")
                self.starts.append((offset, at, size))
                continue
            if rows > 64 + self.direct:
                raise Bad(f"a fractal heap with {rows:,} rows")
            direct = min(rows, self.direct) * self.width
            count = rows * self.width
            data = store.signed(at, self.head + count * store.wide + 4, b"FHIB", "a block of a fractal heap")
            data.take(self.head - 4)
            store.context.budget.spend_steps(count)
            for n in range(count):
                row = n // self.width
                inner = self.first << max(0, row - 1)
                child = data.number(store.wide)
                if not store.is_none(child):
                    below = 0 if n < direct else _log2(inner) - _log2(self.first * self.width) + 1
                    if below < 0 or (below == 0 and n >= direct):
                        raise Bad("a fractal heap whose rows do not fit")
                    todo.append((child, below, offset, inner))
                offset += inner

    def get(self, key: bytes) -> tuple[bytes, int]:
        """(the object of this id, its address or -1). Raises `Bad`."""
        kind = key[0] >> 4 & 3 if key else 3
        if not key or len(key) < self.id_size or key[0] >> 6 or kind == 3:
            raise Bad("an id of a fractal heap that is none")
        if kind == TINY:
            size, at = (key[0] & 15) + 1, 1
            if self.id_size > 17:
                size, at = ((key[0] & 15) << 8 | key[1]) + 1, 2
            return key[at : at + size], -1
        if kind == HUGE:
            address, size = self._large(key)
            return self.store.block(address, size, "a huge object of a heap"), address
        cursor = Cursor(key, "an id of a heap", 1)
        offset = cursor.number((self.bits + 7) // 8)
        size = cursor.number(min((_log2(self.largest) + 7) // 8, _log2(max(1, self.most)) // 8 + 1))
        import bisect

        n = bisect.bisect_right(self.starts, (offset, self.store.end, 0)) - 1
        if n < 0 or offset + size > self.starts[n][0] + self.starts[n][2]:
            raise Bad("an id of a fractal heap that leads to no block of it")
        address = self.starts[n][1] + offset - self.starts[n][0]
        return self.store.block(address, size, "an object of a heap"), address

    def _large(self, key: bytes) -> tuple[int, int]:
        """Huge objects stand on their own: by address in the id, or through a tree."""
        store, wide, long = self.store, self.store.wide, self.store.long
        if self.id_size - 1 >= wide + long:
            cursor = Cursor(key, "an id of a heap", 1)
            return cursor.number(wide), cursor.number(long)
        if self._huge is None:
            self._huge = {}
            for _, record in trees.second(store, self.huge, (1,)):
                cursor = Cursor(record, "a record of huge objects")
                place = cursor.number(wide), cursor.number(long)
                self._huge[record[wide + long : wide + 2 * long]] = place
        found = self._huge.get(key[1 : self.id_size].ljust(long, b"\0")[:long])
        if found is None:
            raise Bad("an id of a huge object that is not in the heap")
        return found
