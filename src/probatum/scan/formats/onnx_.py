"""ONNX: the messages of a model, graphs within graphs and local functions included. Standard operators only compute."""

from __future__ import annotations

import math
import re

from probatum.scan.finding import quote
from probatum.scan.formats.onnx_ops import DOMAINS
from probatum.scan.wire import LENGTH, VARINT, BadWire, numbers, outline, texts, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source
    from probatum.scan.wire import Schema, Value

NAME = "onnx"
EXCLUSIVE = True

SCHEMA: Schema = {
    "model": {1: "#", 2: "", 3: "", 4: "", 5: "#", 6: "", 7: "graph", 8: "", 14: "", 20: "training", 25: "function",
              26: ""},
    "graph": {1: "node", 2: "", 5: "tensor", 10: "", 11: "", 12: "", 13: "", 14: "", 15: "sparse", 16: ""},
    "node": {1: "", 2: "", 3: "", 4: "", 5: "attribute", 6: "", 7: "", 8: "", 9: "", 10: ""},
    "attribute": {1: "", 2: "#", 3: "#", 4: "", 5: "tensor", 6: "graph", 7: "#", 8: "#", 9: "", 10: "tensor",
                  11: "graph", 13: "", 14: "", 15: "", 20: "#", 21: "", 22: "sparse", 23: "sparse"},
    "tensor": {1: "#", 2: "#", 3: "", 4: "#", 5: "#", 6: "", 7: "#", 8: "", 9: "", 10: "#", 11: "#", 12: "",
               13: "external", 14: "#", 16: ""},
    "sparse": {1: "tensor", 2: "tensor", 3: "#"},
    "training": {1: "graph", 2: "graph", 3: "", 4: ""},
    "function": {1: "", 4: "", 5: "", 6: "", 7: "node", 8: "", 9: "", 10: "", 11: "attribute", 12: "", 13: "", 14: ""},
    "external": {1: "", 2: ""},
}  # fmt: skip
#: Bits of one element of each type that has a fixed size.
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
        17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8}  # fmt: skip
_OUT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/|\\|.*\0", re.S)
MOST_NAMES = 20


def sniff(head: bytes, source: Source) -> bool:
    """A message whose fields are those of a model, with a graph or functions that are messages."""
    found = outline(source) if head[:1] and head[0] in b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca\xd2" else None
    if not found or any(n == 1 and w != VARINT for n, w, _, _ in found):
        return False
    for number, wire, start, size in found:
        if number in (7, 25) and wire == LENGTH:
            inner = outline(source.part(start, size, ""), 8)
            known = SCHEMA["graph" if number == 7 else "function"]
            return inner is not None and any(n in known and w == LENGTH for n, w, _, _ in inner)
    return False


def scan(source: Source, context: Context) -> None:
    data, start, end = source.view()
    asked: dict[tuple[str, str], int] = {}
    local: set[tuple[str, str]] = set()
    try:
        for kind, at, found in walk(data, start, end, "model", SCHEMA, context.budget):
            if 0 in found:
                said = f"a field {found[0][0]} in a {kind} that the format does not have"
                context.report("ONX004", said, source, offset=at - start)
            if kind == "node":
                _node(data, found, asked, at - start)
            elif kind == "function":
                domains = texts(data, found, 10)[-1:] or [""]
                local.update((domain, name) for domain in domains for name in texts(data, found, 1))
            elif kind == "tensor":
                _tensor(data, found, source, context, at - start)
    except BadWire as bad:
        context.report("ONX004", bad.args[0], source, offset=bad.args[1] - start)
    _judge(asked, local, source, context)


def _node(data: Buffer, found: dict[int, list[Value]], asked: dict[tuple[str, str], int], at: int) -> None:
    for domain in texts(data, found, 7) or [""]:
        for name in texts(data, found, 4) or [""]:
            asked.setdefault((domain, name), at)


def _judge(asked: dict[tuple[str, str], int], local: set[tuple[str, str]], source: Source, context: Context) -> None:
    """Operators that are neither standard nor defined in the file come from whatever the runtime has registered."""
    strange = [
        (at, pair) for pair, at in asked.items() if pair[1] not in DOMAINS.get(pair[0], ()) and pair not in local
    ]
    for at, (domain, name) in sorted(strange)[:MOST_NAMES]:
        full = f"{domain}::{name}" if domain else name
        context.report("ONX002", f"uses the operator {quote(full)}, which is not a standard one", source, offset=at)
    if len(strange) > MOST_NAMES:
        context.report("ONX002", f"and {len(strange) - MOST_NAMES:,} more operators", source)


def _tensor(data: Buffer, found: dict[int, list[Value]], source: Source, context: Context, at: int) -> None:
    """Data that lies in another file must lie in the same folder; data in this one must have the size of its shape."""
    for value in found.get(13, ()):
        if not isinstance(value, tuple):
            continue
        entry = {k: v for _, _, f in walk(data, *value, "external", SCHEMA, context.budget) for k, v in f.items()}
        if "location" in texts(data, entry, 1):
            for place in texts(data, entry, 2) or [""]:
                _location(place, source, context, at)
    kind, shape = numbers(data, found.get(2, []))[-1:], numbers(data, found.get(1, []))
    raw = [b - a for a, b in (v for v in found.get(9, ()) if isinstance(v, tuple))]
    if not raw or 13 in found:
        return
    bits, count = BITS.get(kind[0] if kind else 0), math.prod(shape)
    if bits is None or count >= 1 << 63 or -(-count * bits // 8) != raw[-1]:
        said = f"a tensor of {raw[-1]:,} bytes, which is not what its shape and type need"
        context.report("ONX003", said, source, offset=at)


def _location(place: str, source: Source, context: Context, at: int) -> None:
    parts = place.replace("\\", "/").split("/")
    if _OUT.match(place) or ".." in parts or "\\" in place or place.startswith("~"):
        context.report("ONX001", f"keeps tensors in {quote(place)}", source, offset=at)
    elif not place or len(place) >= 1024:
        context.report("ONX003", f"a tensor lies in {quote(place)}, which is no file name", source, offset=at)
    else:
        context.report("ONX005", f"keeps tensors in {quote(place)}", source, offset=at)
