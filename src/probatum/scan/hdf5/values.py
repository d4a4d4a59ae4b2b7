"""Elements that are more than numbers: texts and bytes are handed on, references and global heaps are followed."""

from __future__ import annotations

from probatum.scan.hdf5 import types
from probatum.scan.hdf5.judge import STARTS, is_config
from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.scan.hdf5.judge import Judge
    from probatum.scan.hdf5.types import Type

#: Collections of the global heap that are kept at a time.
KEPT = 4096
#: Most bytes of one run of bytes that are handed on.
LONGEST = 64 << 20


class Heaps:
    """Global heap collections, read when they are asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: dict[int, dict[int, tuple[int, int]]] = {}
        self._known: set[int] = set()

    def place(self, address: int, index: int) -> tuple[int, int]:
        """(address, size) of an object. Raises `Bad`."""
        if address not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[address] = self._collection(address)
        found = self._kept[address].get(index)
        if found is None:
            raise Bad(f"object {index} is not in the global heap at {address:,}")
        return found

    def _collection(self, address: int) -> dict[int, tuple[int, int]]:
        store, head = self.store, 8 + self.store.long
        data = store.peek(address, head, "a global heap")
        size = int.from_bytes(data[8:], "little")
        if data[:5] != b"GCOL\x01" or size < head:
            raise Bad(f"no global heap at {address:,}")
        if address not in self._known:
            store.claim(address, head, "a global heap")
            store.cover(size)
            self._known.add(address)
        data = store.peek(address, size, "a global heap")
        found: dict[int, tuple[int, int]] = {}
        pos, fixed = head, 8 + store.long
        while pos + fixed <= size:
            store.context.budget.spend_steps(1)
            index = int.from_bytes(data[pos : pos + 2], "little")
            length = int.from_bytes(data[pos + 8 : pos + fixed], "little")
            if not index:
                break  # what is free
            if pos + fixed + length > size or index in found:
                raise Bad(f"a global heap at {address:,} whose objects do not fit")
            found[index] = (address + pos + fixed, length)
            pos += fixed + length + -length % 8
        return found


class Values:
    """Walks through elements. What is found goes to ``text``, references to ``follow(address, where)``."""

    def __init__(self, store: Store, judge: Judge, follow: Callable[[int, str], None]) -> None:
        self.store, self.judge, self.follow = store, judge, follow
        self.text: Callable[[bytes, str, int], None] = judge.text
        self.heaps = Heaps(store)
        self._seen: set[tuple[int, int, int]] = set()

    def walk(self, kind: Type, raw: bytes, count: int, where: str, address: int) -> None:
        """``count`` elements that stand one behind the other in ``raw``."""
        step = self.store.context.budget.spend_steps
        if kind.is_byte:
            self.text(raw[: min(count, LONGEST)], where, address)
        if not kind.deep:
            return
        size = kind.size
        if size * count > len(raw):
            raise Bad(f"{where}: {count:,} elements of {size:,} bytes in {len(raw):,} bytes")
        step(count + len(raw) // 16)
        if kind.kind in (types.STRING, types.OPAQUE):
            every = is_config(raw, where)  # most texts of a large dataset need no look beyond their first byte
            for at in range(0, count * size, size):
                if every or raw[at] in STARTS:
                    self.text(raw[at : at + size], where, address if address < 0 else address + at)
        elif kind.kind == types.ARRAY and kind.base is not None:
            self.walk(kind.base, raw, count * kind.count, where, address)
        elif kind.kind == types.COMPOUND:
            for offset, part in kind.parts:
                if part.deep:
                    member = b"".join(raw[at : at + part.size] for at in range(offset, count * size, size))
                    step(count)
                    self.walk(part, member, count, where, -1)
        elif kind.kind == types.REFERENCE:
            self._references(kind, raw, count, where)
        else:
            for at in range(0, count * size, size):
                self._variable(kind, raw[at : at + size], where)

    def _variable(self, kind: Type, raw: bytes, where: str) -> None:
        """A length, and where in a global heap the elements stand."""
        count, address = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:-4], "little")
        index, base = int.from_bytes(raw[-4:], "little"), kind.base
        if not address or self.store.is_none(address) or base is None:
            return
        found = self._object(address, index, base.kind)
        if found is None:
            return
        data, place = found
        if kind.variant == 1 or base.is_byte:
            self.text(data, where, place)
        elif base.size * count > len(data):
            raise Bad(f"{where}: {count:,} elements in {len(data):,} bytes of a global heap")
        else:
            self.walk(base, data, count, where, place)

    def _object(self, address: int, index: int, kind: int) -> tuple[bytes, int] | None:
        """An object of a global heap with its address; None if it was handed on already."""
        if (address, index, kind) in self._seen:
            return None
        self._seen.add((address, index, kind))
        start, size = self.heaps.place(address, index)
        fixed = 8 + self.store.long
        return self.store.block(start - fixed, fixed + size + -size % 8, "an object of a global heap")[
            fixed : fixed + size
        ], start

    def _references(self, kind: Type, raw: bytes, count: int, where: str) -> None:
        """To an object: its address. To a region: an object of a global heap that begins with an address."""
        if kind.variant > 1:
            raise Bad(f"{where}: references of a kind that may name another file", "HDF004")
        wide = self.store.wide
        for at in range(0, count * kind.size, kind.size):
            cursor = Cursor(raw[at : at + kind.size], where)
            address = cursor.number(wide)
            if not address or self.store.is_none(address):
                continue
            if kind.variant == 1:
                found = self._object(address, cursor.number(4), types.REFERENCE)
                if found is None:
                    continue
                address = Cursor(found[0], where).number(wide)
            self.follow(address, where)
