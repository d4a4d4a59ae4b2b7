"""Expressions of Jinja, by descent: conditional, or, and, not, compare, arithmetic, unary, postfix."""

from __future__ import annotations

from probatum.scan.jinja.lexer import Unreadable
from probatum.scan.jinja.node import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from probatum.scan.jinja.lexer import Token

DEEPEST = 60
LONGEST = 400
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
#: Names that may not follow "is NAME" as an argument without brackets.
_NO_ARGUMENT = ("else", "or", "and", "if", "is", "in", "not")


class Reader:
    """A position in a list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    @property
    def pos(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)][2] if self.tokens else 0

    def peek(self, kind: str, *values: Any) -> bool:
        """Is the next token of this kind, and one of these?"""
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token[0] == kind and (not values or token[1] in values)

    def skip(self, kind: str, *values: Any) -> bool:
        """Step over the next token if it is this."""
        found = self.peek(kind, *values)
        self.at += found
        return found

    def take(self, kind: str, *values: Any) -> Any:
        """The value of the next token, which must be this."""
        if not self.peek(kind, *values):
            raise Unreadable(f"expected {' or '.join(map(str, values)) or kind}", self.pos)
        self.at += 1
        return self.tokens[self.at - 1][1]

    # expressions, from the loosest to the tightest

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable(f"nested deeper than {DEEPEST}", self.pos)
        pos, first = self.pos, self._or()
        while self.skip("name", "if"):
            kids = [self._or(), first]
            if self.skip("name", "else"):
                kids.append(self.expression())
            first = Node("cond", pos, None, kids)
        self.depth -= 1
        return first

    def tuple(self) -> Node:
        """One expression, or several with commas."""
        pos, items = self.pos, [self.expression()]
        while self.skip("op", ","):
            if self.peek("end") or self.peek("op", ")", "=", "]") or self.peek("name", "in"):
                break
            items.append(self.expression())
            self._short(items)
        return items[0] if len(items) == 1 else Node("tuple", pos, None, items)

    def _chain(self, below: Callable[[], Node], kind: str, *values: str) -> Node:
        """Operators of one strength, as one flat node."""
        pos, items, signs = self.pos, [below()], []
        while self.peek(kind, *values):
            signs.append(self.take(kind))
            items.append(below())
            self._short(items)
        return Node("op", pos, tuple(signs), items) if signs else items[0]

    def _or(self) -> Node:
        return self._chain(self._and, "name", "or")

    def _and(self) -> Node:
        return self._chain(self._not, "name", "and")

    def _not(self) -> Node:
        pos, count = self.pos, 0
        while self.skip("name", "not"):
            count += 1
        inner = self._compare()
        return Node("op", pos, ("not",), [inner]) if count else inner

    def _compare(self) -> Node:
        pos, items, signs = self.pos, [self._sum()], []
        while True:
            if self.peek("op", "==", "!=", "<", ">", "<=", ">="):
                signs.append(self.take("op"))
            elif self.skip("name", "in"):
                signs.append("in")
            elif self.peek("name", "not") and self.tokens[self.at + 1 : self.at + 2][0][:2] == ("name", "in"):
                self.at += 2
                signs.append("not in")
            else:
                return Node("op", pos, tuple(signs), items) if signs else items[0]
            items.append(self._sum())
            self._short(items)

    def _sum(self) -> Node:
        return self._chain(self._join, "op", "+", "-")

    def _join(self) -> Node:
        return self._chain(self._product, "op", "~")

    def _product(self) -> Node:
        return self._chain(self._power, "op", "*", "/", "//", "%")

    def _power(self) -> Node:
        return self._chain(self._unary, "op", "**")

    def _unary(self) -> Node:
        pos, sign = self.pos, ""
        while self.peek("op", "-", "+"):
            sign = self.take("op")
        inner = self._postfix(self._primary())
        return Node("op", pos, ("neg",), [inner]) if sign else inner

    def _primary(self) -> Node:
        pos = self.pos
        if self.peek("name"):
            name = self.take("name")
            return Node("const", pos, CONSTANTS[name]) if name in CONSTANTS else Node("name", pos, name)
        if self.peek("number"):
            return Node("const", pos, self.take("number"))
        if self.peek("string"):
            text = self.take("string")
            while self.peek("string"):
                text += self.take("string")
            return Node("const", pos, text)
        if self.skip("op", "("):
            inner = Node("tuple", pos) if self.peek("op", ")") else self.tuple()
            self.take("op", ")")
            return inner
        if self.skip("op", "["):
            return Node("list", pos, None, self._until("]", lambda: [self.expression()]))
        if self.skip("op", "{"):
            return Node("dict", pos, None, self._until("}", self._pair))
        raise Unreadable("expected an expression", pos)

    def _pair(self) -> list[Node]:
        key = self.expression()
        self.take("op", ":")
        return [key, self.expression()]

    def _until(self, end: str, item: Callable[[], list[Node]]) -> list[Node]:
        out: list[Node] = []
        while not self.skip("op", end):
            out += item()
            if not self.peek("op", end):
                self.take("op", ",")
        return out

    def _short(self, items: list[Node]) -> None:
        if len(items) > LONGEST:
            raise Unreadable(f"more than {LONGEST} parts in a row", items[0].pos)

    # what follows an expression

    def _postfix(self, node: Node) -> Node:
        for _ in range(LONGEST):
            pos = self.pos
            if self.skip("op", "."):
                if self.peek("number"):
                    node = Node("item", pos, None, [node, Node("const", pos, self.take("number"))])
                else:
                    node = Node("attr", pos, self.take("name"), [node])
            elif self.skip("op", "["):
                node = Node("item", pos, None, [node, self._index()])
            elif self.peek("op", "("):
                node = Node("call", pos, None, [node, *self.arguments()])
            elif self.peek("op", "|"):
                node = self.filters(node, 1)
            elif self.skip("name", "is"):
                node = self._test(node, pos)
            else:
                return node
        raise Unreadable(f"more than {LONGEST} parts in a row", node.pos)

    def filters(self, node: Node, most: int = LONGEST) -> Node:
        """Filters applied to a node: ``| name(arguments)``."""
        for _ in range(most):
            if not self.skip("op", "|"):
                break
            node = self.filter(node)
        return node

    def filter(self, node: Node) -> Node:
        """The name and the arguments of one filter."""
        pos, name = self.pos, self.take("name")
        while self.skip("op", "."):
            name += "." + self.take("name")
        return Node("filter", pos, name, [node, *(self.arguments() if self.peek("op", "(") else [])])

    def _test(self, node: Node, pos: int) -> Node:
        negated = self.skip("name", "not")
        name, arguments = self.take("name"), []
        if self.peek("op", "("):
            arguments = self.arguments()
        elif (
            any(self.peek(k) for k in ("string", "number"))
            or self.peek("op", "[", "{")
            or (self.peek("name") and not self.peek("name", *_NO_ARGUMENT))
        ):
            arguments = [self._postfix(self._primary())]
        test = Node("test", pos, name, [node, *arguments])
        return Node("op", pos, ("not",), [test]) if negated else test

    def _index(self) -> Node:
        pos, parts, colon = self.pos, [], False
        while not self.skip("op", "]"):
            if self.skip("op", ":"):
                colon = True
            elif self.skip("op", ","):
                continue
            else:
                parts.append(self.expression())
        if colon or len(parts) != 1:
            return Node("slice", pos, None, parts)
        return parts[0]

    def arguments(self) -> list[Node]:
        """Arguments of a call, brackets included."""
        self.take("op", "(")
        return self._until(")", self._argument)

    def _argument(self) -> list[Node]:
        pos = self.pos
        if self.skip("op", "*", "**"):
            return [Node("star", pos, None, [self.expression()])]
        following = self.tokens[self.at + 1 : self.at + 2]
        if self.peek("name") and following and following[0][:2] == ("op", "="):
            name = self.take("name")
            self.take("op", "=")
            return [Node("named", pos, name, [self.expression()])]
        return [self.expression()]
