"""Block style: mappings, sequences, texts over several lines, documents."""

from __future__ import annotations

import re

from probatum.scan.yaml.flow import DEEPEST, HUGE, flow
from probatum.scan.yaml.lines import ALIAS, KEY, PROPERTY, Unclear, folded, quoted_end, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LINE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_BLOCK = re.compile(r"[|>](?P<marks>[-+0-9]{0,2})[ \t]*(?:#.*)?$")
_BLANK = re.compile(r"[ \t]*")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|$)")


class Reader:
    """One text: ``documents``, ``tags`` with positions, ``size`` with aliases counted in full, ``nodes`` as written.

    Raises `Unclear` where the text is beyond the part of YAML that is understood.
    """

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.at = 0
        self.dashes: dict[int, int] = {}  # by the start of a line: how much of it counts as indentation
        self.tags: list[tuple[str, int]] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.documents: list[Any] = []
        self.nodes = self.size = self.depth = 0

    def read(self) -> None:
        """All documents."""
        while (line := self.line()) is not None:
            indent, content = line
            if content.startswith("%"):
                if not content.startswith("%YAML"):
                    raise Unclear("a directive that changes what tags mean", self.at)
                self.next()
            elif content == "..." or content == "---":
                self.anchors.clear()
                self.next()
            elif indent == 0 and content.startswith("--- "):
                self.anchors.clear()
                self.dashes[self.at] = 3
            else:
                value, size = self.block(indent, -1)
                self.documents.append(value)
                self.size += size
                rest = self.line()
                if rest is not None and rest[1] not in ("---", "...") and not rest[1].startswith(("--- ", "%")):
                    raise Unclear("a line that continues nothing", self.at)

    # lines

    def line(self) -> tuple[int, str] | None:
        """Indentation and content of the next line that has some; the position moves to its beginning."""
        while self.at < len(self.text):
            found = _LINE.match(self.text, self.at)
            whole = found.group() if found else ""
            if self.at in self.dashes:
                whole = " " * self.dashes[self.at] + whole[self.dashes[self.at] :]
            content = whole.strip(" \t")
            if content and not content.startswith("#"):
                indent = len(whole) - len(whole.lstrip(" "))
                if whole[indent] == "\t":
                    raise Unclear("a tab as indentation", self.at)
                return indent, _COMMENT.sub("", content).rstrip() if not set("'\"") & set(content) else content
            self.at += len(whole) + 1
        return None

    def next(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def count(self, number: int) -> None:
        self.nodes += number

    # what both styles note

    def tag(self, tag: str, pos: int) -> None:
        self.tags.append((tag, pos))

    def alias(self, name: str, pos: int) -> tuple[Any, int]:
        if name not in self.anchors:
            raise Unclear("an alias of nothing", pos)
        return self.anchors[name]

    def put(self, pairs: dict[str, Any], key: Any, value: Any, pos: int) -> None:
        """Into a mapping; a second time is not clear, apart from merges."""
        if isinstance(key, (dict, list)):
            raise Unclear("a key that is not a text", pos)
        name = "" if key is None else str(key)
        if name in pairs and name != "<<":
            raise Unclear("the same key twice", pos)
        pairs[name if name not in pairs else f"<<{len(pairs)}"] = value

    # blocks

    def block(self, indent: int, parent: int | None = None) -> tuple[Any, int]:
        """The value that begins on the present line at this indentation, and its size."""
        line = self.line()
        if line is None:
            return None, 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unclear(f"nested deeper than {DEEPEST}", self.at)
        start = self.at + indent
        value: Any
        if line[1] == "-" or line[1].startswith(("- ", "-\t")):
            value, size = self.sequence(indent)
        elif self.key_at(start) is not None:
            value, size = self.mapping(indent)
        else:
            value, size = self.value(start, indent - 1 if parent is None else parent)
        self.depth -= 1
        return value, size

    def key_at(self, start: int) -> tuple[int, int, list[str]] | None:
        """Does a key begin here? Its begin and end (before the colon), and the anchors in front."""
        pos, anchors = start, []
        while (found := PROPERTY.match(self.text, pos)) is not None:
            anchors += [found["anchor"]] if found["anchor"] else []
            pos = found.end()
        alias = ALIAS.match(self.text, pos)
        if alias is not None and re.compile(r"\s+:(?=\s|$)", re.M).match(self.text, alias.end()):
            return pos, alias.end(), anchors
        key = KEY.match(self.text, pos)
        if key is None or (re.search(r"\s#", key.group()) and key.group()[0] not in "'\""):
            return None
        return pos, key.end() - 1, anchors

    def mapping(self, indent: int) -> tuple[dict[str, Any], int]:
        pairs: dict[str, Any] = {}
        size, first = 1, True
        while (line := self.line()) is not None and (first or line[0] == indent) and line[1] not in ("---", "..."):
            start, first = self.at + indent, False
            if line[1].startswith(("? ", "--- ")) or line[1] == "?":
                raise Unclear("a key over several lines", start)
            found = self.key_at(start)
            if found is None:
                raise Unclear("a line that is no key", start)
            for match in PROPERTY.finditer(self.text, start, found[0]):
                if match["tag"]:
                    self.tag(match["tag"], match.start())
            written = self.text[found[0] : found[1]].rstrip()
            key: Any = written
            if written[:1] in ("'", '"'):
                key = unquoted(written, start)
            elif written.startswith("*"):
                key, _ = self.alias(written[1:], start)
            for name in found[2]:
                self.anchors[name] = (key, 1)
            colon = self.text.index(":", found[1])
            value, one = self.value(colon + 1, indent)
            self.put(pairs, key, value, start)
            size += one + 1
            self.count(2)
        return pairs, min(size, HUGE)

    def sequence(self, indent: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        size = 1
        while (line := self.line()) is not None and line[0] == indent and (line[1] + " ").startswith(("- ", "-\t")):
            start = self.at + indent
            rest = re.compile(r"-[ \t]*").match(self.text, start)
            inner = rest.end() if rest else start + 1
            following = self.text[inner : inner + 1]
            if following not in ("\n", "", "#") and (
                self.text.startswith(("- ", "-\n"), inner) or self.key_at(inner) is not None
            ):
                line_start = self.at
                self.dashes[line_start] = inner - line_start  # the dash becomes indentation
                value, one = self.block(inner - line_start)
            else:
                value, one = self.value(start + 1, indent)
            items.append(value)
            size += one
            self.count(1)
        return items, min(size, HUGE)

    def value(self, pos: int, indent: int) -> tuple[Any, int]:
        """What stands behind a colon or a dash, on this line or on deeper ones; moves to the line behind it."""
        anchors: list[str] = []
        text = self.text
        blank = _BLANK.match(text, pos)
        pos = blank.end() if blank else pos
        while (found := PROPERTY.match(text, pos)) is not None:
            if found["anchor"]:
                anchors.append(found["anchor"])
            else:
                self.tag(found["tag"], pos)
            pos = found.end()
        if _REST.match(text, pos):
            value, size = self.below(pos, indent)
        else:
            value, size = self.inline(pos, indent)
        for name in anchors:
            self.anchors[name] = (value, size)
        return value, size

    def below(self, pos: int, indent: int) -> tuple[Any, int]:
        """Nothing more on this line: the value is on deeper lines, or there is none."""
        self.at = pos
        self.next()
        line = self.line()
        if line is None or line[1] in ("---", "..."):
            return None, 1
        if line[0] > indent:
            return self.block(line[0])
        if line[0] == indent and (line[1] == "-" or line[1].startswith("- ")):
            return self.sequence(indent)
        return None, 1

    def inline(self, pos: int, indent: int) -> tuple[Any, int]:
        text = self.text
        first = text[pos]
        end_of_line = text.find("\n", pos)
        end_of_line = len(text) if end_of_line < 0 else end_of_line
        if first in "|>":
            if not (block := _BLOCK.match(text[pos:end_of_line])):
                raise Unclear("the head of a block of text", pos)
            return self.lines(pos, indent, first, block["marks"]), 1
        if first in "[{":
            value, end, size = flow(self, pos)
        elif first in "'\"":
            end = quoted_end(text, pos)
            value, size = unquoted(text[pos:end], pos), 1
        elif first == "*" and (found := ALIAS.match(text, pos)):
            value, size = self.alias(found["name"], pos)
            end = found.end()
        elif first in "@`%,]}" or (first == "?" and text[pos + 1 : pos + 2] in (" ", "\n", "")):
            raise Unclear("a character that may not begin a value", pos)
        else:
            return self.plain(pos, indent), 1
        if not _REST.match(text, end):
            raise Unclear("something behind a value", end)
        self.at = end
        self.next()
        return value, size

    def lines(self, pos: int, indent: int, style: str, marks: str) -> str:
        """A block of text behind | or >."""
        self.at = pos
        self.next()
        taken: list[str] = []
        own = next((indent + int(c) for c in marks if c.isdigit()), None)
        while self.at < len(self.text):
            found = _LINE.match(self.text, self.at)
            whole = found.group() if found else ""
            deep = len(whole) - len(whole.lstrip(" "))
            if whole.strip() and deep <= indent:
                break
            own = deep if own is None and whole.strip() else own
            if whole.strip() and own is not None and deep < own:
                break
            taken.append(whole[own or 0 :])
            self.next()
        return "\n".join(taken).rstrip("\n") + "\n" if style == "|" else folded("\n".join(taken))

    def plain(self, pos: int, indent: int) -> str:
        """A text without quotes, perhaps over several lines."""
        end = self.text.find("\n", pos)
        end = len(self.text) if end < 0 else end
        parts = [_COMMENT.sub("", self.text[pos:end]).strip()]
        if re.search(r":(\s|$)", parts[0]):
            raise Unclear("a colon inside of a text", pos)
        closed = parts[0] != self.text[pos:end].strip()
        self.at = end + 1
        while not closed and (line := self.line()) is not None and line[0] > indent:
            if line[0] == 0 and line[1] in ("---", "..."):
                break
            if re.search(r":(\s|$)", line[1]):
                raise Unclear("a colon inside of a text", self.at)
            parts.append(_COMMENT.sub("", line[1]).strip())
            self.next()
        return folded("\n".join(parts))
