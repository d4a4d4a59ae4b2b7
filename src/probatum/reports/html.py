"""The report as one page: no network, no script, light and dark, on a phone and on paper."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from probatum.core.finding import best_null, sentence
from probatum.core.report import Report
from probatum.reports import overview, text, view
from probatum.reports import receipt as receipts
from probatum.reports.ink import VARIABLES
from probatum.reports.plots import plots

HERE = Path(__file__).parent
SAMPLE_LENGTH = 1200  #: characters of a sample that are shown


def html(report: Report) -> str:
    """The whole page. All text passes `_show`, then jinja2's escaping; only the page's own drawings do not."""
    from markupsafe import Markup

    css = style()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    # Even if something hostile slipped through, the browser would load nothing and run nothing.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page: str = _template().render(
        report=report,
        css=Markup(css),
        policy=policy,
        lines=view.summary_lines(report),
        dimensions=view.by_dimension(report),
        not_audited=view.not_audited(report),
        overview=overview.overview(report),
        receipt=receipts.rows(report.receipt),
        by_id={f.id: f for f in report},
    )
    return page


@functools.cache
def style() -> str:
    """The page's style sheet, and the map from the colors of the plots to its variables."""
    rules = [
        f'figure svg [{part}="{color}"] {{ {part}: var({name}); }}'
        for color, name in VARIABLES.items()
        for part in ("fill", "stroke")
    ]
    return (HERE / "report.css").read_text(encoding="utf-8") + "\n".join(rules) + "\n"


@functools.cache
def _template() -> Any:
    import jinja2
    from markupsafe import Markup

    def lines(value: str) -> Markup:
        """A sample, with its line ends kept."""
        return Markup().join([text.visible(text.clip(value, SAMPLE_LENGTH), lines=True)])

    def drawn(svg: str) -> Markup:
        """Only for SVG that `plots` made."""
        return Markup(svg)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        finalize=_show,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"lines": lines, "drawn": drawn}
    environment.globals |= {
        "MEANING": view.MEANING,
        "RECEIPT": receipts.MEANING,
        "named": receipts.name,
        "shown": receipts.show,
        "by_audience": view.by_audience,
        "limit_in_words": view.limit_in_words,
        "best_null": best_null,
        "plots": plots,
        "remarks": view.remarks,
        "reproduce": view.reproduce,
        "sentence": sentence,
        "show": text,
    }
    return environment.get_template("template.html.j2")


def _show(value: Any) -> Any:
    """What every ``{{ … }}`` passes: hidden characters become visible."""
    from markupsafe import Markup

    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
