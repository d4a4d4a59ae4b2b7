"""joblib's wrapper, behind whose state the bytes of an array stand in the file, between two opcodes.

The wrapper is an object without methods of its own at loading; `arrays` reads its state and steps over the bytes.
"""

from __future__ import annotations

import math

from probatum.scan.pickle.allow.entry import Entry, is_number, named, require
from probatum.scan.pickle.allow.numpy_ import take
from probatum.scan.pickle.allow.python import WRAPPER
from probatum.scan.pickle.values import Dict, Made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value

#: What joblib puts into the state; the alignment is missing in files of joblib 1.1 and before.
KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap"}
ALIGNMENT = "numpy_array_alignment_bytes"


class Array:
    """The bytes that follow a wrapper: how many, or -1 for a pickle; is there padding before them?"""

    __slots__ = ("aligned", "size")

    def __init__(self, size: int, aligned: bool) -> None:
        self.size, self.aligned = size, aligned


def _wrapper(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(not args, "arguments")
    return Made(entry)


def _state(target: Made, state: Value) -> None:
    """Note in the wrapper what follows. A wrapper that gets state twice would mix the two."""
    require(target.detail is None, "a wrapper that was used before")
    require(isinstance(state, Dict) and state.names and state.whole and bool(state.pairs), "a state that is no dict")
    values: dict[str, Value] = state.pairs
    require(values.keys() - {ALIGNMENT} == KEYS, "keys that joblib does not write")
    require(named(values["subclass"], "numpy.ndarray", "numpy.memmap"), "another class of array")
    require(values["order"] in ("C", "F") and values["allow_mmap"] in (True, False), "a strange order")
    shape = values["shape"]
    plain = shape.__class__ is tuple and all(n.__class__ is int and 0 <= n < 1 << 63 for n in shape)
    require(plain and len(shape) <= 64, "a strange shape")
    aligned = values.get(ALIGNMENT)
    require(aligned is None or is_number(aligned), "a strange alignment")
    dtype = take(values["dtype"])
    if dtype is None or dtype.kind == "object":
        require(dtype is not None and values["allow_mmap"] is False, "objects that could be mapped, or no dtype")
        target.detail = Array(-1, False)
        return
    require(dtype.size > 0, "items without bytes")
    target.detail = Array(dtype.size * math.prod(shape), aligned is not None)


ENTRIES = (Entry(WRAPPER, _wrapper, _state),)
