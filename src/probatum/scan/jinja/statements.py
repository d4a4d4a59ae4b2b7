"""Statements of Jinja: from a whole template to its tree."""

from __future__ import annotations

from probatum.scan.jinja.expressions import DEEPEST, Reader
from probatum.scan.jinja.lexer import Unreadable, tokens
from probatum.scan.jinja.node import Node


def parse(text: str) -> Node:
    """The tree of a template.

    Raises
    ------
    Unreadable
        If it does not follow the grammar; ``args`` are the reason and the position.
    """
    reader = Reader(tokens(text))
    body, _ = _body(reader, ())
    return body


def _body(reader: Reader, ends: tuple[str, ...]) -> tuple[Node, str]:
    """Everything up to one of the closing statements, and which one it was (its name is taken, its end is not)."""
    reader.depth += 1
    if reader.depth > DEEPEST:
        raise Unreadable(f"nested deeper than {DEEPEST}", reader.pos)
    body = Node("block", reader.pos)
    while reader.at < len(reader.tokens):
        pos = reader.pos
        if reader.peek("text"):
            body.kids.append(Node("text", pos, reader.take("text")))
        elif reader.skip("begin", "{{"):
            body.kids.append(Node("output", pos, None, [reader.tuple()]))
            reader.take("end")
        else:
            reader.take("begin", "{%")
            name = reader.take("name")
            if name in ends:
                reader.depth -= 1
                return body, name
            body.kids.append(_statement(reader, name, pos))
            reader.take("end")
    if ends:
        raise Unreadable(f"{ends[-1]} is missing", reader.pos)
    reader.depth -= 1
    return body, ""


def _until(reader: Reader, end: str) -> Node:
    """The body behind the head of a statement, up to its end."""
    reader.take("end")
    body, _ = _body(reader, (end,))
    reader.skip("name")  # "endblock name"
    return body


def _statement(reader: Reader, name: str, pos: int) -> Node:
    if name == "if":
        return _if(reader, pos)
    if name == "for":
        return _for(reader, pos)
    if name == "set":
        target = reader.tuple()
        if reader.skip("op", "="):
            return Node("set", pos, None, [target, reader.tuple()])
        target = reader.filters(target)
        return Node("fill", pos, None, [target, _until(reader, "endset")])
    if name == "macro":
        called = reader.take("name")
        kids = reader.arguments()
        return Node("macro", pos, called, [*kids, _until(reader, "endmacro")])
    if name == "call":
        kids = reader.arguments() if reader.peek("op", "(") else []
        return Node("callblock", pos, None, [*kids, reader.expression(), _until(reader, "endcall")])
    if name == "filter":
        first = reader.filters(reader.filter(Node("const", pos, "")))
        return Node("filterblock", pos, None, [first, _until(reader, "endfilter")])
    if name == "with":
        kids = []
        while not reader.peek("end"):
            target = reader.expression()
            reader.take("op", "=")
            kids.append(Node("set", pos, None, [target, reader.expression()]))
            if not reader.skip("op", ","):
                break
        return Node("block", pos, None, [*kids, _until(reader, "endwith")])
    if name in ("generation", "block"):
        if name == "block":
            reader.take("name")
        return _until(reader, f"end{name}")
    if name in ("break", "continue"):
        return Node("block", pos)
    if name == "do":
        return Node("block", pos, None, [Node("filterblock", pos, None, [reader.tuple()])])
    while not reader.peek("end") and reader.at < len(reader.tokens):
        reader.at += 1
    return Node("other", pos, name)


def _if(reader: Reader, pos: int) -> Node:
    """Children: condition, body, condition, body, …, and the body of else."""
    node = Node("if", pos, None, [reader.tuple()])
    while True:
        reader.take("end")
        body, end = _body(reader, ("elif", "else", "endif"))
        node.kids.append(body)
        if end == "endif":
            return node
        if end == "else":
            reader.take("end")
            node.kids.append(_body(reader, ("endif",))[0])
            return node
        node.kids.append(reader.tuple())


def _for(reader: Reader, pos: int) -> Node:
    """Children: target, what is walked through, the condition (or a constant True), body, body of else."""
    target = _target(reader)
    reader.take("name", "in")
    over = reader._or()
    wanted = reader.expression() if reader.skip("name", "if") else Node("const", pos, True)
    reader.skip("name", "recursive")
    reader.take("end")
    body, end = _body(reader, ("else", "endfor"))
    kids = [target, over, wanted, body]
    if end == "else":
        reader.take("end")
        kids.append(_body(reader, ("endfor",))[0])
    return Node("for", pos, None, kids)


def _target(reader: Reader) -> Node:
    """The names in front of "in"."""
    pos, opened = reader.pos, reader.skip("op", "(")
    names = [Node("name", reader.pos, reader.take("name"))]
    while reader.skip("op", ","):
        if reader.peek("name") and not reader.peek("name", "in"):
            names.append(Node("name", reader.pos, reader.take("name")))
    if opened:
        reader.take("op", ")")
    return names[0] if len(names) == 1 else Node("tuple", pos, None, names)
