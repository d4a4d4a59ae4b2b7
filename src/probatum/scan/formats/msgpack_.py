"""MessagePack as Flax writes it: maps of texts, arrays as extension 1. The walk calls nothing and keeps nothing."""

from __future__ import annotations

import math
import re

from probatum.scan.pickle.carried import MOST, looks_like, scan_carried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source

NAME = "msgpack"
EXCLUSIVE = True

#: First bytes of a map; Flax writes nothing else at the top.
MAPS = frozenset([*range(0x81, 0x90), 0xDE, 0xDF])
#: Bytes of numbers with a byte of type before them.
FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
#: Width of the length of texts, bytes, extensions, lists and maps.
TEXTS, BYTES, EXTENSIONS = {0xD9: 1, 0xDA: 2, 0xDB: 4}, {0xC4: 1, 0xC5: 2, 0xC6: 4}, {0xC7: 1, 0xC8: 2, 0xC9: 4}
LISTS, DICTS = {0xDC: 2, 0xDD: 4}, {0xDE: 2, 0xDF: 4}
FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
ARRAY, COMPLEX, SCALAR = 1, 2, 3
DEEPEST = 512
_DTYPE = re.compile(r"(?:bool|bfloat16|float8_\w{1,20}|u?int[248]|(?:u?int|float|complex)(8|16|32|64|128))")


class Bad(ValueError):
    """The bytes are no MessagePack; ``args`` are the sentence and the offset in the buffer."""


def item(data: Buffer, pos: int, end: int) -> tuple[str, int, int, int]:
    """(kind, content start, content end, values that follow in it) of one value.

    Kinds are ``number``, ``text``, ``bytes``, ``extension N``, ``list``, ``map``.
    """
    if pos >= end:
        raise Bad("breaks off", pos)
    code, at = data[pos], pos + 1
    if code < 0x80 or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
        return "number", at, at, 0
    if code < 0xA0:
        count = code & 15
        return ("map", at, at, 2 * count) if code < 0x90 else ("list", at, at, count)
    if code < 0xC0:
        return _within("text", at, at + (code & 31), end)
    if code in FIXED:
        return _within("number", at, at + FIXED[code], end)
    if code in FIXED_EXTENSIONS and at < end:
        return _within(f"extension {_signed(data[at])}", at + 1, at + 1 + FIXED_EXTENSIONS[code], end)
    for kind, widths in (("text", TEXTS), ("bytes", BYTES), ("extension", EXTENSIONS), ("list", LISTS), ("map", DICTS)):
        if code in widths:
            first = at + widths[code]
            if first + (kind == "extension") > end:
                raise Bad("breaks off", pos)
            size = int.from_bytes(data[at:first], "big")
            if kind in ("list", "map"):
                return kind, first, first, size * (2 if kind == "map" else 1)
            if kind == "extension":
                return _within(f"extension {_signed(data[first])}", first + 1, first + 1 + size, end)
            return _within(kind, first, first + size, end)
    raise Bad(f"a byte {code:#x} that begins no value", pos)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _within(kind: str, start: int, stop: int, end: int) -> tuple[str, int, int, int]:
    if stop > end:
        raise Bad(f"a {kind.split()[0]} goes on behind the end", start)
    return kind, start, stop, 0


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
        if pos - first > 3 and kind in ("bytes", "text") and len(carried) <= MOST:
            if looks_like(data, first, pos - first, kind == "text"):
                carried.append((first - origin, pos - first, kind == "text"))
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
