import re
from dataclasses import replace
from html import unescape

import example
import pytest
from example_parts import HOSTILE
from markdown_it import MarkdownIt

from probatum.core.finding import LimitView
from probatum.reports.card import card, code, plain
from probatum.reports.text import visible

TAGS = {"h2", "h3", "p", "a", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "code"}


def render(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)


def test_every_number_has_its_evidence() -> None:
    page = render(card(example.report()))
    for f in example.report():
        assert f'<a href="report.html#{f.id}">{f.id}</a>' in page
    rows = re.findall(r"<tr>\n<td>(.*?)</tr>", page, re.DOTALL)
    assert len(rows) == sum(f.outcome != "not run" for f in example.report())
    assert all(row.count("<td>") == 5 and "report.html#" in row for row in rows)
    assert "AUROC 0.88 [0.853, 0.907]" in page
    assert "6.1 [4.4, 8.7] exposures" in page


def test_hostile_text_stays_text() -> None:
    page = render(card(example.report()))
    assert set(re.findall(r"<(\w+)", page)) <= TAGS
    assert set(re.findall(r'href="([^"#]*)', page)) == {"report.html"}
    assert not set(page) & {"\x1b", "\u202e", "\ud83d"}
    assert not re.search(r"\bsafe\b", page, re.IGNORECASE)


@pytest.mark.parametrize(
    "value",
    [HOSTILE, "[x](http://evil.example)", "| a | b |", "# h\n- l\n\n> q", "<b>x</b> &lt; &copy;", "www.evil.example",
     "*a* _b_ `c` ~~d~~ $e$ ![f](g)", "https://evil.example/ @someone", "- a", "1. b", "===", "    code"],
)  # fmt: skip
def test_plain_shows_what_it_was_given(value: str) -> None:
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(plain(value))
    body = page.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in body
    assert unescape(body) == visible(value)


def test_a_command_cannot_end_its_block() -> None:
    page = render(code("probatum audit '```\n# heading'"))
    assert re.findall(r"<(\w+)", page) == ["pre", "code"]


def test_sections_without_content_are_left_out() -> None:
    report = replace(example.plain()["choice_accuracy"], command="", policy=None, complete=True)
    text = card(report)
    assert "Not run" not in text
    assert "Limits" not in text
    assert "reproduce" not in text


def test_a_limit_that_was_not_established_says_why() -> None:
    limit = LimitView(None, None, None, "copies", "specimen-160m", "not established", (), "too few doses")
    quiet = replace(example.plain().findings[4], detection_limit=limit)
    text = card(replace(example.plain(), findings=(quiet,)))
    assert "Its detection limit is not established on specimen-160m. Too few doses." in text


def test_it_says_what_the_runner_noted_and_what_points_the_wrong_way() -> None:
    text = card(example.plain())
    assert "The split was not randomized" in text
    assert "**evidence**, severity low, reversed" in text
