"""Fixed and extensible arrays: indexes of chunks of datasets that cannot grow, or grow in one direction."""

from __future__ import annotations

from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def fixed(store: Store, address: int) -> Iterator[bytes]:
    """The entries of a fixed array. Raises `Bad`."""
    head = store.signed(address, 12 + store.long + store.wide, b"FAHD", "a fixed array")
    head.take(2)
    size, bits, count, at = head.number(1), head.number(1), head.number(store.long), head.number(store.wide)
    if store.is_none(at):
        return
    if not size or bits > 32 or count * size > store.end:
        raise Bad(f"a fixed array at {address:,} with impossible sizes")
    page, start = 1 << bits, 6 + store.wide
    if count <= page:
        data = store.signed(at, start + count * size + 4, b"FADB", "a fixed array")
        data.take(start - 4)
        yield from _entries(store, data, count, size)
        return
    pages = -(-count // page)
    data = store.signed(at, start + (pages + 7) // 8 + 4, b"FADB", "a fixed array")
    data.take(start - 4)
    made = data.take((pages + 7) // 8)
    yield from _pages(store, at + start + (pages + 7) // 8 + 4, made, 0, count, page, size)


def _entries(store: Store, data: Cursor, count: int, size: int) -> Iterator[bytes]:
    for _ in range(count):
        store.context.budget.spend_steps(1)
        yield data.take(size)


def _pages(store: Store, at: int, made: bytes, first: int, count: int, page: int, size: int) -> Iterator[bytes]:
    """Pages of entries, each with a checksum; one that was never written holds nothing."""
    for n in range(-(-count // page)):
        store.context.budget.spend_steps(1)
        inside = min(page, count - n * page)
        bit = first + n
        if bit >> 3 >= len(made):
            raise Bad("a page of an array that no bit stands for")
        if made[bit >> 3] >> (7 - (bit & 7)) & 1:
            data = Cursor(store.block(at, inside * size + 4, "a page of an array"), "a page of an array")
            yield from _entries(store, data, inside, size)
        at += page * size + 4


class _Extensible:
    """The numbers of the header of an extensible array."""

    def __init__(self, store: Store, address: int) -> None:
        head = store.signed(address, 16 + 6 * store.long + store.wide, b"EAHD", "an extensible array")
        head.take(2)
        self.size, self.bits, self.inside, self.least = (head.number(1) for _ in range(4))
        self.pointers, page_bits = head.number(1), head.number(1)
        head.take(6 * store.long)
        self.index, self.store = head.number(store.wide), store
        powers = all(n and not n & (n - 1) for n in (self.least, self.pointers))
        if not self.size or not powers or self.bits > 64 or page_bits > 32:
            raise Bad(f"an extensible array at {address:,} with impossible sizes")
        self.page = 1 << page_bits
        self.head, self.offset = 6 + store.wide, (self.bits + 7) // 8

    def count(self, level: int) -> tuple[int, int]:
        """(data blocks, entries of each) of a super block."""
        return 1 << level // 2, self.least << (level + 1) // 2

    def block(self, at: int, count: int, made: bytes, first: int) -> Iterator[bytes]:
        """The entries of a data block, in pages if it is large."""
        if self.store.is_none(at):
            return
        start = self.head + self.offset
        paged = count > self.page
        size = start + (0 if paged else count * self.size) + 4
        data = self.store.signed(at, size, b"EADB", "an extensible array")
        data.take(start - 4)
        if not paged:
            yield from _entries(self.store, data, count, self.size)
        else:
            yield from _pages(self.store, at + size, made, first, count, self.page, self.size)


def extensible(store: Store, address: int) -> Iterator[bytes]:
    """The entries of an extensible array: some in the index, then data blocks, then super blocks. Raises `Bad`."""
    array = _Extensible(store, address)
    if store.is_none(array.index):
        return
    wide = store.wide
    levels = 1 + array.bits - (array.least.bit_length() - 1)
    near = 2 * (array.pointers.bit_length() - 1)  # super blocks whose data blocks stand in the index
    blocks = 2 * (array.pointers - 1)
    size = array.head + array.inside * array.size + (blocks + max(0, levels - near)) * wide + 4
    data = store.signed(array.index, size, b"EAIB", "an extensible array")
    data.take(array.head - 4)
    yield from _entries(store, data, array.inside, array.size)
    for level in range(near):
        for _ in range(array.count(level)[0]):
            yield from array.block(data.number(wide), array.count(level)[1], b"", 0)
    for level in range(near, levels):
        at = data.number(wide)
        if store.is_none(at):
            continue
        many, count = array.count(level)
        if many * wide > store.end:
            raise Bad("an extensible array with impossible sizes")
        pages = count // array.page if count > array.page else 0
        each = (pages + 7) // 8
        inner = store.signed(at, array.head + array.offset + many * (each + wide) + 4, b"EASB", "an extensible array")
        inner.take(array.head - 4 + array.offset)
        made = inner.take(many * each)
        for n in range(many):
            yield from array.block(inner.number(wide), count, made[n * each : (n + 1) * each], 0)
