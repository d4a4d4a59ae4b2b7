"""The parts of a module: its top level, what only runs as a program, and every function."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Unit:
    """Nodes that run together. ``name`` is "" for the top level, "__main__" for what runs as a program only."""

    def __init__(self, name: str, parent: Unit | None, function: Function | None = None) -> None:
        self.name, self.parent, self.function = name, parent, function
        self.nodes: list[ast.AST] = []
        self.owner = ""  # the class around a method


def units(tree: ast.Module) -> list[Unit]:
    """Every unit of a module, the top level first. Bodies of classes, decorators and defaults belong outside."""
    top = Unit("", None)
    out = [top]
    todo: list[tuple[ast.AST, Unit, str]] = [(node, top, "") for node in reversed(tree.body)]
    while todo:
        node, unit, owner = todo.pop()
        unit.nodes.append(node)
        if isinstance(node, _FUNCTIONS):
            inner = Unit(f"{owner}.{node.name}" if owner else node.name, unit, node)
            inner.owner = owner
            out.append(inner)
            todo += [(child, inner, "") for child in reversed(node.body)]
            outside: list[ast.AST] = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]  # type: ignore[list-item]
            todo += [(child, unit, owner) for child in outside if child is not None]
        elif isinstance(node, ast.If) and _is_main(node.test) and unit is top:
            inner = Unit("__main__", top)
            out.append(inner)
            todo += [(child, inner, "") for child in reversed(node.body)]
            todo += [(child, unit, owner) for child in reversed(node.orelse)]
        else:
            name = node.name if isinstance(node, ast.ClassDef) else owner
            todo += [(child, unit, name) for child in reversed(list(ast.iter_child_nodes(node)))]
    return out


def _is_main(test: ast.expr) -> bool:
    """``__name__ == "__main__"``"""
    if not isinstance(test, ast.Compare) or len(test.comparators) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(s, ast.Name) and s.id == "__name__" for s in sides) and any(
        isinstance(s, ast.Constant) and s.value == "__main__" for s in sides
    )


def at_import(parts: list[Unit], calls: dict[str, set[str]]) -> set[str]:
    """Names of the units that run while the module is imported: the top level and what it calls or hands on."""
    known = {u.name for u in parts}
    methods: dict[str, set[str]] = {}
    for unit in parts:
        if unit.owner:
            methods.setdefault(unit.owner, set()).add(unit.name)
    running, todo = {""}, [""]
    while todo:
        for called in calls.get(todo.pop(), ()):
            starts = {called} if called in known else {m for m in methods.get(called, ()) if m.endswith("__")}
            starts |= {m for m in known if "." in called and m == called}
            todo += starts - running
            running |= starts
    return running
