"""Datasets: where their elements are, which filters they went through, and what in them is more than numbers."""

from __future__ import annotations

import math

from probatum.scan.hdf5 import chunks, filters, headers, layouts, outside, types
from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.scan.hdf5.attributes import Types
    from probatum.scan.hdf5.headers import Message
    from probatum.scan.hdf5.layouts import Layout
    from probatum.scan.hdf5.types import Type
    from probatum.scan.hdf5.values import Values

#: Bytes of texts in one dataset before the growth by filters counts.
FREE = 64 << 20
#: Elements that are taken at a time from one that is not filtered.
AT_ONCE = 1 << 20


class Dataset:
    """The messages of one dataset. `read` raises `Bad`; ``report(rule, sentence)`` gets what is wrong but no end."""

    def __init__(self, store: Store, values: Values, where: str, report: Callable[[str, str], None]) -> None:
        self.store, self.values, self.where, self.report = store, values, where, report
        self.sizes: list[int] | None = []
        self.type: Type | None = None
        self.layout: Layout | None = None
        self.pipeline: list[filters.Filter] = []
        self.fills: list[tuple[bytes, int]] = []

    def read(self, found: list[Message], type_of: Types) -> None:
        for message in found:
            shared = bool(message.flags & headers.SHARED)
            cursor = Cursor(message.data, "a message of a dataset")
            if message.type == headers.TYPE:
                self.type = type_of(cursor, shared)
            elif shared and message.type in (headers.SPACE, headers.FILTERS, headers.FILL, headers.OLD_FILL):
                raise Bad("a message that is kept in a heap of the whole file")
            elif message.type == headers.SPACE:
                self.sizes = types.space(cursor, self.store.long)
            elif message.type == headers.LAYOUT:
                self.layout = layouts.read(self.store, cursor)
            elif message.type == headers.FILTERS:
                self.pipeline = filters.read(cursor)
                self._plugins()
            elif message.type == headers.EXTERNAL:
                for name in outside.raw_files(self.store, cursor):
                    self.report(outside.rule(name), f"its numbers lie in {outside.shown(name)}")
            elif message.type in (headers.FILL, headers.OLD_FILL):
                data, start = layouts.fill(cursor, message.type == headers.FILL)
                self.fills.append((data, message.address + start))
        if self.type is None or self.layout is None:
            raise Bad("a dataset without a datatype or without a layout")
        for data, address in self.fills:
            if data and self.type.deep and len(data) != self.type.size:
                self.report("HDF001", "a fill value of another size than its elements")
            elif data:
                self.values.walk(self.type, data, 1, self.where, address)
        if any(message.type == headers.EXTERNAL for message in found):
            return
        self._elements(self.type, self.layout)

    def _plugins(self) -> None:
        for filter in self.pipeline:
            if filter.id not in filters.BUILT_IN:
                name = filters.NAMES.get(filter.id, "of an unknown name")
                self.report("HDF006", f"its data went through the filter {filter.id} ({name}), a plugin")

    def _elements(self, type: Type, layout: Layout) -> None:
        store, count = self.store, 0 if self.sizes is None else math.prod(self.sizes)
        if layout.kind == layouts.COMPACT:
            self.values.walk(type, layout.data, min(count, len(layout.data) // type.size), self.where, -1)
        elif layout.kind == layouts.VIRTUAL:
            for name in outside.sources(store, self.values.heaps, layout.address, layout.entry):
                if name != b".":
                    self.report(outside.rule(name), f"a virtual dataset over {outside.shown(name)}")
        elif layout.kind == layouts.CONTIGUOUS:
            size = count * type.size
            if not store.is_none(layout.address) and size:
                if 0 <= layout.size < size:
                    raise Bad(f"{size:,} bytes of elements in {layout.size:,} bytes")
                store.claim(layout.address, max(size, layout.size), "a dataset")
                self._contiguous(type, layout.address, count)
        else:
            self._chunked(type, layout)

    def _contiguous(self, type: Type, address: int, count: int) -> None:
        if type.is_byte:
            head = self.store.peek(address, min(count, 64), "a dataset")
            if self.values.judge.promising(head):
                data = self.store.peek(address, min(count, 64 << 20), "a dataset")
                self.values.walk(type, data, len(data), self.where, address)
        elif type.deep:
            at_once = max(1, AT_ONCE // type.size)
            for first in range(0, count, at_once):
                many = min(at_once, count - first)
                at = address + first * type.size
                self.values.walk(type, self.store.peek(at, many * type.size, "a dataset"), many, self.where, at)

    def _chunked(self, type: Type, layout: Layout) -> None:
        store, read, given, first = self.store, 0, 0, True
        if self.sizes is None or len(layout.chunk) != len(self.sizes) + 1 or layout.chunk[-1] != type.size:
            raise Bad("chunks whose shape or elements are not those of the dataset")
        filtered = bool(self.pipeline)
        for address, size, mask in chunks.places(store, layout, self.sizes, filtered):
            store.claim(address, size, "a chunk")
            if not filtered and layout.index != chunks.IMPLICIT and size != layout.size:
                raise Bad(f"a chunk of {size:,} bytes that needs {layout.size:,}")
            whole = type.deep or (type.is_byte and first and self._opens(address, size, mask, layout))
            first = False
            if not whole:
                continue
            if layout.index == chunks.IMPLICIT:
                self._contiguous(type, address, size // type.size)
                continue
            read += size
            given += layout.size
            if given > FREE + store.context.budget.ratio * read:
                raise Bad(f"{read:,} bytes of chunks that stand for {given:,}", "CMP001")
            raw = self._undone(store.peek(address, size, "a chunk"), mask, layout)
            place = -1 if filtered else address
            self.values.walk(type, raw, layout.size // type.size, self.where, place)

    def _opens(self, address: int, size: int, mask: int, layout: Layout) -> bool:
        """Do the bytes of the first chunk begin like something that is no array?"""
        if layout.size > FREE or any(f.id not in filters.UNDONE for f in self.pipeline):
            return False
        return self.values.judge.promising(self._undone(self.store.peek(address, size, "a chunk"), mask, layout)[:64])

    def _undone(self, data: bytes, mask: int, layout: Layout) -> bytes:
        if not self.pipeline:
            return data
        try:
            out = filters.undo(data, self.pipeline, mask, layout.size)
            self.store.context.budget.spend_inflated(len(out))
            return out
        except Bad:
            if layout.plain_edges and len(data) == layout.size:
                return data  # a chunk at the edge, which this dataset leaves as it is
            raise
