"""Two audits side by side: what differs between two models, or before and after a repair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.finding import Finding
from probatum.core.report import Report
from probatum.statistics.differences import Difference, paired, unpaired


@dataclass(frozen=True)
class Row:
    """One probe in both audits. A finding that only one audit has stands beside None."""

    probe: str
    dimension: str
    a: Finding | None
    b: Finding | None
    difference: Difference


@dataclass(frozen=True)
class Comparison:
    """All probes, in the order of the first report. Differences are B − A."""

    a: Report
    b: Report
    rows: tuple[Row, ...]

    def by_certainty(self) -> list[Row]:
        """The surest differences first; those without an interval last."""
        return sorted(self.rows, key=lambda row: -certainty(row.difference))


def certainty(d: Difference) -> float:
    """How many half-widths of its interval a difference lies away from 0; -1 where nothing is known of it.

    Where all units differ alike the interval has no width: nothing is surer, if they are many.
    """
    if d.value is None:
        return -1.0
    if d.low is None or d.high is None:
        return float("inf") if d.p_value is not None and d.p_value <= 0.05 else -1.0
    half = (d.high - d.low) / 2
    return abs(d.value) / half if half > 0 else 0.0


def compare(a: str | Path | Report, b: str | Path | Report) -> Comparison:
    """Compare two reports (files, or the directories that hold them).

    Where both audits asked the same records and their ``scores.json`` lie beside the reports, the difference is taken
    record by record, which is much sharper than two intervals that overlap.
    """
    (first, first_scores), (second, second_scores) = _open(a), _open(b)
    others = {(f.probe, json.dumps(f.options, sort_keys=True)): f for f in second.findings}
    rows = []
    for finding in first.findings:
        other = others.pop((finding.probe, json.dumps(finding.options, sort_keys=True)), None)
        rows.append(
            Row(
                finding.probe,
                finding.dimension,
                finding,
                other,
                _difference(finding, other, first_scores, second_scores),
            )
        )
    rows += [Row(f.probe, f.dimension, None, f, Difference(None, None, None, None, "none")) for f in others.values()]
    return Comparison(first, second, tuple(rows))


def is_report(path: str | Path) -> bool:
    """Does this name a report, or a directory with one?"""
    path = Path(path)
    return (path.suffix == ".json" and path.is_file()) or (path / "report.json").is_file()


def _open(source: str | Path | Report) -> tuple[Report, Mapping[str, Any]]:
    if isinstance(source, Report):
        return source, {}
    path = Path(source)
    file = path / "report.json" if path.is_dir() else path
    if not file.is_file():
        raise BadInput(f"{source}: expected a report.json, or a directory that holds one")
    try:
        report = Report.from_json(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not a report: expected JSON in UTF-8") from error
    beside = file.parent / "scores.json"
    if not beside.is_file():
        return report, {}
    try:
        raw = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{beside}: not JSON ({error})") from error
    return report, raw.get("scores", {})


def _difference(a: Finding, b: Finding | None, scores_a: Mapping[str, Any], scores_b: Mapping[str, Any]) -> Difference:
    if b is None or a.estimate is None or b.estimate is None:
        return Difference(None, None, None, None, "none")
    if a.id in scores_a and b.id in scores_b and _same_data(a, b):
        found = paired(scores_a[a.id], scores_b[b.id])
        if found is not None:
            return found
    return unpaired(a.estimate, b.estimate)


def _same_data(a: Finding, b: Finding) -> bool:
    """Equal digests of what was asked. Cards and keys differ from model to model and are never paired."""
    return a.data == b.data and bool(a.data) and "claims" not in a.data
