"""What a name in a module stands for, as far as imports, simple assignments and constants say."""

from __future__ import annotations

import ast

LONGEST = 10_000
_IMPORTS = ("__import__", "importlib.import_module", "builtins.__import__", "importlib.__import__")


class Names:
    """Aliases of a module: from imports and from assignments of dotted names, wherever they stand."""

    def __init__(self, tree: ast.Module) -> None:
        self.alias: dict[str, str] = {}
        self.texts: dict[str, str | None] = {}
        self.defined: set[str] = set()
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for one in node.names:
                    root = one.name.partition(".")[0]
                    self.alias[one.asname or root] = one.name if one.asname else root
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                for one in node.names:
                    self.alias[one.asname or one.name] = f"{base}.{one.name}"
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.defined.add(node.name)
        pairs = [
            (node.targets[0].id, node.value)
            for node in nodes
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ]
        for name, value in pairs:  # a text that is assigned once is a constant
            text = self.text(value)
            self.texts[name] = text if name not in self.texts or self.texts[name] == text else None
        for _ in range(2):
            for name, value in pairs:
                dotted = self.dotted(value)
                kinds = isinstance(value, (ast.Attribute, ast.Subscript)) or dotted in BUILTINS
                imported = isinstance(value, ast.Call) and (self._import(value) or self._getattr(value))
                if dotted and (kinds or imported):
                    self.alias.setdefault(name, dotted)

    def dotted(self, node: ast.AST) -> str:
        """The dotted name of an expression, or ""."""
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Name):
                root = self.alias.get(node.id, "" if node.id in self.defined else node.id)
                return ".".join([root, *reversed(parts)]) if root else ""
            elif isinstance(node, ast.Subscript) and (key := self.text(node.slice)):
                holder = self.dotted(node.value)
                if holder in ("globals", "locals", "__builtins__", "builtins.__dict__", "__builtins__.__dict__"):
                    return ".".join([key, *reversed(parts)])
                if holder == "sys.modules":
                    return ".".join([key, *reversed(parts)])
                return ""
            elif isinstance(node, ast.Call):
                if (imported := self._import(node)) or (imported := self._getattr(node)):
                    return ".".join([imported, *reversed(parts)])
                if self.dotted(node.func) in ("globals", "locals", "vars") and not node.args:
                    return "globals" if not parts else ""
                return ""
            else:
                return ""

    def _import(self, node: ast.Call) -> str:
        """The module that ``__import__("x")`` gives."""
        if node.args and isinstance(node.func, (ast.Name, ast.Attribute)) and self.dotted(node.func) in _IMPORTS:
            return self.text(node.args[0]) or ""
        return ""

    def _getattr(self, node: ast.Call) -> str:
        """The dotted name that ``getattr(module, "x")`` gives."""
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) >= 2:
            of, name = self.dotted(node.args[0]), self.text(node.args[1])
            return f"{of}.{name}".removeprefix("__builtins__.").removeprefix("builtins.") if of and name else ""
        return ""

    def text(self, node: ast.AST) -> str | None:
        """The text of a constant expression, however it is put together; None if it is not constant."""
        if isinstance(node, ast.Constant):
            value = node.value
            return value if isinstance(value, str) else value.decode("latin1") if isinstance(value, bytes) else None
        if isinstance(node, ast.Name):
            return self.texts.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left), self.text(node.right)
            return (left + right)[:LONGEST] if left is not None and right is not None else None
        if isinstance(node, ast.JoinedStr):
            parts = [self.text(v.value if isinstance(v, ast.FormattedValue) else v) for v in node.values]
            return "".join(p for p in parts if p)[:LONGEST] if None not in parts else None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            inner, step = self.text(node.value), node.slice.step
            back = isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
            return inner[::-1] if inner is not None and back and not node.slice.lower and not node.slice.upper else None
        if isinstance(node, ast.Call):
            return self._call(node)
        return None

    def _call(self, node: ast.Call) -> str | None:
        """``chr(111)``, ``"".join([...])``, ``"x".replace(a, b)``, ``"x".lower()``, ``b"x".decode()``."""
        if isinstance(node.func, ast.Name) and node.func.id == "chr" and len(node.args) == 1:
            number = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            return chr(number) if isinstance(number, int) and 0 <= number < 0x110000 else None
        if not isinstance(node.func, ast.Attribute):
            return None
        inner = self.text(node.func.value)
        if inner is None:
            return None
        if node.func.attr == "join" and len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple)):
            parts = [self.text(e) for e in node.args[0].elts]
            return inner.join(p or "" for p in parts)[:LONGEST] if None not in parts else None
        if node.func.attr == "replace" and len(node.args) == 2:
            old, new = self.text(node.args[0]), self.text(node.args[1])
            return inner.replace(old, new)[:LONGEST] if old and new is not None else None
        if node.func.attr in ("lower", "upper", "strip", "decode", "encode"):
            return getattr(inner, node.func.attr)() if node.func.attr in ("lower", "upper", "strip") else inner
        return None


BUILTINS = ("exec", "eval", "compile", "open", "__import__", "getattr", "input")
