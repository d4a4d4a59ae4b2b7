import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import example
import pytest
from example_parts import ANSI, BIDI, HOSTILE, control, estimate, finding, limit

from probatum.core.finding import sentence
from probatum.core.report import Report
from probatum.reports import text
from probatum.reports.html import html
from probatum.reports.plots import own_ids, plots

VOID = {"meta", "img", "br", "path", "circle", "line", "rect"}


class Page(HTMLParser):
    """Tags with attributes, text, and whether every tag is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture(scope="module")
def source() -> str:
    return html(example.report())


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_every_finding_has_its_anchor_once(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {f.id for f in example.report()} <= set(ids)
    links = {a["href"] for tag, a in page.tags if tag == "a" and a["href"].startswith("#")}
    assert {link[1:] for link in links} <= set(ids)
    assert {f"#{f.id}" for f in example.report()} <= links


def test_nothing_is_loaded_and_nothing_runs(source: str, page: Page) -> None:
    assert "<script" not in source.lower()
    assert not {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, a in page.tags for name in a if name.startswith("on") or name in ("src", "srcset")]
    places = [a[name] for _, a in page.tags for name in ("href", "xlink:href") if name in a]
    assert all(re.match(r"#|https://(arxiv\.org/abs|doi\.org)/", place) for place in places)
    assert not re.search(r"url\(\s*['\"]?(?!#)", source)
    assert "@import" not in source


def test_even_a_hole_would_run_nothing(source: str, page: Page) -> None:
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    css = source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not [a for _, a in page.tags if "style" in a]  # the policy would drop them


def test_hostile_text_is_shown_not_obeyed(source: str, page: Page) -> None:
    assert not set(source) & {"\x1b", "\x07", "\u202e", "\u2066", "\ud83d"}
    words = "".join(page.words)
    assert text.visible(HOSTILE) in words
    assert text.visible(ANSI) in words
    assert text.visible(BIDI) in words
    assert "<b>chat</b>" in words
    assert page.open == []


def test_what_it_says(page: Page) -> None:
    words = " ".join("".join(page.words).split())
    for f in example.report():
        assert f.question.replace(ANSI, text.visible(ANSI)) in words
        if f.outcome != "not run":
            assert sentence(f) in words
    assert "+2 evidence, 1 no evidence, 1 inconclusive, 1 not run" in words
    assert "members train.jsonl --nonmembers held-out.jsonl --seed 7 --probe min_k_plus_plus" in words
    assert "3 longer than the context" in words
    assert not re.search(r"\bsafe\b", words, re.IGNORECASE)


def test_only_what_calls_for_reading_is_open(page: Page) -> None:
    shown = [f for f in example.report() if f.outcome != "not run"]
    opened = ["open" in a for tag, a in page.tags if tag == "details"]
    assert opened == [f.outcome in ("evidence", "inconclusive") for f in shown]


def test_figures_can_be_read_aloud(page: Page) -> None:
    drawn = [a for tag, a in page.tags if tag == "svg" and a.get("role") == "img" and a.get("class") != "strip"]
    assert len(drawn) == sum(1 for tag, _ in page.tags if tag == "figcaption") == 16
    assert all(a["aria-label"].endswith(".") for a in drawn)


def test_an_empty_report_is_a_page() -> None:
    report = example.report()
    empty = Report(1, report.subject, (), (), None, report.cost, {}, report.created)
    assert "Not audited: privacy, truthfulness" in "".join(Page(html(empty)).words)


@pytest.mark.slow
def test_a_long_report_has_every_plot() -> None:
    first = example.report()
    drawn = [f for f in first if f.dimension == "privacy" and f.curves]
    many = tuple(replace(f, id=f"{k:04d}{f.id[:8]}") for k in range(4) for f in drawn)
    source = html(replace(first, findings=many))
    assert source.count("<figure>") == 32


class TestPlots:
    def test_kind_follows_the_finding(self) -> None:
        def kinds(probe: str) -> list[str]:
            first = next(f for f in example.report() if f.probe == probe)
            return [re.split(":| on |,", plot.caption)[0] for plot in plots(first)]

        assert kinds("min_k_plus_plus") == ["ROC", "Dose–response"]
        assert kinds("discoverable_extraction") == ["Dose–response"]
        assert kinds("choice_accuracy") == ["This model's accuracy is 0.412 (diamond)"]
        assert kinds("gradient_norm") == kinds("pickle_scan") == kinds("paraphrase_consistency") == []

    def test_the_caption_states_the_numbers(self) -> None:
        roc, dose = (plot.caption for plot in plots(example.report().findings[0]))
        assert "at a false positive rate of 0.001 the probe finds 4.47 % of the positives" in roc
        assert "280 planted records" in dose
        assert "80 % at 6.1 exposures, interval [4.4, 8.7]" in dose

    def test_missing_numbers_are_left_out(self) -> None:
        whole = example.report().findings[0]
        curve = replace(whole.curves[0], y=(None, float("nan"), *whole.curves[0].y[2:]))
        plot = plots(replace(whole, curves=(curve,)))[0]
        assert "NaN" not in plot.svg
        assert "dotted" not in plot.caption

    def test_a_label_cannot_leave_the_drawing(self) -> None:
        controls = (
            control("positive", "rate", (0.9, 0.8, 1.0), 1, unit="</svg><script>x"),
            control("negative", "rate", (0, 0, 0.1)),
        )
        f = finding("x", "safety", "?", "measured", estimate=estimate("rate", (0.5, None, None)), controls=controls)
        svg = plots(f)[0].svg
        assert svg.count("</svg>") == 1
        assert "<script" not in svg

    def test_ids_belong_to_their_plot(self) -> None:
        svg = '<clipPath id="clip0"/><g clip-path="url(#clip0)"/><use xlink:href="#clip0"/>'
        assert own_ids(svg, "a b") == svg.replace("clip0", "a_b-clip0")

    def test_doses_that_are_close_stand_on_a_linear_axis(self) -> None:
        near = limit("above highest dose", {0.1: 3, 0.2: 9, 0.3: 20})
        svg = plots(finding("x", "safety", "?", "no evidence", detection_limit=near))[0].svg
        ticks = {t: float(x) for x, t in re.findall(r'translate\(([\d.]+),[\d.]+\)"[^>]*>(0\.[123])</text>', svg)}
        assert set(ticks) == {"0.1", "0.2", "0.3"}
        assert ticks["0.3"] - ticks["0.2"] == pytest.approx(ticks["0.2"] - ticks["0.1"], abs=1)
