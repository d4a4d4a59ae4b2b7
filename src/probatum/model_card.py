"""A model card from the evidence of an audit (P051): audits where no report is given, and writes card and evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from probatum.audit import audit
from probatum.core.access import Access
from probatum.core.errors import BadInput
from probatum.core.report import Report
from probatum.engine.session import Session
from probatum.files.documents import read_documents
from probatum.targets import open_target

#: What is asked of a table of decisions for the disaggregated part.
DECISIONS = ("error_rates", "group_metrics")


def write_model_card(
    model: str | Path,
    out: str | Path = "README.md",
    *,
    report: str | Path | None = None,
    decisions: str | Path | None = None,
    label: str | None = None,
    prediction: str | None = None,
    groups: Sequence[str] = (),
    suite: str = "default",
    force: bool = False,
    session: Session | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write a model card, and beside it the folder ``STEM-evidence`` with the report that its numbers link to.

    Parameters
    ----------
    model
        What `open_target` opens.
    report
        A ``report.json`` of this very model; without one the model is audited with ``suite``.
    decisions, label, prediction, groups
        A table of decisions by this model, and its columns, for error rates by group and by pairs of factors.
    force
        Write over a card and evidence that are there.

    Raises
    ------
    BadInput
        The card is there already; the report is about another model; the table cannot be read.
    """
    out = Path(out)
    evidence = out.parent / f"{out.stem}-evidence"
    _refuse(out, evidence, force)
    if decisions is None and (label or prediction or groups):
        raise BadInput("--label, --prediction and --group name columns of a table; name it with --decisions FILE")
    if decisions is not None and (prediction is None or label is None or not groups):
        raise BadInput("--decisions needs --prediction NAME, --label NAME and at least one --group NAME")
    session = session or Session()
    target = open_target(model, session=session)
    found = _load(Path(report)) if report is not None else audit(model, suite=suite, session=session, seed=seed)
    if found.subject.digest != target.digest[:16]:
        raise BadInput(
            f"{report}: is about another model ({found.subject.name}, digest {found.subject.digest}; "
            f"{model} has {target.digest[:16]}); audit this one"
        )
    if decisions is not None:
        more = audit(
            decisions, prediction=prediction, label=label, groups=groups, probes=DECISIONS, session=session, seed=seed
        )
        found = _joined(found, more)
    documents = read_documents(target.files()) if Access.BYTES in target.access else None
    from probatum.reports import write
    from probatum.reports.files import write_all
    from probatum.reports.model_card import model_card

    text = model_card(found, documents, evidence.name)
    return [*write_all(out.parent, {out.name: text}), *write(found, evidence)]


def _refuse(out: Path, evidence: Path, force: bool) -> None:
    if out.is_dir():
        raise BadInput(f"{out} is a directory; name a file for the card")
    for place in (out, evidence):
        if place.exists() and not force:
            raise BadInput(f"{place} is there already; name another file with --out, or write over it with --force")


def _load(path: Path) -> Report:
    from probatum.reports.schema import check

    try:
        return check(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as a report ({error})") from error


def _joined(report: Report, more: Report) -> Report:
    """One report with the findings of both; which findings are about the table is said in a note."""
    note = f"{' and '.join(DECISIONS)} are about {more.subject.name}; that these decisions are the model's is on trust"
    return dataclasses.replace(
        report,
        findings=(*report.findings, *more.findings),
        data=(*report.data, *more.data),
        notes=(*report.notes, *more.notes, note),
    )
