"""The result for a terminal. Everything that comes from a file is escaped."""

from __future__ import annotations

from probatum.scan.finding import INERT, VERDICTS, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.finding import Finding, Result
    from probatum.scan.intake import Intake


def lines(result: Result, quiet: bool = False) -> Iterator[str]:
    """Worst files first, with their findings; inert ones in one line each; then the counts."""
    files = sorted(result.files, key=lambda f: -VERDICTS.index(f.verdict))
    for file in files:
        if quiet and file.verdict == INERT:
            continue
        yield f"{file.verdict:<22}  {printable(file.path)}  ({file.format})"
        for finding in sorted(file.findings, key=lambda f: -VERDICTS.index(f.verdict)):
            yield from _finding(finding)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in result.summary.items() if n)
    yield f"{len(result.files)} files: {counts or 'nothing to scan'}"


def _finding(finding: Finding) -> Iterator[str]:
    place = printable(finding.member) + (f" at {finding.offset}" if finding.offset is not None else "")
    yield f"    {finding.rule} {finding.severity}: {finding.message}" + (f"  [{place.strip()}]" if place else "")
    if finding.trace and finding.severity != "note":
        yield f"        {' → '.join(finding.trace)}"


def intake_lines(found: list[Intake]) -> Iterator[str]:
    """For every model one sentence, and a table unless it is a single file."""
    for intake in found:
        yield intake.sentence if len(found) == 1 else f"{printable(intake.path)}: {intake.sentence}"
        if not intake.alone:
            yield ""
            for question, answer in intake.rows():
                yield f"  {question:<20} {answer}"
            yield ""


def sentence(result: Result) -> str:
    """One sentence for who has to decide."""
    return {
        "proved inert": "Every byte was explained and no loader can reach code: it may be loaded.",
        "not covered": "Nothing dangerous was found, but parts were not read: they are named above.",
        "executes unknown code": "Loading it runs code that is not known: load it only if you trust the author.",
        "dangerous": "Do not load it.",
    }[result.verdict]
