"""Is every name, call, filter and attribute of a template on the list of what a chat template may use?"""

from __future__ import annotations

from probatum.scan.finding import quote
from probatum.scan.jinja import allow
from probatum.scan.jinja.fold import fold
from probatum.scan.jinja.plain import is_plain, plain_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from probatum.scan.jinja.node import Node

    #: (rule, message, position)
    Problem: TypeAlias = tuple[str, str, int]


def judge(tree: Node) -> list[Problem]:
    """Every place that is not on the list, in the order of the text."""
    macros = {n.value for n in tree.walk() if n.kind == "macro"}
    safe = plain_names(tree)
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
    if value is not None or is_plain(index, safe):
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
