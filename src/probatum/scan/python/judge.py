"""What a Python file does when it is imported, what its functions can do, and which data reaches where."""

from __future__ import annotations

import ast
import warnings

from probatum.scan.finding import quote
from probatum.scan.python.names import HARMLESS, QUIET, SINKS, kind_of, listed
from probatum.scan.python.resolve import Names
from probatum.scan.python.taint import Taint
from probatum.scan.python.units import Unit, at_import, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: (rule, message, line, trace)
    Problem: TypeAlias = tuple[str, str, int, tuple[str, ...]]

#: Kinds that act on the machine at once.
_HARD = ("run code", "start a process")
_CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class Broken(ValueError):
    """No Python that this interpreter can parse; ``args`` are the reason and the line."""


def judge(text: str) -> list[Problem]:
    """Every problem of a module, in the order of lines; [] if importing it can only bind constants.

    Raises
    ------
    Broken
        If it cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise Broken(error.msg, error.lineno or 0) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Broken(f"the parser ended in {type(error).__name__}", 0) from None
    if all(_inert(node) for node in tree.body):
        return []
    names, parts = Names(tree), units(tree)
    taint = Taint(parts, names)
    running = at_import(parts, {u.name: _called(u) for u in parts})
    out: list[Problem] = [("PYC001", _summary(tree, parts[0], names), 1, ())]
    kinds: dict[str, set[str]] = {}
    calls = [(u, n) for u in parts for n in u.nodes if isinstance(n, ast.Call)]
    for unit, node in calls:
        out += _call(node, unit, unit.name in running, names, taint, kinds.setdefault(unit.name, set()))
    for unit in parts:
        used = {n.attr for n in unit.nodes if isinstance(n, ast.Attribute)}
        if {"use the network", "start a process"} <= kinds.get(unit.name, set()) and used & {"dup2", "connect", "bind"}:
            line = min((n.lineno for u, n in calls if u is unit), default=1)
            out.append(("PYC004", "remote control: a connection whose input starts processes", line, ()))
    return sorted(out, key=lambda p: p[2])


def _inert(node: ast.stmt) -> bool:
    """A documentation string, pass, or a name bound to literals."""
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        plain = all(isinstance(t, ast.Name) for t in node.targets)
        kinds = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.Load)
        return plain and all(isinstance(n, kinds) for n in ast.walk(node.value))
    return False


def _called(unit: Unit) -> set[str]:
    """Names that a unit calls, decorates with, or hands to a call."""
    out: set[str] = set()
    for node in unit.nodes:
        if isinstance(node, ast.Call):
            for part in (node.func, *node.args, *(k.value for k in node.keywords)):
                if isinstance(part, ast.Name):
                    out.add(part.id)
                elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                    out.add(f"{part.value.id}.{part.attr}")
                    if part.value.id in ("self", "cls") or part is node.func:
                        out.add(f"{unit.owner}.{part.attr}")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out |= {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
    return out


def _summary(tree: ast.Module, top: Unit, names: Names) -> str:
    """What the top level imports and calls."""
    imported: dict[str, None] = {}
    for node in top.nodes:
        if isinstance(node, ast.Import):
            imported.update(dict.fromkeys(n.name for n in node.names))
        elif isinstance(node, ast.ImportFrom):
            imported["." * node.level + (node.module or "")] = None
    called = dict.fromkeys(filter(None, (names.dotted(n.func) for n in top.nodes if isinstance(n, ast.Call))))
    said = [f"imports {quote(', '.join(imported))}"] if imported else []
    said += [f"calls {quote(', '.join(called))}"] if called else []
    only = all(isinstance(n, _CLOSED) or _inert(n) for n in tree.body)
    said += ["only defines functions and classes"] if only and not called else []
    return f"importing it {' and '.join(said) or 'runs statements'}"


def _call(node: ast.Call, unit: Unit, running: bool, names: Names, taint: Taint, kinds: set[str]) -> list[Problem]:
    """Judge one call: a sink with or without data of a source, at import or in a function; or a computed name."""
    name = names.dotted(node.func)
    kind = kind_of(name, SINKS)
    when = "while it is imported" if running else f"in {unit.name or 'a function'}"
    computed = _computed(node, names)
    if computed:
        return [("PYC003" if running else "PYC005", f"{computed} {when}", node.lineno, ())]
    if not kind:
        known = not name or name in names.defined or listed(name, QUIET) or name.startswith("self.")
        if running and not unit.name and not known:
            return [("PYC002", f"calls {quote(name)} while it is imported", node.lineno, ())]
        return []
    if kind == "import by name" and node.args and names.text(node.args[0]) is not None and not running:
        return []
    kinds.add(kind)
    labels: set[str] = set()
    for argument in (*node.args, *(k.value for k in node.keywords)):
        labels |= taint.of(argument, unit)
    trace = (*sorted(labels), name) if labels else ()
    flow = _flow(kind, labels, name)
    if flow:
        said = f"{flow}: {quote(name)} gets data of {', '.join(sorted(labels))} {when}"
        return [("PYC004", said, node.lineno, trace)]
    shown = f"{quote(name)} can {kind} {when}"
    if running and kind in _HARD and not labels & {"file"}:
        command = names.text(node.args[0]) if node.args else None
        first = command.split()[0].rpartition("/")[2] if command and command.split() else ""
        label = " (proof of concept)" if first in HARMLESS else ""
        what = f" with {quote(command)}{label}" if command else ""
        return [("PYC003", shown + what, node.lineno, trace)]
    data = f", with data of {', '.join(sorted(labels))}" if labels else ""
    return [("PYC002" if running else "PYC005", shown + data, node.lineno, trace)]


def _flow(kind: str, labels: set[str], name: str) -> str:
    """The name of a behavior that no honest model file has, or ""."""
    if (kind in _HARD and "network" in labels) or (kind == "run code" and "download" in labels):
        return "download and run"
    if kind in _HARD and "decoded constant" in labels and not name.startswith("marshal."):
        return "hidden code"
    if name.startswith("marshal.") and labels & {"network", "decoded constant"}:
        return "hidden code"
    return "theft" if kind == "use the network" and "credentials" in labels else ""


def _computed(node: ast.Call, names: Names) -> str:
    """A function whose name is put together while running."""
    inner = node.func
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "getattr":
        of = names.dotted(inner.args[0]) if inner.args else ""
        module = of.partition(".")[0] in ("os", "sys", "subprocess", "builtins", "__builtins__", "importlib", "socket")
        if module and len(inner.args) > 1 and names.text(inner.args[1]) is None:
            return f"calls a function of {quote(of)} by a computed name"
    by_name = isinstance(inner, ast.Name) and inner.id == "__import__" and bool(node.args)
    if by_name and names.text(node.args[0]) is None:
        return "imports a module by a computed name"
    return ""
