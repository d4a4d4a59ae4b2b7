"""Which data reaches which name: labels of sources along assignments, calls and returns within one module."""

from __future__ import annotations

import ast

from probatum.scan.python.names import CLEAN, SECRET, SOURCES, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.python.resolve import Names
    from probatum.scan.python.units import Unit

PASSES = 6


class Taint:
    """Labels by (unit, name); attributes of any object by (".", name); what functions give by ("return", name)."""

    def __init__(self, parts: list[Unit], names: Names) -> None:
        self.names, self.labels = names, dict[tuple[str, str], set[str]]()
        self.functions = {u.name.rpartition(".")[2]: u for u in parts if u.function is not None}
        self.steps = 0
        for _ in range(PASSES):
            before = sum(map(len, self.labels.values()))
            for unit in parts:
                for node in unit.nodes:
                    self._node(node, unit)
            if sum(map(len, self.labels.values())) == before:
                break

    def _add(self, key: tuple[str, str], labels: set[str]) -> None:
        if labels:
            self.labels.setdefault(key, set()).update(labels)

    def _node(self, node: ast.AST, unit: Unit) -> None:
        if isinstance(node, ast.Assign):
            labels = self.of(node.value, unit)
            for target in node.targets:
                self._assign(target, labels, unit)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            self._assign(node.target, self.of(node.value, unit), unit)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._assign(node.target, self.of(node.iter, unit), unit)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assign(node.optional_vars, self.of(node.context_expr, unit), unit)
        elif isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
            self._add(("return", unit.name.rpartition(".")[2]), self.of(node.value, unit))
        elif isinstance(node, ast.Call):
            self._call(node, unit)

    def _call(self, node: ast.Call, unit: Unit) -> None:
        """Arguments of a call within the module reach the parameters; what is appended reaches the list."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Attribute) and name in ("append", "extend", "update", "write", "add", "insert"):
            self._assign(node.func.value, set().union(*(self.of(a, unit) for a in node.args)), unit)
        called = self.functions.get(name)
        if called is None or called.function is None:
            return
        parameters = [a.arg for a in (*called.function.args.posonlyargs, *called.function.args.args)]
        parameters = parameters[1:] if called.owner and parameters[:1] == ["self"] else parameters
        for parameter, argument in zip(parameters, node.args, strict=False):
            self._add((called.name, parameter), self.of(argument, unit))
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._add((called.name, keyword.arg), self.of(keyword.value, unit))

    def _assign(self, target: ast.AST, labels: set[str], unit: Unit) -> None:
        for part in ast.walk(target):
            if isinstance(part, ast.Name):
                self._add((unit.name, part.id), labels)
            elif isinstance(part, ast.Attribute):
                self._add((".", part.attr), labels)
                return

    def of(self, node: ast.AST, unit: Unit) -> set[str]:
        """Labels of every source that an expression holds."""
        out: set[str] = set()
        for part in self._parts(node):
            self.steps += 1
            if isinstance(part, ast.Name):
                out |= self._look(part.id, unit)
            elif isinstance(part, ast.Attribute):
                out |= self.labels.get((".", part.attr), set())
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                if len(part.value) < 500 and any(mark in part.value for mark in SECRET):
                    out.add("credentials")
                continue
            elif isinstance(part, ast.Call):
                called = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
                out |= self.labels.get(("return", called), set()) if called in self.functions else set()
                if called in ("recv", "recvfrom"):
                    out.add("network")
            if isinstance(part, (ast.Name, ast.Attribute)) and (name := self.names.dotted(part)):
                label = kind_of(name, SOURCES)
                out |= {label} if label else set()
        if self._whole_environment(node):
            out.add("credentials")
        return out

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        """All parts, without those whose content does not go on."""
        todo = [node]
        while todo:
            part = todo.pop()
            yield part
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in CLEAN:
                continue
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            todo.extend(ast.iter_child_nodes(part))

    def _look(self, name: str, unit: Unit | None) -> set[str]:
        while unit is not None:
            if (unit.name, name) in self.labels:
                return self.labels[unit.name, name]
            unit = unit.parent
        return set()

    def _whole_environment(self, node: ast.AST) -> bool:
        """``os.environ`` as a whole, not one variable of it."""
        inner: set[int] = set()
        for part in self._parts(node):
            if isinstance(part, (ast.Subscript, ast.Attribute)):
                inner.add(id(part.value))
            if isinstance(part, ast.Attribute) and self.names.dotted(part) in ("os.environ.items", "os.environ.copy"):
                return True
            whole = isinstance(part, (ast.Attribute, ast.Name)) and id(part) not in inner
            if whole and self.names.dotted(part) == "os.environ":
                return True
        return False
