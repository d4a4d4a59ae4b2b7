"""Datatypes and dataspaces: how large an element is, and where in it texts, bytes and references lie."""

from __future__ import annotations

import math

from probatum.scan.hdf5.store import Bad, Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

(INTEGER, FLOAT, TIME, STRING, BITS, OPAQUE, COMPOUND, REFERENCE, ENUM, VARIABLE, ARRAY, COMPLEX) = range(12)
DEEPEST = 16


class Type:
    """``deep``: there is more in an element than numbers. ``parts``: (offset, type) of the members of a compound."""

    __slots__ = ("base", "count", "deep", "kind", "parts", "size", "variant")

    def __init__(self, kind: int, size: int, variant: int, base: Type | None, parts: list[tuple[int, Type]]) -> None:
        self.kind, self.size, self.variant, self.base, self.parts = kind, size, variant, base, parts
        self.count = 1
        self.deep: bool = (
            kind in (STRING, OPAQUE, REFERENCE, VARIABLE)
            or (kind == ARRAY and base is not None and (base.deep or base.is_byte))
            or any(part.deep for _, part in parts)
        )

    @property
    def is_byte(self) -> bool:
        """One byte of a number: a run of them may be anything."""
        return self.kind in (INTEGER, BITS) and self.size == 1


def read(cursor: Cursor, wide: int, step: Callable[[int], None], depth: int = 0) -> Type:
    """One datatype from its message. Raises `Bad`."""
    step(1)
    if depth > DEEPEST:
        raise Bad(f"a datatype nested deeper than {DEEPEST}")
    head = cursor.number(1)
    kind, version = head & 15, head >> 4
    bits, size = cursor.number(3), cursor.number(4)
    if kind > COMPLEX or not 1 <= version <= 5 or not size:
        raise Bad(f"a datatype of class {kind}, version {version} and {size} bytes")
    base, parts, variant, count = None, [], bits & 15, 1
    if kind in (INTEGER, BITS):
        cursor.take(4)
    elif kind == FLOAT:
        cursor.take(12)
    elif kind == TIME:
        cursor.take(2)
    elif kind == OPAQUE:
        cursor.take(bits & 255)
    elif kind == COMPOUND:
        parts = [_member(cursor, version, size, wide, step, depth) for _ in range(bits & 0xFFFF)]
        if sum(part.size for _, part in parts) > size:
            raise Bad("a compound datatype whose members overlap")
    elif kind == ENUM:
        base = read(cursor, wide, step, depth + 1)
        for _ in range(bits & 0xFFFF):
            step(1)
            _name(cursor, version)
        cursor.take((bits & 0xFFFF) * base.size)
    elif kind in (VARIABLE, COMPLEX):
        base = read(cursor, wide, step, depth + 1)
        if kind == VARIABLE and size != 8 + wide:
            raise Bad(f"a datatype of variable length with {size} bytes")
    elif kind == ARRAY:
        count = _counts(cursor, version)
        base = read(cursor, wide, step, depth + 1)
        if count * base.size != size:
            raise Bad("an array datatype whose size is not that of its elements")
    made = Type(kind, size, variant, base, parts)
    made.count = count
    return made


def _name(cursor: Cursor, version: int) -> None:
    start = cursor.pos
    cursor.text()
    if version < 3:
        cursor.take(-(cursor.pos - start) % 8)


def _counts(cursor: Cursor, version: int) -> int:
    rank = cursor.number(1)
    if version < 3:
        cursor.take(3)
    count = math.prod(cursor.number(4) for _ in range(rank))
    if version < 3:
        cursor.take(4 * rank)
    return count


def _member(
    cursor: Cursor, version: int, size: int, wide: int, step: Callable[[int], None], depth: int
) -> tuple[int, Type]:
    _name(cursor, version)
    offset = cursor.number(4 if version < 3 else (size.bit_length() - 1) // 8 + 1)
    dims: list[int] = []
    if version == 1:
        rank = cursor.number(1)
        cursor.take(3 + 4 + 4)
        dims = [cursor.number(4) for _ in range(4)][: min(4, rank)]
    inner = read(cursor, wide, step, depth + 1)
    if dims:
        outer = Type(ARRAY, inner.size * math.prod(dims), 0, inner, [])
        outer.count = math.prod(dims)
        inner = outer
    if offset + inner.size > size or not inner.size:
        raise Bad("a member of a compound datatype that lies outside of it")
    return offset, inner


def space(cursor: Cursor, long: int) -> list[int] | None:
    """The sizes of a dataspace, [] for one value, None for no value at all. Raises `Bad`."""
    version, rank, flags = cursor.number(1), cursor.number(1), cursor.number(1)
    if version not in (1, 2) or rank > 32:
        raise Bad(f"a dataspace of version {version} and rank {rank}")
    kind = cursor.number(1)
    if version == 1:
        cursor.take(4)
    sizes = [cursor.number(long) for _ in range(rank)]
    if flags & 1:
        cursor.take(rank * long)
    return None if version == 2 and kind == 2 else sizes
