"""What a scan says: findings, the verdict of a file, the whole result, and how hostile text is printed."""

from __future__ import annotations

from probatum.scan.rules import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

#: From best to worst. A file has the worst verdict of its findings.
INERT = "proved inert"
NOT_COVERED = "not covered"
UNKNOWN_CODE = "executes unknown code"
DANGEROUS = "dangerous"
VERDICTS = (INERT, NOT_COVERED, UNKNOWN_CODE, DANGEROUS)

#: Longest text of a file that is repeated in a message.
QUOTED = 120


class Finding:
    """One sentence about one place.

    Parameters
    ----------
    rule
        A rule id, see `probatum.scan.rules`; it fixes severity and verdict.
    message
        One plain sentence. What comes from the file must have gone through `printable` or `quote`.
    member
        Path inside the file ("archive/data.pkl"); "" for the file itself.
    offset
        Byte offset within the member, or None.
    trace
        The steps that lead there, first one first.
    """

    __slots__ = ("member", "message", "offset", "rule", "trace")

    def __init__(
        self, rule: str, message: str, *, member: str = "", offset: int | None = None, trace: Sequence[str] = ()
    ) -> None:
        self.rule, self.message, self.member, self.offset, self.trace = rule, message, member, offset, tuple(trace)

    @property
    def severity(self) -> str:
        """``note``, ``warning`` or ``error``."""
        return RULES[self.rule].severity

    @property
    def verdict(self) -> str:
        """The best verdict that a file with this finding can have."""
        return RULES[self.rule].verdict

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "member": printable(self.member),
            "offset": self.offset,
            "message": self.message,
            "trace": list(self.trace),
        }


class FileResult:
    """The verdict of one file: the worst of its findings."""

    __slots__ = ("findings", "format", "path")

    def __init__(self, path: str, format: str, findings: Sequence[Finding]) -> None:
        self.path, self.format, self.findings = path, format, tuple(findings)

    @property
    def verdict(self) -> str:
        return worst(f.verdict for f in self.findings)

    @property
    def covered(self) -> bool:
        """Was every part of the file analyzed? A dangerous file may be covered or not."""
        return all(f.verdict != NOT_COVERED for f in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": printable(self.path),
            "format": self.format,
            "verdict": self.verdict,
            "findings": [f.to_json() for f in self.findings],
            "covered": self.covered,
        }


class Result:
    """All files of a scan, in the order of their paths."""

    __slots__ = ("files", "versions")

    def __init__(self, files: Iterable[FileResult], versions: dict[str, str]) -> None:
        self.files, self.versions = tuple(files), versions

    @property
    def verdict(self) -> str:
        return worst(f.verdict for f in self.files)

    @property
    def summary(self) -> dict[str, int]:
        """How many files have each verdict."""
        return {verdict: sum(f.verdict == verdict for f in self.files) for verdict in VERDICTS}

    def to_json(self) -> dict[str, Any]:
        return {
            "files": [f.to_json() for f in self.files],
            "summary": {"verdict": self.verdict, **self.summary},
            "versions": self.versions,
        }


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts; of none, `proved inert`."""
    return max(verdicts, key=VERDICTS.index, default=INERT)


def printable(text: str) -> str:
    """``text`` with control, bidirectional, zero-width and unpaired characters escaped: safe for a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quote(text: str) -> str:
    """Text of a file inside a message: printable, shortened in the middle, in quotes."""
    shown = printable(text[: QUOTED * 4])
    if len(shown) > QUOTED or len(text) > QUOTED * 4:
        shown = shown[: QUOTED - 20] + " … " + printable(text[-12:])
    return f"'{shown}'"
