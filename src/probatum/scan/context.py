"""What a format gets beside its source: where to report, what may be spent, and the way back for nested payloads."""

from __future__ import annotations

from probatum.scan.budget import Budget, Spent
from probatum.scan.finding import Finding, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from probatum.scan.source import Source


class Context:
    """One file on its way through the formats.

    ``depth`` counts the containers around the present source. Findings of all members of a file go to one list.
    """

    __slots__ = ("_seen", "budget", "depth", "findings")

    def __init__(self, budget: Budget, depth: int = 0, findings: list[Finding] | None = None) -> None:
        self.budget, self.depth = budget, depth
        self.findings = [] if findings is None else findings
        self._seen: set[tuple[str, str, str]] = set()

    def report(
        self, rule: str, message: str, source: Source, *, offset: int | None = None, trace: Sequence[str] = ()
    ) -> None:
        """Note a finding once for each (rule, member, message), up to the budget; the first offset stands."""
        key = (rule, source.name, message)
        if key in self._seen:
            return
        self._seen.add(key)
        new = Finding(rule, message, member=source.name, offset=offset, trace=trace)
        if len(self.findings) < self.budget.findings:
            self.findings.append(new)
        elif worst([f.verdict for f in self.findings] + [new.verdict]) != worst(f.verdict for f in self.findings):
            self.findings[-1] = new  # a full list still takes what makes the verdict worse

    def scan_member(self, source: Source) -> str:
        """Send a nested payload back to the formats, one level deeper; gives the name of its format."""
        from probatum.scan.dispatch import scan_source

        try:
            self.budget.spend_member()
            self.budget.check_depth(self.depth + 1)
        except Spent as spent:
            self.report("BUD001", f"{spent.args[0]}; this member was not read", source)
            return "unknown"
        return scan_source(source, Context(self.budget, self.depth + 1, self.findings))
