"""NumPy's .npy: a header that is a Python literal, then an array, or a pickle if it holds objects."""

from __future__ import annotations

import math
import re

from probatum.scan.finding import quote
from probatum.scan.literal import Refused, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "npy"
EXCLUSIVE = True

MAGIC = b"\x93NUMPY"
#: Longest header that is read.
LONGEST = 1 << 16
_SIMPLE = re.compile(
    r"[<>|=]?(?:(b1|\?|i1|u1)|([iuf]2)|([iuf]4)|([iufc]8|[mM]8(?:\[[^\]]{1,20}\])?)|([fc]16)|(f12)|(c24|c32))"
)
_SIZES = (1, 2, 4, 8, 16, 12)
_SIZED = re.compile(r"[<>|=]?([SaVU])(\d{1,9})")
_OBJECT = re.compile(r"[<>|=]?O\d?")


def sniff(head: bytes, source: Source) -> bool:
    return head.startswith(MAGIC)


def scan(source: Source, context: Context) -> None:
    """One array, or several in a row as repeated saving leaves them."""
    pos = 0
    while pos < source.size:
        if source.read(pos, 6) != MAGIC:
            size = source.size - pos
            context.report("NPY002", f"{size:,} bytes after the last array", source, offset=pos)
            context.scan_member(source.part(pos, size, f"{source.name}#{pos}"))
            return
        try:
            start, size = _header(source, pos, context)
        except Refused as refused:
            context.report("NPY001", refused.args[0], source, offset=pos)
            return
        if size < 0:
            context.report("NPY003", "an array of objects: a pickle", source, offset=start)
            context.scan_member(source.part(start, source.size - start, f"{source.name}#{start}"))
            return
        if start + size > source.size:
            said = f"the array ends at {start + size:,}, the file at {source.size:,}"
            context.report("NPY002", said, source, offset=start)
            return
        pos = start + size


def _header(source: Source, pos: int, context: Context) -> tuple[int, int]:
    """(where the array begins, its bytes, or -1 for objects)."""
    fixed = source.read(pos, 12)
    major = fixed[6] if len(fixed) == 12 else 0
    if major not in (1, 2, 3) or fixed[7]:
        raise Refused("an unknown version of the format")
    at, width = pos + 8, 2 if major == 1 else 4
    length = int.from_bytes(fixed[8 : 8 + width], "little")
    if length > LONGEST:
        raise Refused(f"a header of {length:,} bytes")
    raw = source.read(at + width, length)
    context.budget.spend_steps(16 + len(raw))
    try:
        header = literal(raw.decode("utf-8" if major == 3 else "latin-1"))
    except UnicodeDecodeError:
        raise Refused("a header that is no text") from None
    if len(raw) < length or not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise Refused("the header is cut off, or does not have descr, fortran_order and shape")
    shape = header["shape"]
    if not isinstance(shape, tuple) or len(shape) > 64 or not all(type(n) is int and n >= 0 for n in shape):
        raise Refused("a shape that is none")
    if not isinstance(header["fortran_order"], bool):
        raise Refused("an order that is neither True nor False")
    size = item_size(header["descr"])
    return at + width + length, -1 if size < 0 else size * math.prod(shape)


def item_size(descr: Any, depth: int = 0) -> int:
    """Bytes of one item; -1 if there is an object in it. Raises `Refused`."""
    if isinstance(descr, str):
        if _OBJECT.fullmatch(descr):
            return -1
        match = _SIMPLE.fullmatch(descr)
        if match and match.lastindex:
            return int(descr.lstrip("<>|=")[1:]) if match.lastindex == 7 else _SIZES[match.lastindex - 1]
        match = _SIZED.fullmatch(descr)
        if match:
            return int(match[2]) * (4 if match[1] == "U" else 1)
        raise Refused(f"the unknown dtype {quote(descr)}")
    if not isinstance(descr, list) or depth > 8:
        raise Refused("a dtype that is neither a text nor a list of fields")
    total = 0
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            raise Refused("a field that is none")
        shape = field[2] if len(field) == 3 else ()
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise Refused("a field with a shape that is none")
        size = item_size(field[1], depth + 1)
        if size < 0:
            return -1
        total += size * math.prod(shape)
    return total
