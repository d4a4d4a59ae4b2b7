"""The record of one allowed global, and the helpers that its checks share."""

from __future__ import annotations

from probatum.scan.pickle.values import (
    BUFFER,
    BYTEARRAY,
    BYTES,
    LONG_TUPLE,
    NUMBER,
    SET,
    TEXT,
    Dict,
    Global,
    List,
    Made,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from probatum.scan.pickle.values import Value

    #: (entry, arguments) -> what the call returns; raises `Refused` with what is not as it should be.
    Call: TypeAlias = Callable[["Entry", tuple[Value, ...]], Value]
    #: (object, state) -> None; raises `Refused`.
    Build: TypeAlias = Callable[[Made, Value], None]


class Refused(Exception):
    """These arguments were not proved harmless; ``args[0]`` says why."""


class Entry:
    """One allowed global.

    Parameters
    ----------
    name
        Module and name as the loader resolves them, joined by a dot.
    call
        What a call with certain arguments gives (REDUCE, NEWOBJ, OBJ, INST); None: it may be named, not called.
    build
        Whether BUILD with a certain state is harmless on what the call made; None: it is not.
    fills
        Which of "append", "item", "add" may fill what the call made.
    """

    __slots__ = ("build", "call", "fills", "name")

    def __init__(self, name: str, call: Call | None = None, build: Build | None = None, fills: str = "") -> None:
        self.name, self.call, self.build, self.fills = name, call, build, fills.split()

    @property
    def place(self) -> tuple[str, str]:
        """Module and name."""
        module, _, name = self.name.rpartition(".")
        return module, name


def named(value: Value, *names: str) -> bool:
    """Is the value one of these allowed globals?"""
    return isinstance(value, Global) and value.entry is not None and value.entry.name in names


def made(value: Value, *names: str) -> bool:
    """Was the value made by one of these entries? A name that ends in "." stands for all that begin with it."""
    return isinstance(value, Made) and any(
        value.entry.name.startswith(n) if n.endswith(".") else value.entry.name == n for n in names
    )


def is_text(value: Value) -> bool:
    return value.__class__ is str or value is TEXT


def is_bytes(value: Value) -> bool:
    return value.__class__ is bytes or value is BYTES or value is BYTEARRAY or value is BUFFER


def is_number(value: Value) -> bool:
    return value.__class__ in (int, bool) or value is NUMBER


def is_numbers(value: Value) -> bool:
    """A tuple of numbers, or a list of whatever (its items were judged when they were made)."""
    if value.__class__ is tuple:
        return all(is_number(v) for v in value)
    return value.__class__ is List or value is LONG_TUPLE


def is_state(value: Value) -> bool:
    """A dict whose keys are plain attribute names."""
    return value is None or (isinstance(value, Dict) and value.names)


def is_data(value: Value) -> bool:
    """A literal or a builtin container, but nothing callable and no object."""
    return is_text(value) or is_bytes(value) or is_number(value) or value is None or is_numbers(value) or value is SET


def require(condition: bool, what: str) -> None:
    """Raise `Refused` unless the condition holds."""
    if not condition:
        raise Refused(what)


def attributes(target: Made, state: Value) -> None:
    """A BUILD that writes plain attributes into the ``__dict__`` of an object without ``__setstate__``."""
    require(is_state(state), "a state that is not a dict of plain attribute names")


def no_state(target: Made, state: Value) -> None:
    require(state is None, "a state where none belongs")
