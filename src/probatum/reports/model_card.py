"""The text of a model card: nine sections, every number linked to the finding that it comes from.

The sections of Mitchell et al. 2019 (P051, arXiv 1810.03993). What was not measured is said to be so; what the model's
own card says is quoted as its own words, never as a result.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from probatum.core.finding import DIMENSIONS, EstimateView, Finding, limit_sentence, sentence
from probatum.core.report import Report
from probatum.files.documents import Documents
from probatum.reports.card import code, plain
from probatum.reports.text import clip, estimate, finite, interval, number, visible
from probatum.scan.secrets import find
from probatum.statistics.error_rates import RATES
from probatum.statistics.task_metrics import SMALL

#: Keys of a card's front matter that are taken over, where they hold names.
KEPT = ("license", "license_name", "license_link", "language", "library_name", "pipeline_tag", "base_model", "datasets")
QUOTED = 600  #: characters of the model's own words in one section


def model_card(report: Report, documents: Documents | None, evidence: str = "evidence") -> str:
    """The text of the card.

    Parameters
    ----------
    documents
        Of the model's directory; None for a model without files.
    evidence
        The folder beside the card in which ``report.html`` lies.
    """
    card = _Card(report, documents, f"{quote(evidence)}/report.html")
    parts = [_front(card), *_body(card)]
    return "\n\n".join(part for part in parts if part) + "\n"


@dataclasses.dataclass(frozen=True)
class _Card:
    report: Report
    documents: Documents | None
    page: str

    def link(self, f: Finding) -> str:
        return f"[{plain(f.id)}]({self.page}#{quote(f.id, safe='')})"

    @property
    def top(self) -> str:
        return f"[report]({self.page})"


def _front(card: _Card) -> str:
    """YAML of what the model's own card names, and every measured number with the address of its finding."""
    import yaml

    own = card.documents.front if card.documents else {}
    front: dict[str, Any] = {key: kept for key in KEPT if (kept := _names(own.get(key)))}
    task = front.get("pipeline_tag") if isinstance(front.get("pipeline_tag"), str) else "other"
    results = [_result(card, f, str(task)) for f in card.report if f.outcome == "measured" and _value(f) is not None]
    if results:
        front["model-index"] = [{"name": _clean(card.report.subject.name), "results": results}]
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---" if front else ""


def _value(f: Finding) -> float | None:
    return None if f.estimate is None else finite(f.estimate.value)


