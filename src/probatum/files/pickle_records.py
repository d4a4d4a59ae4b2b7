"""The records that a pickle is read as: what is named, what is called with which arguments, what is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple


class Name(NamedTuple):
    """A global: module and name as the loader looks them up."""

    module: str
    name: str

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}"


class Asked(NamedTuple):
    """An object that the loader gives for an id; PyTorch's storages are such."""

    id: Any


class Pairs:
    """A dict: its items in the order in which they were set, later ones over earlier ones of the same key."""

    def __init__(self) -> None:
        self.items: list[tuple[Any, Any]] = []


class Call:
    """The result of ``callee(*args)``, what was put into it afterwards, and the state that it was given."""

    def __init__(self, callee: Any, args: Any):
        self.callee, self.args = callee, args
        self.items: list[tuple[Any, Any]] = []
        self.appended: list[Any] = []
        self.state: Any = None

    @property
    def name(self) -> str:
        return self.callee.full if isinstance(self.callee, Name) else ""


class Unread(NamedTuple):
    """A value that nothing here looks into, such as a number as text or a set."""

    kind: str
