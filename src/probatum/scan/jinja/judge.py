"""Is every name, call, filter and attribute of a template on the list of what a chat template may use?"""

from __future__ import annotations

from probatum.scan.finding import quote
from probatum.scan.jinja import allow
from probatum.scan.jinja.fold import fold
from probatum.scan.jinja.node import Node
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: (rule, message, position)
    Problem: TypeAlias = tuple[str, str, int]

_ARITHMETIC = {"-", "*", "/", "//", "%", "neg"}
_LOOP = words("index index0 revindex revindex0 length depth depth0")
_WHERE = words("items keys")
#: Filters that give parts of what they get.
_SAME = words("items dictsort list reverse sort select reject selectattr rejectattr unique")


def judge(tree: Node) -> list[Problem]:
    """Every place that is not on the list, in the order of the text."""
    macros = {n.value for n in tree.walk() if n.kind == "macro"}
    safe = _plain_names(tree)
    out: list[Problem] = []
    for node in tree.walk():
        if node.kind == "attr":
            out += _attribute(node.value, node.pos)
        elif node.kind == "item":
            out += _item(node, safe)
        elif node.kind == "call":
            out += _call(node, macros)
        elif node.kind == "filter":
            out += _filter(node)
        elif node.kind == "test" and node.value not in allow.TESTS:
            out.append(("TPL002", f"uses the unknown test {quote(node.value)}", node.pos))
        elif node.kind == "name" and node.value.startswith("_") and node.value.strip("_"):
            out += [("TPL001", f"reaches for {quote(node.value)}", node.pos)] if "__" in node.value else []
        elif node.kind == "other":
            known = node.value in ("include", "import", "from", "extends")
            what = "loads another template" if known else "is unknown"
            out.append(("TPL002", f"the statement {quote(node.value)} {what}", node.pos))
        elif node.kind == "op" and "**" in node.value:
            out.append(("TPL005", "computes a power, which can take all memory", node.pos))
        elif node.kind == "const" and isinstance(node.value, int) and node.value > allow.LARGE:
            out.append(("TPL005", f"holds the number {quote(str(node.value))}", node.pos))
    return sorted(out, key=lambda p: p[2])


def _attribute(name: str, pos: int) -> list[Problem]:
    if name.startswith("_") or name in allow.INSIDE:
        return [("TPL001", f"reaches for the attribute {quote(name)}", pos)]
    return []


def _item(node: Node, safe: set[str]) -> list[Problem]:
    index = node.kids[1]
    if index.kind == "slice":
        return []
    value = fold(index)
    if isinstance(value, str):
        return _attribute(value, node.pos)
    if value is not None or _plain(index, safe):
        return []
    return [("TPL003", "looks an item up by a name that is computed", node.pos)]


def _call(node: Node, macros: set[str]) -> list[Problem]:
    called = node.kids[0]
    if called.kind == "name":
        if called.value in allow.CALLS or called.value in macros:
            return []
        return [("TPL002", f"calls {quote(called.value)}, which is not known", node.pos)]
    if called.kind != "attr":
        return [("TPL002", "calls what an expression gives", node.pos)]
    if called.value in ("format", "format_map"):
        text = fold(called.kids[0])
        if not isinstance(text, str):
            return [("TPL003", f"calls {called.value} on a text that is computed", node.pos)]
        if "." in text or "[" in text or "__" in text:
            fields = [f for f in text.replace("{{", "").split("{")[1:] if set(".[_") & set(f.partition("}")[0])]
            return [("TPL001", f"formats with a field that reaches inside: {quote(text)}", node.pos)] if fields else []
        return []
    if called.value in allow.METHODS or called.value.startswith("_"):
        return []  # the attribute itself is judged on its own
    if called.kids[0].kind == "name" and called.kids[0].value in macros:
        return []
    return [("TPL002", f"calls the method {quote(called.value)}, which is not known", node.pos)]


