"""NumPy: arrays, scalars and dtypes.

An array is `_reconstruct` and a BUILD, or `_frombuffer` (protocol 5). The flags and sizes in a dtype's state are
trusted by NumPy's C code, so they must be those of the dtype's own letter: flags that deny the objects in an object
array would make raw bytes into pointers. NumPy takes as many objects from the list in an array's state as the shape
says, whether they are there or not, so the list must be known to hold as many.
"""

from __future__ import annotations

import math
import re

from probatum.scan.pickle.allow.entry import (
    Entry,
    is_bytes,
    is_number,
    is_numbers,
    is_text,
    made,
    named,
    require,
)
from probatum.scan.pickle.values import TEXT, Dict, List, Made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value

_SIMPLE = re.compile(r"[<>|=]?(?:[biufc]\d{1,2}|[?]|[mM]8(?:\[\w{1,12}\])?)")
_SIZED = re.compile(r"[<>|=]?[SUVa]\d{0,9}")
_OBJECT = re.compile(r"[<>|=]?O\d?")

KINDS = {"simple": _SIMPLE, "sized": _SIZED, "object": _OBJECT}

#: Flags that NumPy writes for a dtype of each kind, and for one with fields but without objects.
FLAGS = {"simple": 0, "object": 63}
FIELD_FLAGS = (0, 8, 16, 24)

TYPES = (
    "bool_ bool int8 int16 int32 int64 intc intp longlong uint8 uint16 uint32 uint64 uintc uintp ulonglong float16 "
    "float32 float64 longdouble complex64 complex128 clongdouble str_ bytes_ void datetime64 timedelta64 object_"
)


class DType:
    """What is known of a dtype: kind, letter, may it get state, bytes of an item, did something take it as it is."""

    __slots__ = ("closed", "copied", "kind", "letter", "size")

    def __init__(self, kind: str, letter: str, size: int, copied: bool) -> None:
        self.kind, self.letter, self.size, self.copied = kind, letter, size, copied
        self.closed = False


def take(value: Value) -> DType | None:
    """The dtype behind a value, closed from now on; None if it is not one."""
    if not made(value, "numpy.dtype"):
        return None
    dtype: DType = value.detail
    dtype.closed = True
    return dtype


def _dtype(entry: Entry, args: tuple[Value, ...]) -> Value:
    """`dtype(letter, align, copy)`. Without a copy, a later BUILD would write into NumPy's own dtype."""
    require(bool(args) and args[0].__class__ is str, "a dtype that is not a text")
    require(len(args) <= 3 and all(is_number(a) for a in args[1:]), "strange arguments")
    text = args[0].lstrip("<>|=")
    kind = next((k for k, p in KINDS.items() if p.fullmatch(args[0])), "")
    require(bool(kind), "a dtype that is none of NumPy's letters")
    digits = re.match(r"[A-Za-z?](\d*)", text)
    size = int(digits[1] or 0) if digits else 0
    copied = len(args) == 3 and args[2].__class__ in (int, bool) and bool(args[2])
    return Made(entry, DType(kind, text[:1], {"?": 1}.get(text[0], size * (4 if text[0] == "U" else 1)), copied))


def _dtype_state(target: Made, state: Value) -> None:
    d: DType = target.detail
    require(d.copied and not d.closed, "state for a dtype that is in use already")
    d.closed = True
    require(state.__class__ is tuple and len(state) in (8, 9) and state[0] in (3, 4), "a strange version of state")
    order, base, names, fields, size, align, flags = state[1:8]
    require(order.__class__ in (str, bytes) and order in ("<", ">", "|", "=", b"<", b">", b"|", b"="), "a byte order")
    require(size.__class__ is int and align.__class__ is int and flags.__class__ is int, "sizes that are no numbers")
    require(len(state) == 8 or _is_metadata(state[8]), "metadata")
    timed = len(state) == 9 and state[8].__class__ is tuple
    require(d.letter not in ("m", "M") or timed, "a date without its unit")  # NumPy would follow a null pointer
    if names is None and fields is None and base is None and d.kind != "sized":
        require(size == -1 and align == -1 and flags == FLAGS[d.kind], "sizes or flags of another dtype")
        return
    require(d.kind == "sized" and 0 <= size < 1 << 31 and 0 < align <= 32, "a strange size")
    require(d.letter != "U" or size % 4 == 0, "a strange size")
    d.size = size
    if names is None and fields is None and base is None:
        require(flags == (8 if d.letter == "U" else 0), "flags of another dtype")
        return
    require(d.letter == "V" and flags in FIELD_FLAGS, "fields that hold objects, or flags of another dtype")
    if base is not None:
        require(names is None and fields is None and _subarray_size(base) == size, "a strange base")
        return
    require(
        names.__class__ is tuple and isinstance(fields, Dict) and fields.whole and bool(fields.pairs), "strange fields"
    )
    fields.closed = True
    for name in names:
        _check_field(fields.pairs.get(name) if name.__class__ is str else None, size)
    require(len(names) == len(fields.pairs), "fields without a name")


