"""Attributes: in messages of the object header, or dense in a fractal heap."""

from __future__ import annotations

import math
import re

from probatum.scan.hdf5 import groups, headers, types
from probatum.scan.hdf5.store import Bad, Cursor, Lost, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NamedTuple

    from probatum.scan.hdf5.headers import Message
    from probatum.scan.hdf5.judge import Part
    from probatum.scan.hdf5.types import Type
    from probatum.scan.hdf5.values import Values

    class Attribute(NamedTuple):
        name: str
        type: Type
        many: int
        data: bytes
        address: int

    Types = Callable[[Cursor, bool], Type]
else:
    from collections import namedtuple

    Attribute = namedtuple("Attribute", "name type many data address")

#: Longest name, and longest path, that a message shows.
SHOWN = 160
_PART = re.compile(r"(.*?)(\d{1,6})")


def visit(values: Values, found: list[Message], where: str, type_of: Types, report: Callable[[Bad], None]) -> None:
    """Walk through the attributes of an object. Texts whose names end in a number may be one text in parts."""
    parts: dict[str, list[Part]] = {}
    try:
        for data, start in bodies(values.store, found):
            try:
                one = read(values.store, data, start, type_of)
                match = _PART.fullmatch(one.name)
                if match and one.many == 1:
                    values.text = _keeper(parts.setdefault(match[1], []), int(match[2]))
                values.walk(one.type, one.data, one.many, f"{where}@{one.name[:SHOWN]}", one.address)
            except Lost:
                raise
            except Bad as bad:
                report(bad)
            finally:
                values.text = values.judge.text
    finally:  # what was found before a fault is judged all the same
        for series in parts.values():
            values.judge.series(sorted(series))


def _keeper(parts: list[Part], number: int) -> Callable[[bytes, str, int], None]:
    return lambda raw, where, address: parts.append((number, raw, where, address))


def bodies(store: Store, found: list[Message]) -> Iterator[tuple[bytes, int]]:
    """(attribute message, address) of all attributes of the object with these messages. Raises `Bad`."""
    for message in found:
        if message.type == headers.ATTRIBUTE:
            if message.flags & headers.SHARED:
                raise Bad("an attribute that is kept in a heap of the whole file")
            yield message.data, message.address
        elif message.type == headers.ATTRIBUTE_INFO:
            heap, ids = groups.dense_ids(store, Cursor(message.data, "attribute info"), 2, (8, 9), {8: 0, 9: 0})
            for id in ids:
                if heap is not None:
                    yield heap.get(id)


def read(store: Store, data: bytes, address: int, type_of: Types) -> Attribute:
    """One attribute message, versions 1 to 3. Raises `Bad`."""
    cursor = Cursor(data, "an attribute")
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3):
        raise Bad(f"an attribute of version {version}")
    name, kind, space = cursor.number(2), cursor.number(2), cursor.number(2)
    cursor.take(version == 3)
    pad = 8 if version == 1 else 1
    flags = flags if version > 1 else 0
    called = cursor.take(name + -name % pad)[:name].split(b"\0")[0].decode("utf-8", "replace")
    type = type_of(Cursor(cursor.take(kind + -kind % pad), "a datatype"), bool(flags & 1))
    if flags & 2:
        raise Bad("a dataspace that is kept in a heap of the whole file")
    sizes = types.space(Cursor(cursor.take(space + -space % pad), "a dataspace"), store.long)
    count = 0 if sizes is None else math.prod(sizes)
    if count * type.size > cursor.left:
        raise Bad("an attribute that is shorter than its elements")
    start = cursor.pos
    return Attribute(called, type, count, cursor.take(count * type.size), address + start if address >= 0 else -1)
