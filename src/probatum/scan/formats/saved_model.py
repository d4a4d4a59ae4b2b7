"""TensorFlow graphs: SavedModel, MetaGraphDef and frozen GraphDef, with their libraries of functions."""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.formats.tensorflow_ops import ACTING, PURE, SAVER
from probatum.scan.wire import LENGTH, VARINT, BadWire, outline, texts, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source
    from probatum.scan.wire import Schema

NAME = "tensorflow graph"
EXCLUSIVE = True

SCHEMA: Schema = {
    "saved model": {1: "#", 2: "meta graph"},
    "meta graph": {1: "", 2: "graph", 3: "", 4: "", 5: "", 6: "asset", 7: ""},
    "asset": {1: "", 2: ""},
    "graph": {1: "node", 2: "library", 3: "#", 4: "", 5: ""},
    "node": {1: "", 2: "", 3: "", 4: "", 5: "attribute", 6: "", 7: ""},
    "attribute": {1: "", 2: "value"},
    "value": {1: "list", 2: "", 3: "#", 4: "#", 5: "#", 6: "#", 7: "", 8: "", 9: "", 10: "call"},
    "list": {2: "", 3: "#", 4: "#", 5: "#", 6: "#", 7: "", 8: "", 9: "call"},
    "call": {1: "", 2: "attribute"},
    "library": {1: "function", 2: "", 3: ""},
    "function": {1: "signature", 3: "node", 4: "", 5: "", 6: "", 7: "", 8: ""},
    "signature": {1: "", 2: "", 3: "", 4: "", 5: "", 6: "", 8: "", 16: "#", 17: "#", 18: "#", 19: "#", 20: "", 21: "#"},
}
_OP = re.compile(r"_?[A-Za-z][\w>.]*")
MOST_NAMES = 20


def sniff(head: bytes, source: Source) -> bool:
    return bool(root(head, source))


def root(head: bytes, source: Source) -> str:
    """Which message these bytes are, or ""."""
    found = outline(source) if head[:1] and head[0] in b"\x08\x0a\x12\x18\x1a\x22\x2a\x32\x3a" else None
    if not found:
        return ""
    kinds = {(n, w) for n, w, _, _ in found}
    if kinds <= {(1, VARINT), (2, LENGTH)} and any(_is_meta(source, s, z) for n, _, s, z in found if n == 2):
        return "saved model"
    if kinds <= {(1, LENGTH), (2, LENGTH), (3, VARINT), (4, LENGTH), (5, LENGTH)} and _is_graph(source, 0, source.size):
        return "graph"
    return "meta graph" if _is_meta(source, 0, source.size) else ""


def _is_meta(source: Source, start: int, size: int) -> bool:
    found = outline(source.part(start, size, ""))
    if not found or not all(w == LENGTH and n <= 7 for n, w, _, _ in found):
        return False
    return any(n == 2 and _is_graph(source, start + s, z) for n, _, s, z in found)


def _is_graph(source: Source, start: int, size: int) -> bool:
    """Its first node has an operator; a graph of functions alone has a library."""
    found = outline(source.part(start, size, ""), 8)
    for number, wire, at, length in found or ():
        if wire == LENGTH and number in (1, 2):
            inside = source.part(start + at, length, "")
            node = outline(inside, 16)
            if number == 2:
                return bool(node) and all(w == LENGTH and n <= 3 for n, w, _, _ in node or ())
            ops = [inside.read(s, min(z, 256)) for n, w, s, z in node or () if n == 2 and w == LENGTH]
            return bool(ops) and bool(_OP.fullmatch(ops[0].decode("latin-1")))
    return False


def scan(source: Source, context: Context) -> str | None:
    data, start, end = source.view()
    kind_of_file = root(source.head(), source)
    asked: dict[str, int] = {}
    local: set[str] = set()
    try:
        for kind, at, found in walk(data, start, end, kind_of_file, SCHEMA, context.budget):
            if 0 in found:
                said = f"a field {found[0][0]} in a {kind} that the format does not have"
                context.report("TFS004", said, source, offset=at - start)
            if kind == "node":
                for name in texts(data, found, 2) or [""]:
                    asked.setdefault(name, at - start)
            elif kind == "call":
                for name in texts(data, found, 1):
                    asked.setdefault(name, at - start)
            elif kind == "signature":
                local.update(texts(data, found, 1))
            elif kind == "asset":
                for name in texts(data, found, 2):
                    _asset(name, source, context, at - start)
    except BadWire as bad:
        context.report("TFS004", bad.args[0], source, offset=bad.args[1] - start)
    _judge(asked, local, source, context)
    _keras(data, start, end, source, context)
    return kind_of_file


def _keras(data: Buffer, start: int, end: int, source: Source, context: Context) -> None:
    """Older versions keep the configuration of Keras layers in the graph of objects, and rebuild layers from it."""
    at = data.find(b"class_name", start, end)
    if at >= 0:
        context.report("TFS005", "holds configurations of Keras layers", source, offset=at - start)
    for word in (b'"Lambda"', b"__lambda__"):
        at = data.find(word, start, end)
        if at >= 0:
            context.report("KER001", f"names a layer {quote(word.decode())}", source, offset=at - start)


def _asset(name: str, source: Source, context: Context, at: int) -> None:
    if name.startswith(("/", "\\", "~")) or ":" in name or ".." in name.replace("\\", "/").split("/"):
        context.report("TFS001", f"an asset lies in {quote(name)}", source, offset=at)


def _judge(asked: dict[str, int], local: set[str], source: Source, context: Context) -> None:
    """A function of the file may have any name but that of an operator."""
    saver = sorted(n for n in asked if n in SAVER)
    if saver:
        said = f"reads or writes files beside the model: {', '.join(saver)}"
        context.report("TFS003", said, source, offset=asked[saver[0]])
    strange = 0
    for name, at in asked.items():
        if name in ACTING:
            context.report("TFS001", f"uses the operator {quote(name)}", source, offset=at)
        elif name not in PURE and name not in SAVER and name not in local:
            strange += 1
            if strange <= MOST_NAMES:
                context.report("TFS002", f"uses the operator {quote(name)}, which is not known", source, offset=at)
    if strange > MOST_NAMES:
        context.report("TFS002", f"and {strange - MOST_NAMES:,} more operators", source)
