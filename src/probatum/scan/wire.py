"""Protocol Buffers without a library: a walk over the messages of a schema. What the schema lacks is said."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from probatum.scan.budget import Budget
    from probatum.scan.source import Buffer, Source

    #: A number, or (start, end) of what has a length.
    Value: TypeAlias = "int | tuple[int, int]"
    #: Message to field to its kind: the name of a message, "" for a text or bytes, "#" for numbers.
    Schema: TypeAlias = "dict[str, dict[int, str]]"

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class BadWire(ValueError):
    """The bytes are no message; ``args`` are the sentence and the offset in the buffer."""


def varint(data: Buffer, pos: int, end: int) -> tuple[int, int]:
    """(value, offset behind it)."""
    value = shift = 0
    while pos < end and shift < 70:
        byte = data[pos]
        value |= (byte & 0x7F) << shift
        pos += 1
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, pos
        shift += 7
    raise BadWire("a number is cut off or too long", pos)


def fields(data: Buffer, pos: int, end: int) -> Iterator[tuple[int, int, Value]]:
    """(number, wire type, value) of every field of one message. Raises `BadWire`."""
    while pos < end:
        key, at = varint(data, pos, end)
        number, wire = key >> 3, key & 7
        value: Value
        if wire == VARINT:
            value, at = varint(data, at, end)
        elif wire == LENGTH:
            size, at = varint(data, at, end)
            value = (at, at + size)
            at += size
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            value = int.from_bytes(data[at : at + size], "little")
            at += size
        else:
            raise BadWire("a group, or a field of no type", pos)
        if at > end or not 0 < number < 1 << 29:
            raise BadWire("a field is cut off, or has no number", pos)
        yield number, wire, value
        pos = at


def walk(
    data: Buffer, start: int, end: int, root: str, schema: Schema, budget: Budget
) -> Iterator[tuple[str, int, dict[int, list[Value]]]]:
    """(message, where it starts, its fields) of a message and all messages in it. Raises `BadWire`.

    Fields that the schema lacks come under their number with the key 0 holding them as well.
    """
    todo = [(root, start, end)]
    while todo:
        kind, first, last = todo.pop()
        found: dict[int, list[Value]] = {}
        known = schema[kind]
        for number, wire, value in fields(data, first, last):
            budget.spend_steps(1)
            inner = known.get(number)
            if inner is None or (wire != LENGTH and inner != "#"):
                found.setdefault(0, []).append(number)
                continue
            found.setdefault(number, []).append(value)
            if inner and inner != "#" and isinstance(value, tuple):
                todo.append((inner, *value))
        yield kind, first, found


def text(data: Buffer, value: Value) -> str:
    """A text field; "" for a number."""
    if isinstance(value, int):
        return ""
    return bytes(data[value[0] : min(value[1], value[0] + 4096)]).decode("utf-8", "replace")


def texts(data: Buffer, found: dict[int, list[Value]], number: int) -> list[str]:
    return [text(data, v) for v in found.get(number, ())]


def numbers(data: Buffer, values: list[Value]) -> list[int]:
    """Repeated numbers, packed or not."""
    out: list[int] = []
    for value in values:
        if isinstance(value, int):
            out.append(value)
            continue
        pos, end = value
        while pos < end and len(out) < 256:
            one, pos = varint(data, pos, end)
            out.append(one)
    return out


def outline(source: Source, most: int = 64) -> list[tuple[int, int, int, int]] | None:
    """(number, wire type, start, size) of the first fields of a source; None if it is no message. Never raises."""
    out: list[tuple[int, int, int, int]] = []
    pos = 0
    while pos < source.size and len(out) < most:
        head = source.read(pos, 24)
        try:
            key, at = varint(head, 0, len(head))
            wire, number = key & 7, key >> 3
            size = {FIXED64: 8, FIXED32: 4}.get(wire, 0)
            if wire == VARINT:
                at = varint(head, at, len(head))[1]
            elif wire == LENGTH:
                size, at = varint(head, at, len(head))
            elif not size:
                return None
        except BadWire:
            return None
        if not number or pos + at + size > source.size:
            return None
        out.append((number, wire, pos + at, size))
        pos += at + size
    return out
