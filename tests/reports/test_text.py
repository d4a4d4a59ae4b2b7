import math

import pytest
from example_parts import estimate

from probatum.core.finding import LimitView
from probatum.reports import text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (math.nan, "–"), (math.inf, "–"), (0.0, "0"), (0.12345, "0.123"), (-2.0, "-2"), (999.9, "1,000"),
     (1234.5, "1,234"), (162322944.0, "162,322,944"), (1e-9, "1e-09"), (3e12, "3e+12")],
)  # fmt: skip
def test_number(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [((1, 0.5, 2), "[0.5, 2]"), ((1, 0.5, None), "(≥ 0.5)"), ((1, None, 2), "(≤ 2)"), ((1, math.nan, None), "")],
)
def test_interval(span: tuple[float | None, float | None, float | None], shown: str) -> None:
    assert text.interval(estimate("AUROC", span)) == shown


def test_limits_of_all_statuses() -> None:
    def shown(status: str, *numbers: float | None) -> str:
        return text.limit(LimitView(*numbers, "copies", "specimen", status))  # type: ignore[arg-type]

    assert shown("established", 6.1, 4.4, 8.7) == "6.1 [4.4, 8.7] copies"
    assert shown("below lowest dose", 1, None, None) == "≤ 1 copies"
    assert shown("above highest dose", 64, None, None) == "> 64 copies"
    assert shown("not established", None, None, None) == "not established"
    assert text.limit(None) == "–"


def test_what_hides_is_shown() -> None:
    assert text.visible("a\x1b[0m\u202e\u200b\U000e0041\ud800\r\nb") == (
        "a[U+001B][0m[U+202E][U+200B][U+E0041][U+D800][U+000D][U+000A]b"
    )
    assert text.visible("a\nb\r", lines=True) == "a\nb[U+000D]"
    assert text.visible("Größe 東京 עברית 👍🏽") == "Größe 東京 עברית 👍🏽"


@pytest.mark.parametrize(
    ("paper", "link"),
    [
        ("arXiv:2404.02936", "https://arxiv.org/abs/2404.02936"),
        ("doi:10.1145/3.4", "https://doi.org/10.1145/3.4"),
        ("javascript:alert(1)", None),
        ("https://evil.example/", None),
        ("arXiv:1 onclick=x", None),
        ("Smith 2020", None),
    ],
)
def test_only_papers_become_links(paper: str, link: str | None) -> None:
    assert text.paper_link(paper) == link


@pytest.mark.parametrize(("seconds", "shown"), [(0.41, "0.41 s"), (192, "3 min 12 s"), (3860, "1 h 4 min")])
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown
