"""Bare pickles, protocols 0 to 5: one or several streams, whatever the file is called."""

from __future__ import annotations

import re

from probatum.scan.budget import Budget, Spent
from probatum.scan.context import Context
from probatum.scan.formats import safetensors_, text, torch_legacy
from probatum.scan.pickle import is_pickle, probe, read_streams
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.source import Source

NAME = "pickle"
EXCLUSIVE = True

#: A first line as protocol 0 writes it: a global, a mark with what may follow, or a literal that ends at once.
_EARLY = re.compile(
    rb"c[^\n]+\n([^\n]*\n|[^\n]*\Z)|\([^ \w]|\([01dltciISVFLNKMJGXUTBCP]|[ILFSVP].*\n"
    rb"|[\]})NKMJGXUTBC\x82-\x84\x88-\x98]"
)
#: Names of texts whose lines are words, where two words may look like a global.
_TEXTS = words(".txt .md .rst .csv .tsv .json .jsonl .vocab license readme notice copying authors")
#: Padding that is let pass behind the last stream, and how much of it is read.
_PADDING = 16 << 20
#: bzip2 begins with "BZh" and two digits, which a pickle reads as BINBYTES of 0x3131685A bytes and more.
_BZ_AS_PICKLE = 0x31000000


def sniff(head: bytes, source: Source) -> bool:
    """PROTO and a version, or a beginning of protocol 0 or 1 that leads to STOP or to code.

    A legacy checkpoint is left to its own format. A safetensors file counts as a pickle as well only if it reaches
    code when it is read as one (its first bytes are a length, which may look like PROTO). A text of two words may
    name a global and then fail ("cat", "dog"); under the name of a text it stays a text.
    """
    if torch_legacy.sniff(head, source):
        return False
    if safetensors_.sniff(head, source):
        return any(_leads(source.read(0, 1 << 20), source.size)[1:])
    if head[:1] == b"\x80":
        return len(head) > 1 and head[1] <= 5
    if head[:4] == b"PK\x03\x04" or not _EARLY.match(head):  # PERSID "K…" would be a pickle to a few loaders only
        return False
    if head[:3] == b"BZh" and source.size < _BZ_AS_PICKLE:
        return False
    parsed, named, called = _leads(source.read(0, 1 << 20), source.size)
    return parsed or called or (named and not source.name_ends(_TEXTS | text.RUN))


def _leads(data: bytes, size: int) -> tuple[bool, bool, bool]:
    """Does the beginning of a source of so many bytes parse, name, call?"""
    try:
        return probe(data, Context(Budget(steps=1 << 21)), size)
    except Spent:
        return True, True, True


def scan(source: Source, context: Context) -> None:
    """All streams, then the tail."""
    streams = read_streams(source, context)
    if not streams.broken:
        judge_tail(source, streams.end, context)


def judge_tail(source: Source, start: int, context: Context) -> None:
    """Bytes behind the last stream: zeros and line ends are padding; the rest is said, and searched for pickles."""
    size = source.size - start
    tail = source.read(start, min(size, _PADDING))
    if not tail.strip(b"\0\r\n ") and size <= _PADDING:
        return
    context.report("PKL014", f"{size:,} bytes after the last stream that nothing explains", source, offset=start)
    at, tried = tail.find(b"\x80"), 0
    while at >= 0 and tried < 64:
        if tail[at + 1 : at + 2] < b"\x06" and is_pickle(tail[at : at + (1 << 20)], context):
            context.scan_member(source.part(start + at, size - at, f"{source.name}#{start + at}"))
            return
        tried += tail[at + 1 : at + 2] < b"\x06"
        at = tail.find(b"\x80", at + 1)
