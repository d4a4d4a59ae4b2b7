"""What an audit costs, counted where it is spent."""

from __future__ import annotations

from dataclasses import dataclass

from probatum.core.errors import BudgetSpent


@dataclass
class Cost:
    """Counters of one audit. ``cached_tokens`` were answered by the store instead of a forward pass."""

    forward_passes: int = 0
    forward_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


@dataclass
class Budget:
    """At most ``limit`` forward tokens (generated ones included) of the subject; None is no limit."""

    limit: int | None = None
    spent: int = 0

    def spend(self, tokens: int) -> None:
        """Book ``tokens`` before they are computed, or raise `BudgetSpent` and book nothing."""
        if self.limit is not None and self.spent + tokens > self.limit:
            raise BudgetSpent(f"budget: {self.spent} of {self.limit} tokens are spent and {tokens} more are needed")
        self.spent += tokens
