"""Abstract values: as little as must be known of what lies on the stack.

Literals that a check may look at are kept as themselves: None, bool, int, short text as ``str``, short bytes, and
tuples of values. Everything else is one of the marks and small classes below. No container keeps its items, so a
list of two million numbers costs nothing; it counts them, since NumPy does not.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from probatum.scan.pickle.allow.entry import Entry

    #: A literal, a tuple of values, or an instance of one of the classes below.
    Value: TypeAlias = Any

#: Longest text and bytes, and longest tuple, that are kept as they are.
KEPT = 256
KEPT_ITEMS = 64


class Mark:
    """A value of which only the kind is known."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


NUMBER = Mark("a number")
TEXT = Mark("a text")
BYTES = Mark("bytes")
BYTEARRAY = Mark("a bytearray")
BUFFER = Mark("a buffer of the loader")
SET = Mark("a set")
FROZENSET = Mark("a frozenset")
LONG_TUPLE = Mark("a tuple")
PERSISTENT = Mark("an object of the loader")
UNKNOWN = Mark("the result of unknown code")

#: Marks that no loader can call, and whose BUILD, in every loader, does nothing or fails.
PLAIN = {NUMBER, TEXT, BYTES, BYTEARRAY, BUFFER, SET, FROZENSET, LONG_TUPLE}


class List:
    """A list of which only the length is known; below 0 it is unknown."""

    __slots__ = ("length",)

    def __init__(self, length: int = 0) -> None:
        self.length = length


#: The length of a list into which items were set by place: a slice may have changed it. Appending leaves it below 0.
UNKNOWN_LENGTH = -(1 << 62)


class Dict:
    """A dict of which little is known: is it empty, are all keys plain attribute names, which values are pairs.

    ``pairs`` keeps the values under keys that are texts, up to a bound, where a check wants to know them (the fields
    of a dtype, the state of joblib's wrapper); ``whole``: nothing else was put into it since then.
    ``closed``: a library took it as it is, so filling it later would go behind the check.
    """

    __slots__ = ("closed", "empty", "names", "pairs", "whole")

    def __init__(self) -> None:
        self.empty = self.names = self.whole = True
        self.closed = False
        self.pairs: dict[str, Value] | None = None

    def put(self, items: list[Value]) -> None:
        """Note new items, keys and values in turn. A key that Python itself may look up spoils `names`."""
        if items:
            self.empty = False
            if self.names:
                for key in items[::2]:
                    if key.__class__ is not str or key[:2] == "__":
                        self.names = False
                        break

    def put_pairs(self, items: list[Value]) -> None:
        """Keep the values; a dict that already has others is not known whole."""
        if self.pairs is None:
            self.pairs, self.whole = {}, self.empty
        for key, value in zip(items[::2], items[1::2], strict=False):
            if key.__class__ is str and (key in self.pairs or len(self.pairs) < KEPT_ITEMS):
                self.pairs[key] = value
            else:
                self.whole = False


class Global:
    """A named class, function or other object; ``entry`` is what the allow-list says of it, or None."""

    __slots__ = ("entry", "module", "name", "offset")

    def __init__(self, module: str, name: str, entry: Entry | None, offset: int) -> None:
        self.module, self.name, self.entry, self.offset = module, name, entry, offset


class Made:
    """What an allowed callable returned; ``detail`` is what its family needs to know of it (a dtype's code)."""

    __slots__ = ("detail", "entry")

    def __init__(self, entry: Entry, detail: Any = None) -> None:
        self.entry, self.detail = entry, detail


def is_plain(value: Value) -> bool:
    """Neither callable nor an object with methods of its own: a literal or a builtin container."""
    return value.__class__ in (str, int, bool, bytes, tuple, Dict, List) or value is None or value in PLAIN


def describe(value: Value, depth: int = 2) -> str:
    """A value in a trace; short."""
    from probatum.scan.finding import quote

    if isinstance(value, Mark):
        return value.kind
    if isinstance(value, Global):
        return f"{value.module}.{value.name}" if value.module else value.name
    if isinstance(value, Made):
        return f"an object of {value.entry.name}"
    if isinstance(value, Dict):
        return "a dict"
    if isinstance(value, List):
        return "a list"
    if isinstance(value, tuple):
        if depth <= 0:
            return "(…)" if value else "()"
        inside = ", ".join(describe(v, depth - 1) for v in value[:4])
        return f"({inside}{', …' if len(value) > 4 else ''})"
    if isinstance(value, str):
        return quote(value)
    return repr(value)[:60]
