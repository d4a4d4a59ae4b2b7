"""Which names and expressions can never be a text that is put together: those may be used to look an item up."""

from __future__ import annotations

from probatum.scan.jinja import allow
from probatum.scan.jinja.fold import fold
from probatum.scan.jinja.node import Node
from probatum.scan.words import words

_ARITHMETIC = {"-", "*", "/", "//", "%", "neg"}
_LOOP = words("index index0 revindex revindex0 length depth depth0")
_WHERE = words("items keys")
#: Filters that give parts of what they get.
_SAME = words("items dictsort list reverse sort select reject selectattr rejectattr unique")


def plain_names(tree: Node) -> set[str]:
    """Names that may be an index: given from outside, numbers, keys of data, or constant texts without underscore."""
    given: dict[str, list[tuple[Node, bool]]] = {}
    for node in tree.walk():
        if node.kind == "set":
            for target in [node.kids[0], *node.kids[0].kids]:
                if target.kind == "name":
                    given.setdefault(target.value, []).append((node.kids[1], False))
                elif target.kind == "attr":
                    given.setdefault("." + target.value, []).append((node.kids[1], False))
        elif node.kind == "for":
            for target in [node.kids[0], *node.kids[0].kids]:
                if target.kind == "name":
                    given.setdefault(target.value, []).append((node.kids[1], True))
        elif node.kind == "fill":
            given.setdefault(str(node.kids[0].value), []).append((node, False))
        elif node.kind == "call":
            for argument in node.kids[1:]:
                if argument.kind == "named":
                    given.setdefault("." + argument.value, []).append((argument.kids[0], False))
        elif node.kind == "callblock":
            for part in node.kids[:-2]:
                given.setdefault(str(part.value), []).append((node, False))
    _parameters(tree, given)
    safe = set(given)
    names = {n.value for n in tree.walk() if n.kind == "name"} | {
        "." + n.value for n in tree.walk() if n.kind == "attr"
    }
    safe |= names
    for _ in range(100):
        worse = {
            n for n in safe for v, loop in given.get(n, ()) if not (_walked(v, safe) if loop else is_plain(v, safe))
        }
        if not worse:
            return safe
        safe -= worse
    return set()


def _parameters(tree: Node, given: dict[str, list[tuple[Node, bool]]]) -> None:
    """Parameters of macros hold their defaults and what the macro is called with; one that is handed on, anything."""
    macros = {n.value: n.kids[:-1] for n in tree.walk() if n.kind == "macro"}
    called = {id(n.kids[0]) for n in tree.walk() if n.kind == "call"}
    loose = {n.value for n in tree.walk() if n.kind == "name" and n.value in macros and id(n) not in called}
    for name, parameters in macros.items():
        for part in parameters:
            values = [(part.kids[0], False)] if part.kind == "named" else []
            given.setdefault(str(part.value), []).extend([(Node("block", 0), False)] if name in loose else values)
    for node in tree.walk():
        if node.kind != "call" or node.kids[0].value not in macros or node.kids[0].kind != "name":
            continue
        parameters = macros[node.kids[0].value]
        for n, argument in enumerate(node.kids[1:]):
            if argument.kind == "named":
                given.setdefault(argument.value, []).append((argument.kids[0], False))
            elif argument.kind == "star":
                for part in parameters:
                    given.setdefault(str(part.value), []).append((Node("block", 0), False))
            elif n < len(parameters):
                given.setdefault(str(parameters[n].value), []).append((argument, False))


def _walked(node: Node, safe: set[str]) -> bool:
    """Are the parts of what a loop walks through safe as an index? Texts give characters, so they are not."""
    if node.kind in ("list", "tuple"):
        return all(is_plain(k, safe) for k in node.kids)
    if node.kind == "call" and node.kids[0].kind == "name":
        return bool(node.kids[0].value == "range")
    if node.kind == "call" and node.kids[0].kind == "attr":
        return node.kids[0].value in _WHERE and is_plain(node.kids[0].kids[0], safe)
    if node.kind == "filter" and node.value in _SAME:
        return _walked(node.kids[0], safe)
    return node.kind in ("name", "attr", "item") and is_plain(node, safe)


def is_plain(node: Node, safe: set[str]) -> bool:
    """Is this a number, a constant without underscore, or data from outside, but never a text that is put together?"""
    value = fold(node)
    if isinstance(value, str):
        return not value.startswith("_") and value not in allow.INSIDE and "__" not in value
    if value is not None or node.kind in ("const", "test"):
        return True
    if node.kind in ("dict", "list", "tuple"):
        return all(is_plain(k, safe) for k in node.kids)
    if node.kind == "name":
        return node.value in safe
    if node.kind == "attr":
        inside = node.kids[0].kind == "name" and node.kids[0].value == "loop"
        return node.value in _LOOP if inside else "." + node.value in safe
    if node.kind == "op":
        if set(node.value) <= _ARITHMETIC:
            return not any(isinstance(fold(k), str) or k.kind == "cond" for k in node.kids)
        if set(node.value) <= {"+", "-"}:
            return any(_number(k) for k in node.kids) and all(is_plain(k, safe) for k in node.kids)
        if set(node.value) <= {"or", "and"}:
            return all(is_plain(k, safe) for k in node.kids)
        return "~" not in node.value
    if node.kind == "filter":
        if node.value in ("length", "count", "int", "abs"):
            return True
        return node.value in ("first", "last", "min", "max", "lower", "trim") and is_plain(node.kids[0], safe)
    if node.kind == "cond":
        return all(is_plain(k, safe) for k in node.kids[1:])
    if node.kind == "item":
        return is_plain(node.kids[0], safe)
    return node.kind == "call" and node.kids[0].kind == "name" and node.kids[0].value == "namespace"


def _number(node: Node) -> bool:
    """Surely a number?"""
    if node.kind == "attr":
        return node.kids[0].kind == "name" and node.kids[0].value == "loop" and node.value in _LOOP
    if node.kind == "filter":
        return node.value in ("length", "count", "int")
    if node.kind == "op":
        return all(_number(k) for k in node.kids) and "~" not in node.value
    return isinstance(fold(node), (int, float)) and not isinstance(fold(node), bool)
