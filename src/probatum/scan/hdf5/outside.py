"""What leads out of the file: external links, raw data in other files, virtual datasets."""

from __future__ import annotations

from probatum.scan.finding import quote
from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.hdf5.values import Heaps

#: Most names of one kind that are listed.
LISTED = 10_000


def rule(name: bytes) -> str:
    """HDF003 for a file outside the folder, HDF004 for one that lies beside this one or below."""
    text = name.replace(b"\\", b"/")
    away = text.startswith(b"/") or b":" in text or b".." in text.split(b"/") or b"\\" in name
    return "HDF003" if away else "HDF004"


def shown(name: bytes) -> str:
    return quote(name.decode("utf-8", "replace"))


def linked(data: bytes) -> tuple[bytes, bytes]:
    """(file, object in it) of an external link. Raises `Bad`."""
    cursor = Cursor(data, "an external link")
    if cursor.number(1) >> 4:
        raise Bad("an external link of an unknown version")
    return cursor.text(), cursor.text()


def raw_files(store: Store, cursor: Cursor) -> list[bytes]:
    """The files of a message of external data. Raises `Bad`."""
    if cursor.number(1) != 1:
        raise Bad("a list of external files of an unknown version")
    cursor.take(3 + 2)
    used, heap = cursor.number(2), cursor.number(store.wide)
    names = local_heap(store, heap)
    found = []
    for _ in range(used):
        found.append(names.name(cursor.number(store.long)))
        cursor.take(2 * store.long)
    return found


class LocalHeap:
    """Names of a group. What of the segment is read is noted, once each."""

    def __init__(self, store: Store, address: int, size: int) -> None:
        self.store, self.address = store, address
        store.cover(size)
        self.data = store.peek(address, size, "a local heap")
        self._seen: set[int] = set()

    def name(self, offset: int) -> bytes:
        end = self.data.find(b"\0", offset)
        if offset >= len(self.data) or end < 0:
            raise Bad(f"a name at {offset:,} that is not in the local heap")
        self.store.context.budget.spend_steps(1 + (end - offset) // 16)
        if offset not in self._seen:
            self._seen.add(offset)
            size = min(end + 1 - offset + -(end + 1 - offset) % 8, len(self.data) - offset)
            self.store.claim(self.address + offset, size, "a name")
        return self.data[offset:end]


def local_heap(store: Store, address: int) -> LocalHeap:
    head = store.signed(address, 8 + 2 * store.long + store.wide, b"HEAP", "a local heap")
    head.take(4)
    size = head.number(store.long)
    head.take(store.long)
    return LocalHeap(store, head.number(store.wide), size)


def sources(store: Store, heaps: Heaps, address: int, entry: int) -> list[bytes]:
    """The files of a virtual dataset, "." for this one. Raises `Bad`."""
    if not address or store.is_none(address):
        return []
    start, size = heaps.place(address, entry)
    fixed = 8 + store.long
    data = store.block(start - fixed, fixed + size + -size % 8, "a virtual dataset")[fixed : fixed + size]
    cursor = Cursor(data, "a virtual dataset")
    version = cursor.number(1)
    if version > 1:
        raise Bad("a virtual dataset of an unknown version")
    found: list[bytes] = []
    for _ in range(cursor.number(store.long)):
        store.context.budget.spend_steps(4)
        flags = cursor.number(1) if version else 0
        found.append(b"." if flags & 4 else found[cursor.number(store.long)] if flags & 1 else cursor.text())
        if flags & 2:
            cursor.take(store.long)
        else:
            cursor.text()
        _selection(cursor)
        _selection(cursor)
        if len(found) > LISTED:
            raise Bad(f"a virtual dataset with more than {LISTED:,} sources")
    return found


def _selection(cursor: Cursor) -> None:
    """Passes over a selection: none, points, blocks or all."""
    kind, version = cursor.number(4), cursor.number(4)
    if kind in (0, 3):
        cursor.take(8)
        return
    if kind not in (1, 2) or not 1 <= version <= 3:
        raise Bad("a selection of an unknown kind")
    if version == 1:
        cursor.take(4)
        cursor.take(cursor.number(4))
        return
    if kind == 2 and version == 2:
        cursor.take(1)
        cursor.take(cursor.number(4))
        return
    flags = cursor.number(1) if kind == 2 else 0
    width, rank = cursor.number(1), cursor.number(4)
    if flags & 1:
        cursor.take(4 * rank * width)
    else:
        cursor.take((2 if kind == 2 else 1) * rank * width * cursor.number(width))