def _check_field(field: Value, size: int) -> None:
    """A field is (dtype, offset), lies inside the item, and holds no objects: NumPy trusts this."""
    require(field.__class__ is tuple and len(field) == 2 and field[1].__class__ is int, "a strange field")
    dtype = take(field[0])
    require(dtype is not None and dtype.kind != "object", "a field of objects")
    require(field[1] >= 0 and field[1] + (dtype.size if dtype else 0) <= size, "a field outside its item")


def _subarray_size(base: Value) -> int:
    """Bytes of (dtype, shape); -1 if that is not what it is."""
    if base.__class__ is not tuple or len(base) != 2 or base[1].__class__ is not tuple:
        return -1
    dtype = take(base[0])
    if dtype is None or dtype.kind == "object" or any(n.__class__ is not int or n < 0 for n in base[1]):
        return -1
    return dtype.size * math.prod(base[1])


def _is_metadata(value: Value) -> bool:
    """None, or (None or {}, (unit, 1, 1, 1)) of a date."""
    if value is None:
        return True
    if value.__class__ is not tuple or len(value) != 2 or not (value[0] is None or isinstance(value[0], Dict)):
        return False
    unit = value[1]
    return unit.__class__ is tuple and all(is_number(u) or u.__class__ in (str, bytes) for u in unit)


def _reconstruct(entry: Entry, args: tuple[Value, ...]) -> Value:
    plain = len(args) == 3 and named(args[0], "numpy.ndarray") and args[1] == (0,)
    require(plain and args[2] in (b"b", "b"), "not the empty array that NumPy writes")
    return Made(entry)


def _array_state(target: Made, state: Value) -> None:
    require(state.__class__ is tuple and len(state) == 5 and state[0] == 1, "a strange version of state")
    _, shape, dtype, order, data = state
    require(is_numbers(shape) and shape.__class__ is not List and is_number(order), "a strange shape")
    known = take(dtype)
    require(known is not None, "a dtype that is not one")
    if known is None or known.kind != "object":
        require(is_bytes(data) or is_text(data), "data that is no bytes")
        return
    counted = shape.__class__ is tuple and all(n.__class__ is int and n >= 0 for n in shape)
    count = math.prod(shape) if counted else -1
    require(data.__class__ is List and data.length == count, "another number of objects than its shape says")


def _frombuffer(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == 4 or len(args) == 5, "strange arguments")
    dtype = take(args[1])
    require(is_bytes(args[0]) and dtype is not None and dtype.kind != "object", "not bytes of a dtype")
    require(is_numbers(args[2]) and args[3] in ("C", "F", "A", "K"), "a strange shape")
    require(len(args) == 4 or args[4] is None or is_numbers(args[4]), "a strange order of axes")
    return Made(entry)


def _scalar(entry: Entry, args: tuple[Value, ...]) -> Value:
    """A scalar of an object dtype would be the object itself, so it is not allowed."""
    dtype = take(args[0]) if args else None
    require(len(args) <= 2 and dtype is not None and dtype.kind != "object", "a scalar of objects")
    require(len(args) == 1 or is_bytes(args[1]) or is_text(args[1]) or args[1] is TEXT, "data that is no bytes")
    return Made(entry)


ENTRIES = (
    Entry("numpy.dtype", _dtype, _dtype_state),
    Entry("numpy.ndarray"),
    Entry("numpy.memmap"),
    *(Entry(f"numpy.{t}") for t in TYPES.split()),
    *(
        entry
        for core in ("numpy.core", "numpy._core")
        for entry in (
            Entry(f"{core}.multiarray._reconstruct", _reconstruct, _array_state),
            Entry(f"{core}.multiarray.scalar", _scalar),
            Entry(f"{core}.numeric._frombuffer", _frombuffer),
        )
    ),
)
