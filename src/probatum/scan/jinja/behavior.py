"""What a template adds to a conversation because of what was said in it (P084, and behavioral template backdoors).

Honest templates branch on who speaks, where in the conversation, and on what kind a value is. A template that looks
into the text of a message, or at the date, and then writes sentences of its own, changes what the model is told in
cases that its author chose.
"""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.jinja import allow
from probatum.scan.jinja.fold import fold
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.jinja.judge import Problem
    from probatum.scan.jinja.node import Node

#: Keys under which the words of a conversation lie.
SAID = words("content text reasoning_content prompt query question arguments")
WHOLE = words("messages message conversation")
#: Fewer words than this are marks of the format.
WORDS = 3
_MARK = re.compile(r"<[^<>]{1,60}>|\[[^\[\]]{1,60}\]|\{[^{}]*\}")
_WORD = re.compile(r"[^\W\d_]{2,}")


def behavior(tree: Node) -> list[Problem]:
    """Sentences under conditions on what was said or on the date, and words of a message that are replaced."""
    said, chosen = _names(tree)
    out: list[Problem] = []
    todo: list[tuple[Node, str]] = [(tree, "")]
    while todo:
        node, under = todo.pop()
        if node.kind in ("if", "cond"):
            todo += _branches(node, under, said, chosen)
            continue
        if under and (text := _sentence(node)):
            out.append(("TPL006", f"adds {quote(text)} when {under}", node.pos))
        if swap := _swap(node, said):
            out.append(("TPL007", f"replaces words of a message: {swap}", node.pos))
        if node.kind == "for" and (why := _looks(node.kids[2], said, chosen)):
            todo += [(kid, why) for kid in node.kids]
        elif node.kind == "call" and node.kids[0].kind == "name" and node.kids[0].value == "raise_exception":
            continue  # an error message is not told to the model
        else:
            todo += [(kid, under) for kid in node.kids]
    return sorted(out, key=lambda p: p[2])


def _branches(node: Node, under: str, said: set[str], chosen: set[str]) -> Iterator[tuple[Node, str]]:
    """The bodies of if and of conditional expressions, with the reason that leads there."""
    if node.kind == "cond":
        why = under or _looks(node.kids[0], said, chosen)
        yield node.kids[0], under
        yield from ((kid, why) for kid in node.kids[1:])
        return
    why = under
    for n, kid in enumerate(node.kids):
        if n % 2 == 0 and n + 1 < len(node.kids):
            why = why or _looks(kid, said, chosen)
            yield kid, under
        else:
            yield kid, why


def _sentence(node: Node) -> str:
    """Text of the template that reads like words, not like marks of a format."""
    text = node.value if node.kind in ("text", "const") else None
    if not isinstance(text, str):
        return ""
    return " ".join(text.split()) if len(_WORD.findall(_MARK.sub(" ", text))) >= WORDS else ""


def _swap(node: Node, said: set[str]) -> str:
    """The replacement of a word by another one, in the text of a message."""
    method = node.kind == "call" and node.kids[0].kind == "attr" and node.kids[0].value == "replace"
    if not method and not (node.kind == "filter" and node.value == "replace"):
        return ""
    of, arguments = (node.kids[0].kids[0] if method else node.kids[0]), node.kids[1:3]
    if len(arguments) < 2 or not _says(of, said):
        return ""
    old, new = fold(arguments[0]), fold(arguments[1])
    if not isinstance(old, str) or not isinstance(new, str):
        return ""
    plain = [_WORD.findall(_MARK.sub(" ", t)) for t in (old, new)]
    return f"{quote(old)} by {quote(new)}" if plain[1] and (plain[0] or len(plain[1]) >= WORDS) else ""


def _says(node: Node, said: set[str]) -> bool:
    """Does an expression hold words of the conversation?"""
    for part in node.walk():
        if part.kind == "attr" and (part.value in SAID or "." + part.value in said):
            return True
        if part.kind == "item" and fold(part.kids[1]) in SAID:
            return True
        if part.kind == "name" and part.value in said:
            return True
        if (
            part.kind == "filter"
            and part.value in ("string", "tojson", "join", "map", "pprint")
            and any(n.kind == "name" and n.value in WHOLE for n in part.walk())
        ):
            return True
    return False


def _looks(node: Node, said: set[str], chosen: set[str]) -> str:
    """Why a condition depends on what was said, or on the date; "" if it does not."""
    for part in node.walk():
        if part.kind == "call" and part.kids[0].kind == "name" and part.kids[0].value == "strftime_now":
            return "the date is a certain one"
        if (part.kind == "name" and part.value in chosen) or (part.kind == "attr" and "." + part.value in chosen):
            return "a condition on what was said held before"
        if _compares(part) and _says(part, said):
            return "a message says something certain" + _shown(part)
    return ""


def _compares(node: Node) -> bool:
    """An operation that asks what a text says, not whether there is one."""
    if node.kind == "op" and {"==", "!=", "in", "not in", "<", ">", "<=", ">="} & set(node.value):
        lengths = any(k.kind == "filter" and k.value in ("length", "count") for k in node.kids)
        fields = any(fold(k) in SAID for k in node.kids) and "in" in {w[-2:] for w in node.value}
        return (
            not lengths
            and not fields
            and not any(fold(k) == "" or (k.kind == "const" and k.value is None) for k in node.kids)
        )
    if node.kind == "call" and node.kids[0].kind == "attr":
        return node.kids[0].value not in ("strip", "get", "items", "keys", "values", "lstrip", "rstrip")
    if node.kind == "test":
        return node.value not in allow.KIND_TESTS
    return node.kind == "filter" and node.value not in allow.KIND_FILTERS


def _shown(node: Node) -> str:
    texts = [n.value for n in node.walk() if n.kind == "const" and isinstance(n.value, str)]
    texts = [t for t in texts if t not in SAID and t.strip()]
    return f" ({quote(texts[0])})" if texts else ""


def _names(tree: Node) -> tuple[set[str], set[str]]:
    """Names that hold what was said, and names that are set under a condition on it."""
    said: set[str] = set()
    chosen: set[str] = set()
    for _ in range(4):
        before = len(said) + len(chosen)
        todo: list[tuple[Node, str]] = [(tree, "")]
        while todo:
            node, under = todo.pop()
            if node.kind in ("set", "for", "fill") and node.kids:
                over = node.kids[1]
                names = [n for n in node.kids[0].walk() if n.kind in ("name", "attr")][:8]
                keys = {("." if n.kind == "attr" else "") + n.value for n in names}
                if node.kids[0].kind == "attr":
                    keys = {"." + node.kids[0].value}
                if node.kind != "fill" and _says(over, said):
                    said |= keys
                if under and node.kind != "for":
                    chosen |= keys
                why = _looks(over, said, chosen) if node.kind == "set" else ""
                chosen |= keys if why and over.kind in ("op", "test", "cond") else set()
            if node.kind in ("if", "cond"):
                todo += _branches(node, under, said, chosen)
            else:
                todo += [(kid, under) for kid in node.kids]
        if len(said) + len(chosen) == before:
            break
    return said, chosen