def _result(card: _Card, f: Finding, task: str) -> dict[str, Any]:
    assert f.estimate is not None
    used = [d.path for d in card.report.data if any(d.digest.startswith(digest) for digest in f.data.values())]
    name = _clean(f.items or ", ".join(dict.fromkeys(used)) or "files of the model")
    span = f", {number(f.estimate.level * 100)} % interval {interval(f.estimate)}" if interval(f.estimate) else ""
    return {
        "task": {"type": task, "name": _clean(f.question)},
        "dataset": {"name": name, "type": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"},
        "metrics": [{"type": f.probe, "name": f"{f.estimate.metric}{span}", "value": _value(f)}],
        "source": {"name": f"Probatum, finding {f.id}", "url": f"{card.page}#{quote(f.id, safe='')}"},
    }


def _names(value: Any) -> str | list[str] | None:
    """A name or a list of names as the front matter has it; anything else is left out."""
    if isinstance(value, str):
        return _clean(value) or None
    if isinstance(value, list):
        return [_clean(v) for v in value[:50] if isinstance(v, str) and v.strip()] or None
    return None


def _clean(text: str) -> str:
    """Without what hides, secrets masked, short."""
    return visible(clip(_masked(text), 200))


def _masked(text: str) -> str:
    """Secrets and personal data of a text as their kind."""
    for kind, start, end in sorted(find(text), key=lambda place: -place[1]):
        text = f"{text[:start]}[{kind}]{text[end:]}"
    return text


def _body(card: _Card) -> Iterator[str]:
    report = card.report
    yield f"# {plain(_clean(report.subject.name))}"
    yield (
        f"Written by Probatum from the audit of {plain(report.created)} ({card.top}). Every number links to the finding"
        " that it comes from; a finding shows its controls, its interval and how to repeat it. What was not measured"
        " is said to be so."
    )
    if not report.complete:
        yield "**The audit is incomplete:** it was interrupted, or a probe crashed."
    yield "## Model details"
    yield "\n".join(_details(card))
    yield "## Intended use"
    yield _quoted(card, "intended use")
    yield "## Factors"
    yield _factors(card)
    yield "## Metrics"
    yield _metrics(card)
    yield "## Evaluation data"
    yield _data(card)
    yield "## Training data"
    yield _quoted(card, "training")
    yield "## Quantitative analyses"
    yield from _findings(card)
    yield from _disaggregated(card)
    yield "## Ethical considerations"
    yield _ethical(card)
    yield _quoted(card, "limitations")
    yield "## Caveats and recommendations"
    yield "\n".join(_caveats(card))
    if report.command:
        yield f"## How to reproduce\n\n{code(report.command)}"


def _details(card: _Card) -> Iterator[str]:
    s = card.report.subject
    size = f", {s.parameter_count:,} parameters" if s.parameter_count else ""
    yield f"- Opened as: {plain(s.kind)}{size}{f', {plain(s.dtype)}' if s.dtype else ''} ({card.top})"
    yield f"- Digest: `{plain(s.digest)}` ({card.top})"
    own = card.documents.front if card.documents else {}
    for key, name in (("license", "License"), ("base_model", "Base model"), ("datasets", "Data named")):
        kept = _names(own.get(key))
        shown = ", ".join([kept] if isinstance(kept, str) else kept or [])
        yield f"- {name}: {_span(shown)} (stated by the model's own card)" if shown else f"- {name}: not stated"


def _span(text: str) -> str:
    """A code span that its content cannot end."""
    return f"`{visible(text).replace('`', chr(39))}`"


def _quoted(card: _Card, name: str) -> str:
    """The model's own words on a section, as a quotation."""
    lines = [] if card.documents is None else [
        line.text.strip() for s in card.documents.sections if name in s.names for line in s.lines if not line.code
    ]  # fmt: skip
    if not any(lines):
        return f"Not stated: the model's own card says nothing on {name}."
    said = clip(_masked("\n".join(line for line in lines if line)), QUOTED)
    return "In the words of the model's own card, not checked here:\n\n" + "\n".join(
        f"> {plain(line)}" for line in said.splitlines()
    )


def _disaggregating(card: _Card) -> list[Finding]:
    return [f for f in card.report if f.probe == "error_rates" and f.outcome == "measured"]


def _cells(f: Finding) -> dict[str, dict[str, EstimateView]]:
    """Cell → rate → estimate; the cell "" is everybody."""
    found: dict[str, dict[str, EstimateView]] = {}
    for name, view in f.breakdown.items():
        rate, _, cell = name.partition(", ")
        found.setdefault(cell, {})[rate] = view
    return found


def _pair(cell: str, cells: Mapping[str, object]) -> bool:
    """Whether a cell is one of a pair of factors: two other cells, of different factors, joined by "and"."""
    cuts = [(cell[: m.start()], cell[m.end() :]) for m in re.finditer(" and ", cell)]
    return any(a in cells and b in cells and a.partition("=")[0] != b.partition("=")[0] for a, b in cuts)


def _factors(card: _Card) -> str:
    names: dict[str, None] = {}
    for f in _disaggregating(card):
        cells = _cells(f)
        names |= dict.fromkeys(c.partition("=")[0] for c in cells if c and not _pair(c, cells))
        if names:
            return f"{', '.join(_span(_clean(n)) for n in names)}, one by one and in pairs ({card.link(f)})."
    return "Not measured: no table of decisions with groups was given (`--decisions`)."


def _metrics(card: _Card) -> str:
    known: dict[str, list[str]] = {}
    for f in card.report:
        if f.estimate is not None and _value(f) is not None:
            known.setdefault(f.estimate.metric, []).append(f"{plain(f.probe)} {card.link(f)}")
    lines = [f"- {plain(metric)}: {', '.join(probes)}" for metric, probes in known.items()]
    return "\n".join(lines) or "Nothing was measured."


def _data(card: _Card) -> str:
    rows = [
        [plain(d.role), plain(_clean(d.path)), f"{d.n:,}", f"`{plain(d.digest)}`", card.top] for d in card.report.data
    ]
    return _table(["Role", "File", "Records", "Digest", "Evidence"], rows) if rows else "No data was given."


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _findings(card: _Card) -> Iterator[str]:
    for dimension in DIMENSIONS:
        own = [f for f in card.report if f.dimension == dimension and f.outcome != "not run"]
        if own:
            rows = [
                [
                    f"{plain(f.question)} {_span(f.probe)}",
                    f"**{f.outcome}**",
                    plain(estimate(f.estimate)),
                    f"{f.estimate.n:,}" if f.estimate else "–",
                    card.link(f),
                ]
                for f in own
            ]
            yield f"### {dimension.capitalize()}"
            yield _table(["Question", "Outcome", "Estimate", "n", "Evidence"], rows)


def _disaggregated(card: _Card) -> Iterator[str]:
    found = _disaggregating(card)
    if not found:
        yield "### Disaggregated error rates"
        why = [f"{plain(f.reason)} {card.link(f)}" for f in card.report if f.probe == "error_rates"]
        yield f"Not measured: {'; '.join(why) or 'no table of decisions was given (`--decisions`)'}."
    for f in found:
        cells = _cells(f)
        pairs = {c: rates for c, rates in cells.items() if _pair(c, cells)}
        alone = {c: rates for c, rates in cells.items() if c not in pairs}
        few = any(view.n < SMALL for rates in cells.values() for view in rates.values())
        for title, part in (("Error rates by factor", alone), ("Error rates by pairs of factors", pairs)):
            if part:
                yield f"### {title}"
                yield _table(["Group", *RATES, "Evidence"], [_row(card, f, c, rates) for c, rates in part.items()])
        yield f"Rates with their 95 % interval ({card.link(f)}); n counts the records that a rate is about." + (
            f" † marks fewer than {SMALL} records: only the interval is shown." if few else ""
        )


def _row(card: _Card, f: Finding, cell: str, rates: Mapping[str, EstimateView]) -> list[str]:
    shown = [_rate(rates[name]) if name in rates else "–" for name in RATES]
    return [plain(_clean(cell)) or "everybody", *shown, card.link(f)]


def _rate(view: EstimateView) -> str:
    if view.n < SMALL:
        return f"† {plain(interval(view))}, n = {view.n}"
    return f"{plain(f'{number(view.value)} {interval(view)}')}, n = {view.n:,}"


def _ethical(card: _Card) -> str:
    named = ("privacy", "safety", "fairness", "ethics")
    lines = [
        f"- {_span(f.probe)} {plain(f.question)} {plain(sentence(f))} {card.link(f)}"
        for f in card.report
        if f.dimension in named and f.outcome == "evidence"
    ]
    blank = [d for d in named if not any(f.dimension == d and f.outcome != "not run" for f in card.report)]
    lines += [f"- {d.capitalize()}: not measured." for d in blank]
    return "\n".join(lines) or "Nothing was found to say here; what that means stands under the caveats."


def _caveats(card: _Card) -> Iterator[str]:
    report = card.report
    yield "- Finding nothing says no more than a probe could have seen; a rate holds for the data that it was taken on."
    for f in report:
        if f.outcome == "inconclusive":
            yield f"- {plain(f.probe)}: {plain(sentence(f))} {card.link(f)}"
        elif f.outcome == "no evidence":
            yield f"- {plain(f.probe)}: {plain(limit_sentence(f.detection_limit))} {card.link(f)}"
        elif f.outcome == "not run":
            yield f"- Not measured: {plain(f.question)} {plain(clip(f.reason, 300))} {card.link(f)}"
    for dimension in DIMENSIONS:
        if not any(f.dimension == dimension for f in report):
            yield f"- Not measured: {dimension}; no probe of it was asked."
    for note in report.notes:
        yield f"- {plain(note)} ({card.top})"
