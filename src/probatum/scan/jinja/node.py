"""The tree of a template."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


class Node:
    """``kind``, position, a value (a name, a constant, operators) and children.

    Expressions: const name attr item slice call filter test list tuple dict op cond named star.
    Statements: block text output if for set fill macro callblock filterblock with other.
    """

    __slots__ = ("kids", "kind", "pos", "value")

    def __init__(self, kind: str, pos: int, value: Any = None, kids: Sequence[Node] = ()) -> None:
        self.kind, self.pos, self.value, self.kids = kind, pos, value, list(kids)

    def walk(self) -> Iterator[Node]:
        """This node and all below, parents first, without recursion."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(reversed(node.kids))
