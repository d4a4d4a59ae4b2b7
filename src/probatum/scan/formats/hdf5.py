"""HDF5, found by its superblock. Only the configuration of a Keras model is looked for; the rest is not covered."""

from __future__ import annotations

import json
import re

from probatum.scan.finding import quote
from probatum.scan.formats import keras_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "hdf5"
EXCLUSIVE = True

MAGIC = b"\x89HDF\r\n\x1a\n"
#: How a configuration may begin, and the longest one that is read.
_START = re.compile(rb'\{\s*"(?:class_name|module|config|registered_name|build_config|name|keras_version)"\s*:')
LONGEST = 16 << 20
#: Most bytes that are searched, and most places that are tried.
SEARCHED, TRIED = 1 << 30, 256
KEY, BLOCK = b"class_name", 4 << 20


def sniff(head: bytes, source: Source) -> bool:
    """The signature stands at 0, 512, 1024, 2048 and so on."""
    at = 512
    if head.startswith(MAGIC):
        return True
    while at <= min(source.size, 1 << 20):
        if source.read(at, 8) == MAGIC:
            return True
        at *= 2
    return False


def scan(source: Source, context: Context) -> None:
    context.report("HDF001", "the tree of groups was not read; only configurations were searched for", source, offset=0)
    context.budget.spend_steps(source.size // 64)
    first = _first(source)
    if first < 0:
        return
    data, start, end = source.view()
    pos, tried, found = start + max(0, first - LONGEST), 0, 0
    last = min(end, start + SEARCHED)
    while tried < TRIED:
        match = _START.search(data, pos, last)
        if match is None:
            break
        tried += 1
        pos = match.end()
        stop = min(match.start() + LONGEST, end)
        zero = data.find(b"\0", match.start(), stop)  # a text of HDF5 is followed by zeros, or by its next block
        value, size = _value(bytes(data[match.start() : zero if zero >= 0 else stop]), context)
        if value is not None:
            found += 1
            keras_.judge(value, source, context, match.start() - start)
            pos = match.start() + size
    if (tried > found or not found) and data.find(KEY, start + first, last) >= 0:
        context.report("HDF002", f"the word {quote('class_name')} stands in it, but no whole configuration", source)
    if tried == TRIED:
        context.report("BUD001", f"more than {TRIED} configurations; the rest was not read", source)


def _first(source: Source) -> int:
    """Where the word of every configuration stands first, or -1; read block by block, so that nothing is mapped."""
    for pos in range(0, min(source.size, SEARCHED), BLOCK - len(KEY)):
        at = source.read(pos, BLOCK).find(KEY)
        if at >= 0:
            return pos + at
    return -1


def _value(raw: bytes, context: Context) -> tuple[object, int]:
    """(value, bytes of it) of the JSON that begins here; (None, 0) if there is none."""
    context.budget.spend_steps(len(raw) // 16)
    text = raw.decode("utf-8", "replace")
    try:
        value, size = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None, 0
    return value, len(text[:size].encode())
