"""Views of a report. Its JSON is the truth; the page, the card and the terminal tables are made from it."""

from __future__ import annotations

from pathlib import Path

from probatum.core.errors import BadInput
from probatum.core.report import Report
from probatum.reports.files import write_all


def write(report: Report, directory: str | Path) -> list[Path]:
    """Write ``report.json``, ``report.html`` and ``card.md`` into ``directory``, all of them or none."""
    text = report.to_json()
    return write_all(Path(directory), {"report.json": text} | _views(Report.from_json(text)))


def render(report_json: str | Path, directory: str | Path) -> list[Path]:
    """Make ``report.html`` and ``card.md`` again from a ``report.json``, which may come from a stranger."""
    from probatum.reports.schema import check

    try:
        text = Path(report_json).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read the report '{report_json}': {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"'{report_json}' is not a report: expected JSON in UTF-8") from error
    return write_all(Path(directory), _views(check(text)))


def _views(report: Report) -> dict[str, str]:
    from probatum.reports.card import card
    from probatum.reports.html import html

    return {"report.html": html(report), "card.md": card(report)}


__all__ = ["render", "write"]
