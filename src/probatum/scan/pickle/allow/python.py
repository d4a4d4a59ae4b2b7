"""Builtins, collections and dates: containers and literals that need a call in some protocol."""

from __future__ import annotations

from probatum.scan.pickle.allow.entry import (
    Entry,
    attributes,
    is_bytes,
    is_data,
    is_number,
    is_numbers,
    is_text,
    made,
    named,
    require,
)
from probatum.scan.pickle.values import BYTEARRAY, BYTES, FROZENSET, LONG_TUPLE, NUMBER, SET, Dict, List, Made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value

#: Types that may be named; calling them is another matter.
TYPES = "int float bool str bytes list dict tuple object set frozenset complex bytearray slice range"
#: joblib's wrapper, see `joblib_`.
WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
#: Largest bytearray that a number may ask for.
LARGEST = 1 << 24
#: What may fill a defaultdict. It is called for missing keys only, which loading never asks for.
FACTORIES = (*(f"builtins.{t}" for t in TYPES.split()), "collections.OrderedDict", "collections.Counter")


def _items(args: tuple[Value, ...], most: int = 1) -> None:
    """At most one argument, a builtin container: its items were judged when they were made."""
    require(len(args) <= most, "more arguments than items")
    for a in args:
        require(a in (SET, FROZENSET, LONG_TUPLE) if not isinstance(a, (tuple, Dict, List)) else True, "no container")


def _set(entry: Entry, args: tuple[Value, ...]) -> Value:
    _items(args)
    return SET


def _frozenset(entry: Entry, args: tuple[Value, ...]) -> Value:
    _items(args)
    return FROZENSET


def _container(entry: Entry, args: tuple[Value, ...]) -> Value:
    _items(args)
    return Made(entry)


def _object(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(not args, "arguments")
    return Made(entry)


def _bytes(entry: Entry, args: tuple[Value, ...]) -> Value:
    """How protocols 0 to 2 write empty bytes."""
    require(not args, "arguments")
    return b""


def _bytearray(entry: Entry, args: tuple[Value, ...]) -> Value:
    first = args[0] if args else b""
    small = first.__class__ is int and first <= LARGEST and len(args) == 1
    text = len(args) == 2 and is_text(first) and args[1] in ("latin-1", "latin1")
    require(small or text or (is_bytes(first) and len(args) <= 1), "not a literal, or too large a number")
    return BYTEARRAY


def _complex(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) <= 2 and all(is_number(a) for a in args), "arguments that are not numbers")
    return NUMBER


def _numbers(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(all(is_number(a) or a is None for a in args), "arguments that are not numbers")
    return Made(entry)


def _deque(entry: Entry, args: tuple[Value, ...]) -> Value:
    _items(args[:1])
    require(len(args) < 2 or (len(args) == 2 and (args[1] is None or is_number(args[1]))), "a strange maximum")
    return Made(entry)


def _defaultdict(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(not args or args[0] is None or named(args[0], *FACTORIES), "a factory that is no builtin type")
    _items(args[1:])
    return Made(entry)


def _encode(entry: Entry, args: tuple[Value, ...]) -> Value:
    """How protocols 0 to 2 write bytes: text and the name of the codec, nothing else."""
    require(len(args) == 2 and is_text(args[0]) and args[1] in ("latin1", "latin-1"), "not a text as latin1")
    text = args[0]
    if text.__class__ is str and all(ord(c) < 256 for c in text):
        return text.encode("latin1")
    return BYTES


def _reconstructor(entry: Entry, args: tuple[Value, ...]) -> Value:
    """How protocols 0 and 1 write `object()`, and joblib's wrapper of arrays."""
    known = len(args) == 3 and named(args[0], "builtins.object", WRAPPER) and named(args[1], "builtins.object")
    require(known and args[2] is None, "a class that is not object")
    return Made(args[0].entry if named(args[0], WRAPPER) else entry)


def _date(entry: Entry, args: tuple[Value, ...]) -> Value:
    """A date from bytes or numbers, and a time zone."""
    zones = ("datetime.timezone", "datetime.timedelta")
    require(all((is_data(a) and not is_numbers(a)) or made(a, *zones) for a in args), "strange parts of a date")
    return Made(entry)


def _namespace(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(not args, "arguments")
    return Made(entry)


CALLS = {
    "bytes": _bytes, "object": _object, "set": _set, "frozenset": _frozenset, "bytearray": _bytearray,
    "complex": _complex, "slice": _numbers, "range": _numbers,
}  # fmt: skip
ENTRIES = (
    *(Entry(f"builtins.{t}", CALLS.get(t)) for t in TYPES.split()),
    Entry("builtins.Ellipsis"),
    Entry("builtins.NotImplemented"),
    Entry("collections.OrderedDict", _container, attributes, "item"),
    Entry("collections.Counter", _container, attributes, "item"),
    Entry("collections.defaultdict", _defaultdict, attributes, "item"),
    Entry("collections.deque", _deque, attributes, "append"),
    Entry("argparse.Namespace", _namespace, attributes),
    Entry("types.SimpleNamespace", _namespace, attributes),
    Entry("_codecs.encode", _encode),
    Entry("copyreg._reconstructor", _reconstructor),
    *(Entry(f"datetime.{n}", _date) for n in ("date", "time", "datetime", "timedelta", "timezone")),
)
