"""PyTorch checkpoints before 1.6: five pickles (magic, version, machine, objects, keys), then the storages as blocks.

A block is the number of elements (8 bytes) and the elements, in the order of the keys. Blocks are measured, not read.
"""

from __future__ import annotations

from probatum.scan.pickle import is_pickle, read_streams
from probatum.scan.pickle.allow.torch_ import STORAGES
from probatum.scan.pickle.walk import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.pickle import Streams
    from probatum.scan.source import Source

NAME = "torch legacy"
EXCLUSIVE = True

FRAME = b"\x95"
#: LONG1 with the ten bytes of PyTorch's magic number.
MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def sniff(head: bytes, source: Source) -> bool:
    start = 11 if head[2:3] == FRAME else 2  # protocols 4 and 5 put streams into frames
    return head[:1] == b"\x80" and head[start : start + len(MAGIC)] == MAGIC


def scan(source: Source, context: Context) -> None:
    """The five streams by the machine, then the blocks by their declared sizes."""
    streams = read_streams(source, context, most=5)
    if streams.broken:
        return
    if len(streams.ends) < 5:
        context.report("TOR003", f"{len(streams.ends)} streams where five belong", source, offset=streams.end)
        return
    _blocks(source, streams, context)


def _blocks(source: Source, streams: Streams, context: Context) -> None:
    data, start, _ = source.view()
    keys = texts(data, start + streams.ends[3], start + streams.ends[4])
    if sorted(keys) != sorted(streams.storages):
        context.report("TOR003", "the list of storages is not the one that the objects use", source)
        return
    pos = streams.end
    for key in keys:
        kind, elements = streams.storages[key]
        stored = int.from_bytes(source.read(pos, 8), "little")
        if stored != elements:
            context.report("TOR003", f"a block of {stored:,} elements where {elements} belong", source, offset=pos)
            return
        size = stored * STORAGES[kind]
        if is_pickle(source.read(pos + 8, min(size, 1 << 16)), context) and source.read(pos + 8, 1) == b"\x80":
            context.scan_member(source.part(pos + 8, size, f"{source.name}#{pos + 8}"))
        pos += 8 + size
    if pos != source.size:
        context.report("TOR003", f"the blocks end at {pos:,}, the file at {source.size:,}", source, offset=pos)
