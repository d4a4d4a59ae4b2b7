"""HDF5, found by its superblock: read by its structure, then a second look at the bytes that nothing refers to."""

from __future__ import annotations

from probatum.scan.hdf5.superblock import MAGIC, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "hdf5"
EXCLUSIVE = True

#: Bytes that are looked at together when a part should hold nothing but zeros.
BLOCK = 1 << 20


def sniff(head: bytes, source: Source) -> bool:
    """The signature stands at 0, 512, 1024, 2048 and so on."""
    return head.startswith(MAGIC) or (source.size > 512 and find(source) >= 0)


def scan(source: Source, context: Context) -> None:
    """What stands before, the file itself, what no structure refers to, and what stands behind."""
    from probatum.scan.hdf5.judge import Judge
    from probatum.scan.hdf5.leftovers import search
    from probatum.scan.hdf5.store import Store
    from probatum.scan.hdf5.walk import Walk

    start = find(source)
    store = Store(source, context, start)
    if not _zeros(source, 0, start, context):
        context.report("HDF008", f"{start:,} bytes stand before the superblock", source, offset=0)
        context.scan_member(source.part(0, start, f"{source.name}#0"))
    Walk(store, Judge(source, context, start)).run()
    search(store, source, context)
    end = start + store.end
    if end < source.size and not _zeros(source, end, source.size, context):
        said = f"{source.size - end:,} bytes behind the end that the superblock declares"
        context.report("HDF009", said, source, offset=end)
        context.scan_member(source.part(end, source.size - end, f"{source.name}#{end}"))


def _zeros(source: Source, start: int, end: int, context: Context) -> bool:
    """Is there nothing but zeros?"""
    while start < end:
        data = source.read(start, min(BLOCK, end - start))
        context.budget.spend_steps(1 + len(data) // 64)
        if data.count(0) != len(data) or not data:
            return False
        start += len(data)
    return True
