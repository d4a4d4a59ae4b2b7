"""The sections of a model card, and what somebody wrote in them: boilerplate of templates is taken off first.

Eight sections as Liang et al. 2024 (P058) count them. A heading belongs to those whose words it holds, a heading
without such words to the section above it. What a template or a training library writes by itself is no documentation:
comments, "[More Information Needed]", labels without a value, standing sentences, generated lists and tables. Headings
are read in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

SECTIONS = (
    "training",
    "evaluation",
    "limitations",
    "environmental impact",
    "intended use",
    "how to start",
    "citation",
    "details",
)
_START = (
    r"how to (?:get |start|use|run|load|install)|get(?:ting)? started|quick ?start|\busage\b|\binference\b|"
    r"(?:example|sample) (?:code|usage)|code example|\buse (?:with|in|it with)\b|install(?:ation|ing)?\b|"
    r"running the model"
)
_WORDS = {
    "how to start": re.compile(_START),
    "intended use": re.compile(r"intended|\buses?\b|use[- ]cases?|out[- ]of[- ]scope|applications?\b|\bpurpose"),
    "limitations": re.compile(
        r"limitation|\bbias|\brisks?\b|caveat|\bethic|\bsafety\b|recommendations|considerations|disclaimer|\bharm|"
        r"implications"
    ),
    "environmental impact": re.compile(
        r"environment(?:al)? (?:impact|cost)|carbon|emission|\bco2|footprint|\benergy\b"
    ),
    "evaluation": re.compile(r"evaluat|\bresults?\b|benchmark|\bmetrics?\b|performance|\btest(?:ing)?\b|accuracy"),
    "training": re.compile(r"\btrain|fine[- ]?tun|pre-?train|hyper-?parameters?|preprocessing"),
    "citation": re.compile(r"\bcit(?:e|ing|ations?)\b|bibtex"),
}
#: Words that say what a section is about only where no heading above has said it.
_WEAK = {
    "training": re.compile(r"\bdata(?:sets?)?\b|\bcorpus\b"),
    "details": re.compile(
        r"\bdetails\b|description|summary|overview|introduction|\babout\b|specifications?|architecture|model card for|"
        r"information|\bsources\b|contact|\bauthors?\b|licen[cs]e|model type"
    ),
}

#: What templates and libraries write by themselves. Each begins a sentence and ends with it.
_STANDING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\[?more information needed(?: for further recommendations)?\]?\.?",
        r"\{\{[^{}]{0,400}\}\}|\{%[^%]{0,400}%\}",
        r"\[optional\]",
        r"use the code below to get started with the model\.?",
        r"users \(both direct and downstream\) should be made aware of the risks, biases and limitations.{0,14}\.?",
        r"carbon emissions can be estimated using the .{0,160}?\bet al\..{0,80}?(?:\)\)?\.|\)$|$)",
        r"this is the model card of a .{0,40}?model that has been pushed on the hub\.?",
        r"this model ?card (?:has been (?:automatically )?generated|aims to be a base template)[^.]*\.",
        r"it has been generated using \[this raw template\][^ ]*\.?",
        r"this model (?:is a fine-tuned version of \S+|was trained from scratch)(?: on (?:an|the) [^.]*|[^.]*)\.",
        r"it has been trained using \[trl\]\S*",
        r"this model was trained with [\w ]+(?:, a method introduced in .*)?\.$",
    )
)
_LISTED = re.compile(
    r"it achieves the following results on the evaluation set:|"
    r"the following (?:.{0,60}? )?(?:hyperparameters were|config was) used during training:",
    re.IGNORECASE,
)
_TOOL = re.compile(r"cite \w+ as:", re.IGNORECASE)
_VERSION = re.compile(r"\s*[-*]\s*[\w. -]{1,30}?[: ]\s*v?\d[\w.+-]*\s*$")
_LABEL = re.compile(r"^\s*(?:[-*+]\s+)?(?:\*\*|__)[^*_]{1,60}?(?::(?:\*\*|__)|(?:\*\*|__)\s*:|(?:\*\*|__)$)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+\.)\s")
_NOTHING = {"", "-", "?", "n/a", "na", "none", "null", "unknown", "tbd", "tba", "todo", "wip", "coming soon", "..."}
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’.,-][^\W_]+)*")
LONGEST, LINES = 2000, 20_000  #: characters of a line that are read, and lines of a card


@dataclass(frozen=True)
class Scheme:
    """How the cards of one kind of thing are read: their sections, by which words of a heading, from which title on."""

    sections: tuple[str, ...]
    words: Mapping[str, re.Pattern[str]]
    weak: Mapping[str, re.Pattern[str]]  #: words that count only where no heading above has said what it is about
    standing: tuple[re.Pattern[str], ...]  #: what its templates write beside `_STANDING`
    first: str  #: the section of what stands before the first heading
    title: tuple[str, ...]  #: how a title begins that says nothing by its other words


MODEL = Scheme(SECTIONS, _WORDS, _WEAK, (), "details", ("model card",))


@dataclass(frozen=True)
class Line:
    """One line of a card with what somebody wrote in it; ``code`` inside a fence."""

    number: int
    text: str
    code: bool = False


@dataclass(frozen=True)
class Section:
    """A heading (line 0: what stands before the first), the sections of `SECTIONS` that it belongs to, its lines."""

    heading: str
    line: int
    names: frozenset[str]
    lines: tuple[Line, ...]


def sections(text: str, scheme: Scheme = MODEL) -> list[Section]:
    """The headings of a card in order, each with its own lines, front matter and boilerplate taken off."""
    found: list[Section] = []
    above: list[tuple[int, frozenset[str]]] = []  # (level, names) of the headings that stand above
    heading, line, names, lines = "", 0, frozenset({scheme.first}), list[Line]()
    for item in _read(text):
        if isinstance(item, Line):
            lines.append(item)
            continue
        found.append(Section(heading, line, names, tuple(_written(heading, lines, scheme))))
        level, line, heading = item
        above = [a for a in above if a[0] < level]
        own = _about(heading, next((n for _, n in reversed(above) if n), frozenset()), scheme)
        # Below a title that is only a name, what stands need not be about the model.
        title = not any(s.line for s in found) and (not own or heading.lower().startswith(scheme.title))
        names, lines = own or frozenset({scheme.first} if title else ()), []
        above.append((level, frozenset() if title else own))
    found.append(Section(heading, line, names, tuple(_written(heading, lines, scheme))))
    return [s for s in found if s.line or s.lines]


def words(lines: Iterable[Line]) -> int:
    """How many words somebody wrote in these lines; addresses of links and markup are none."""
    count = 0
    for line in lines:
        text = line.text
        if not line.code:
            text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<[^>]{1,300}>", " ", text)
            text = re.sub(r"\]\([^)]*\)", "] ", text)
        count += len(_WORD.findall(text))
    return count


def _about(heading: str, above: frozenset[str], scheme: Scheme) -> frozenset[str]:
    """The sections that a heading belongs to by its words, else those of the heading above."""
    said = heading.lower()
    own = {name for name, pattern in scheme.words.items() if pattern.search(said)}
    if "how to start" in own and "intended" not in said:
        own.discard("intended use")
    if own:
        return frozenset(own)
    weak = frozenset(name for name, pattern in scheme.weak.items() if pattern.search(said))
    return above or weak


def _read(text: str) -> Iterator[Line | tuple[int, int, str]]:
    """Lines and headings (level, number of the line, text); comments are blanked, code in fences is no heading."""
    text = re.sub(r"<!--.*?(?:-->|\Z)", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    rows = text.removeprefix("\ufeff").splitlines()[:LINES]
    start = _body(rows)
    fence = ""
    for number, row in enumerate(rows[start:], start + 1):
        row = row[:LONGEST]
        mark = re.match(r"\s{0,3}(`{3,}|~{3,})", row)
        if fence:
            if mark and mark[1].startswith(fence) and not row.strip(" `~"):
                fence = ""
            else:
                yield Line(number, row, code=True)
            continue
        if mark:
            fence = mark[1]
            continue
        below = rows[number] if number < len(rows) else ""
        if found := re.match(r" {0,3}(#{1,6})\s+(.*?)[\s#]*$", row):
            yield len(found[1]), number, found[2]
        elif found := re.match(r"\s*<h([1-6])[^>]*>(.*?)</h\1>\s*$", row, re.IGNORECASE):
            yield int(found[1]), number, re.sub(r"<[^>]*>", "", found[2])
        elif (found := re.match(r"\s*(?:\*\*|__)([^*_]{2,60})(?:\*\*|__)\s*$", row)) and not found[1].endswith(":"):
            yield 7, number, found[1]
        elif found := re.match(r"(?:\*\*|__)([^*_:]{3,60}):?(?:\*\*|__):?\s+(?=\S)", row):
            yield 7, number, found[1]  # a heading that runs into its text
            yield Line(number, row[found.end() :])
        elif (
            row.strip() and re.fullmatch(r" {0,3}(?:=+|-{2,})\s*", below) and not re.match(r"\s*(?:[-*+>|]|\d+\.)", row)
        ):
            yield (1 if "=" in below else 2), number, row.strip()
        elif not re.fullmatch(r" {0,3}(?:=+|-{2,})\s*", row):
            yield Line(number, row)


def _body(rows: list[str]) -> int:
    """Where the body begins, after the front matter."""
    if not rows or rows[0].rstrip() != "---":
        return 0
    return next((i + 1 for i, row in enumerate(rows[1:], 1) if row.rstrip() == "---"), 0)


def _written(heading: str, lines: list[Line], scheme: Scheme) -> Iterator[Line]:
    """The lines without what templates and libraries wrote; empty ones are left out."""
    listed = table = tool = False
    versions = "framework versions" in heading.lower()
    for line in lines:
        text = line.text
        if line.code:
            if not tool:
                yield line
            continue
        row = "|" in text
        if row and not table:
            columns = {cell.strip().lower() for cell in text.split("|")}
            table = "training loss" in columns and bool(columns & {"epoch", "step"})
        if table and row:
            continue
        table = table and not text.strip()
        if listed and (not text.strip() or _ITEM.match(text)):
            continue
        listed = bool(_LISTED.search(text))
        tool = bool(_TOOL.search(text)) or (tool and not text.strip())
        if listed or tool or (versions and _VERSION.match(text)):
            continue
        for standing in (*scheme.standing, *_STANDING):
            text = standing.sub("", text)
        text = _LABEL.sub("", text)
        if text.strip(" .*_-+>|:\t").lower() not in _NOTHING:
            yield Line(line.number, text)