def _filter(node: Node) -> list[Problem]:
    name, arguments = node.value, node.kids[1:]
    if name == "attr":
        value = fold(arguments[0]) if arguments else None
        if not isinstance(value, str):
            return [("TPL003", "reads an attribute by a name that is computed", node.pos)]
        return _attribute(value, node.pos)
    if name not in allow.FILTERS:
        return [("TPL002", f"uses the unknown filter {quote(name)}", node.pos)]
    if name not in allow.ATTRIBUTE:
        return []
    out: list[Problem] = []
    named = [a.kids[0] for a in arguments if a.kind == "named" and a.value == "attribute"]
    plain = [a for a in arguments if a.kind not in ("named", "star")]
    if any(a.kind == "star" for a in arguments):
        out.append(("TPL003", f"hands computed arguments to the filter {quote(name)}", node.pos))
    if 0 <= allow.ATTRIBUTE[name] < len(plain):
        named.append(plain[allow.ATTRIBUTE[name]])
    if name == "map" and plain:
        inner = fold(plain[0])
        if inner == "attr":
            named += plain[1:2]
        elif not isinstance(inner, str) or inner not in allow.FILTERS:
            out.append(("TPL002", "maps with a filter that is not known", node.pos))
        elif inner in ("join", "sum", "min", "max", "selectattr", "rejectattr", "groupby", "sort", "unique", "map"):
            named += plain[1:]
    for part in named:
        value = fold(part)
        if isinstance(value, str):
            for piece in value.replace(",", ".").split("."):
                out += _attribute(piece, node.pos)
        elif (not isinstance(value, int) and value is not None) or (value is None and part.kind != "const"):
            out.append(("TPL003", f"the filter {quote(name)} reads an attribute by a computed name", node.pos))
    return out


def _plain_names(tree: Node) -> set[str]:
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
        worse = {n for n in safe for v, loop in given.get(n, ()) if not (_walked(v, safe) if loop else _plain(v, safe))}
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
        return all(_plain(k, safe) for k in node.kids)
    if node.kind == "call" and node.kids[0].kind == "name":
        return bool(node.kids[0].value == "range")
    if node.kind == "call" and node.kids[0].kind == "attr":
        return node.kids[0].value in _WHERE and _plain(node.kids[0].kids[0], safe)
    if node.kind == "filter" and node.value in _SAME:
        return _walked(node.kids[0], safe)
    return node.kind in ("name", "attr", "item") and _plain(node, safe)


def _plain(node: Node, safe: set[str]) -> bool:
    """Is this a number, a constant without underscore, or data from outside, but never a text that is put together?"""
    value = fold(node)
    if isinstance(value, str):
        return not value.startswith("_") and value not in allow.INSIDE and "__" not in value
    if value is not None or node.kind in ("const", "test"):
        return True
    if node.kind in ("dict", "list", "tuple"):
        return all(_plain(k, safe) for k in node.kids)
    if node.kind == "name":
        return node.value in safe
    if node.kind == "attr":
        inside = node.kids[0].kind == "name" and node.kids[0].value == "loop"
        return node.value in _LOOP if inside else "." + node.value in safe
    if node.kind == "op":
        if set(node.value) <= _ARITHMETIC:
            return not any(isinstance(fold(k), str) or k.kind == "cond" for k in node.kids)
        if set(node.value) <= {"+", "-"}:
            return any(_number(k) for k in node.kids) and all(_plain(k, safe) for k in node.kids)
        if set(node.value) <= {"or", "and"}:
            return all(_plain(k, safe) for k in node.kids)
        return "~" not in node.value
    if node.kind == "filter":
        if node.value in ("length", "count", "int", "abs"):
            return True
        return node.value in ("first", "last", "min", "max", "lower", "trim") and _plain(node.kids[0], safe)
    if node.kind == "cond":
        return all(_plain(k, safe) for k in node.kids[1:])
    if node.kind == "item":
        return _plain(node.kids[0], safe)
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
