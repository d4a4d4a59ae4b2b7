"""SentencePiece models (tokenizer.model): pieces with scores, and settings. Readers look pieces up; nothing is run."""

from __future__ import annotations

from probatum.scan.wire import FIXED32, LENGTH, VARINT, BadWire, outline, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source
    from probatum.scan.wire import Schema

NAME = "sentencepiece"
EXCLUSIVE = True

_TRAINER = dict.fromkeys((3, 4, 6, *range(10, 60)), "#") | {1: "", 2: "", 5: "", 7: "", 30: "", 31: "", 36: "", 53: ""}
_TRAINER |= dict.fromkeys((44, 45, 46, 47, 48, 54), "")
SCHEMA: Schema = {
    "model": {1: "piece", 2: "trainer", 3: "normalizer", 4: "test", 5: "normalizer"},
    "piece": {1: "", 2: "#", 3: "#"},
    "trainer": _TRAINER,
    "normalizer": {1: "", 2: "", 3: "#", 4: "#", 5: "#", 6: ""},
    "test": {1: "sample"},
    "sample": {1: "", 2: ""},
}


def sniff(head: bytes, source: Source) -> bool:
    """Begins with pieces: a text and a score of four bytes each."""
    found = outline(source, 3) if head[:1] == b"\n" else None
    if not found or len(found) < 3 or any((n, w) != (1, LENGTH) for n, w, _, _ in found):
        return False
    for _, _, start, size in found:
        inside = outline(source.part(start, size, ""), 4)
        if not inside or [(n, w) for n, w, _, _ in inside][:2] != [(1, LENGTH), (2, FIXED32)]:
            return False
        if any((n, w) != (3, VARINT) for n, w, _, _ in inside[2:]):
            return False
    return True


def scan(source: Source, context: Context) -> None:
    """Every message must be one of the format, to its last byte."""
    data, start, end = source.view()
    try:
        for kind, at, found in walk(data, start, end, "model", SCHEMA, context.budget):
            if 0 in found:
                said = f"a field {found[0][0]} in a {kind} that the format does not have"
                context.report("SPM001", said, source, offset=at - start)
    except BadWire as bad:
        context.report("SPM001", bad.args[0], source, offset=bad.args[1] - start)
