"""What one scan may spend. A spent budget is said (`not covered`), never passed over."""

from __future__ import annotations


class Spent(Exception):
    """A budget is used up; ``args[0]`` says which and how large it was."""


class Budget:
    """Counters, not clocks, so that a scan gives the same answer on every machine.

    Parameters
    ----------
    steps
        Opcodes and other units of parsing.
    inflated
        Bytes that decompression may give, over the whole scan.
    ratio
        Largest growth of one compressed member, beyond its first MiB.
    depth
        Containers within containers.
    members
        Members of archives, over the whole scan.
    findings
        Findings kept for one file.
    """

    def __init__(
        self,
        *,
        steps: int = 500_000_000,
        inflated: int = 1 << 30,
        ratio: int = 200,
        depth: int = 6,
        members: int = 200_000,
        findings: int = 200,
    ) -> None:
        self.steps, self.inflated, self.ratio = steps, inflated, ratio
        self.depth, self.members, self.findings = depth, members, findings
        self.steps_used = self.inflated_used = self.members_used = 0

    @property
    def steps_left(self) -> int:
        return self.steps - self.steps_used

    def spend_steps(self, count: int) -> None:
        self.steps_used += count
        if self.steps_used > self.steps:
            raise Spent(f"the budget of {self.steps:,} steps is spent")

    def spend_inflated(self, size: int) -> None:
        self.inflated_used += size
        if self.inflated_used > self.inflated:
            raise Spent(f"the budget of {self.inflated:,} inflated bytes is spent")

    def spend_member(self) -> None:
        self.members_used += 1
        if self.members_used > self.members:
            raise Spent(f"the budget of {self.members:,} archive members is spent")

    def check_depth(self, depth: int) -> None:
        if depth > self.depth:
            raise Spent(f"containers are nested deeper than {self.depth}")
