"""MessagePack as Flax writes it: maps of texts, arrays as extension 1. The walk calls nothing and keeps nothing."""

from __future__ import annotations

import math
import re

from probatum.scan.msgpack_items import Bad, item
from probatum.scan.pickle.carried import MOST, looks_like, scan_carried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source

NAME = "msgpack"
EXCLUSIVE = True

#: First bytes of a map; Flax writes nothing else at the top.
MAPS = frozenset([*range(0x81, 0x90), 0xDE, 0xDF])
ARRAY, COMPLEX, SCALAR = 1, 2, 3
DEEPEST = 512
_DTYPE = re.compile(r"(?:bool|bfloat16|float8_\w{1,20}|u?int[248]|(?:u?int|float|complex)(8|16|32|64|128))")


def sniff(head: bytes, source: Source) -> bool:
    """A map whose first key is a text, and that can be followed to the end of the head."""
    if not head or head[0] not in MAPS:
        return False
    try:
        _, start, _, _ = item(head, 0, source.size)
        kind, first, stop, _ = item(head, start, source.size)
        if kind != "text":
            return False
        head[first : min(stop, len(head) - 4)].decode("utf-8")
        if source.size <= len(head):
            return True
        while stop < len(head) - 16:
            _, _, stop, _ = item(head, stop, source.size)
    except (Bad, IndexError, UnicodeDecodeError):
        return False
    return True


def scan(source: Source, context: Context) -> None:
    data, start, end = source.view()
    carried: list[tuple[int, int, bool]] = []
    try:
        pos = _walk(data, start, end, source, context, carried, start)
        if pos < end:
            size = end - pos
            context.report("MSG003", f"{size:,} bytes after the value", source, offset=pos - start)
            context.scan_member(source.part(pos - start, size, f"{source.name}#{pos - start}"))
    except Bad as bad:
        context.report("MSG001", bad.args[0], source, offset=bad.args[1] - start)
    scan_carried(carried, source, context)


def _walk(
    data: Buffer,
    pos: int,
    end: int,
    source: Source,
    context: Context,
    carried: list[tuple[int, int, bool]],
    origin: int,
) -> int:
    """One value with all that is in it; gives the offset behind it."""
    open_: list[int] = [1]  # how many values are still to come, level by level
    while open_:
        if not open_[-1]:
            open_.pop()
            continue
        open_[-1] -= 1
        context.budget.spend_steps(1)
        at = pos
        kind, first, pos, count = item(data, pos, end)
        if count:
            open_.append(count)
            if len(open_) > DEEPEST or count > end - pos:
                raise Bad("nested too deeply, or more values than bytes", at)
        elif kind.startswith("extension"):
            _extension(int(kind[10:]), data, first, pos, source, context, at - origin)
        size, is_text = pos - first, kind == "text"
        if size > 3 and kind in ("bytes", "text") and len(carried) <= MOST and looks_like(data, first, size, is_text):
            carried.append((first - origin, size, is_text))
    return pos


def _extension(code: int, data: Buffer, start: int, end: int, source: Source, context: Context, at: int) -> None:
    """Flax: (shape, name of the dtype, bytes) for arrays and scalars, two numbers for complex; -1 is a time."""
    if code == -1 and end - start in (4, 8, 12):
        return
    try:
        if code in (ARRAY, SCALAR) and _array(data, start, end, context):
            return
        if code == COMPLEX and _numbers(data, start, end) == 2:
            return
    except Bad:
        pass
    what = "not as Flax writes it" if code in (ARRAY, COMPLEX, SCALAR) else "whose meaning is the program's that loads"
    context.report("MSG002", f"an extension {code}, {what}", source, offset=at)


def _numbers(data: Buffer, start: int, end: int) -> int:
    """How many numbers a list has that fills the span; -1 if it is none."""
    kind, _, pos, count = item(data, start, end)
    for _ in range(count):
        inner, _, pos, _ = item(data, pos, end)
        if inner != "number":
            return -1
    return count if kind == "list" and pos == end else -1


def _array(data: Buffer, start: int, end: int, context: Context) -> bool:
    """Is the span the list of a shape, a dtype and as many bytes as they need?"""
    kind, _, pos, count = item(data, start, end)
    if kind != "list" or count != 3:
        return False
    kind, _, pos, dims = item(data, pos, end)
    shape = []
    if kind != "list" or dims > 64:
        return False
    context.budget.spend_steps(dims)
    for _ in range(dims):
        at = pos
        kind, first, pos, _ = item(data, pos, end)
        if kind != "number" or not (data[at] < 0x80 or data[at] in (0xCC, 0xCD, 0xCE, 0xCF)):
            return False
        shape.append(int.from_bytes(data[first:pos], "big") if pos > first else data[at])
    kind, first, pos, _ = item(data, pos, end)
    name = bytes(data[first : min(pos, first + 32)]).decode("latin-1") if kind in ("text", "bytes") else ""
    match = _DTYPE.fullmatch(name)
    kind, first, pos, _ = item(data, pos, end)
    if match is None or kind != "bytes" or pos != end:
        return False
    size = int(match[1]) // 8 if match[1] else 2 if name == "bfloat16" else 1
    return math.prod(shape) * size == pos - first
