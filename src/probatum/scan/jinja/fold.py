"""Constant texts of a template, however they are put together."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from probatum.scan.jinja.node import Node

LONGEST = 10_000
_PLAIN: dict[str, Callable[[str], str]] = {
    "lower": str.lower, "upper": str.upper, "trim": str.strip, "string": str, "capitalize": str.capitalize,
    "safe": str, "e": str, "escape": str,
}  # fmt: skip


def fold(node: Node) -> Any:
    """The value of a constant expression, or None."""
    if node.kind == "const":
        return node.value
    if node.kind == "op" and set(node.value) <= {"~", "+"}:
        parts = [fold(k) for k in node.kids]
        if all(isinstance(p, str) for p in parts):
            return "".join(parts)[:LONGEST]
    if node.kind == "filter" and len(node.kids) <= 2:
        return _filter(node)
    if node.kind == "item" and node.kids[1].kind == "slice":
        inner, parts = fold(node.kids[0]), [fold(k) for k in node.kids[1].kids]
        return inner[::-1] if isinstance(inner, str) and parts in ([None], [-1]) else None
    return None


def _filter(node: Node) -> Any:
    first = node.kids[0]
    if node.value == "join" and first.kind in ("list", "tuple"):
        parts = [fold(k) for k in first.kids]
        between = fold(node.kids[1]) if len(node.kids) == 2 else ""
        if all(isinstance(p, str) for p in [*parts, between]):
            return str(between).join(parts)[:LONGEST]
        return None
    inner = fold(first)
    if not isinstance(inner, str) or len(node.kids) != 1:
        return None
    if node.value == "reverse":
        return inner[::-1]
    return _PLAIN[node.value](inner) if node.value in _PLAIN else None
