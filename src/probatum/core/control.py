"""A case with planted truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from probatum.core.data import Data
from probatum.core.target import Target


@dataclass(frozen=True)
class Control:
    """One case: what a probe is run on, and what is known to be so there.

    ``dose`` is the dose of the whole case; None where every record carries its own (`Data.dose`). ``target`` and
    ``roles`` are names of built-in models, or opened targets. ``expected`` is for measures, which have no p-value: the
    range in which a measure that works must lie on this case.
    """

    name: str
    kind: Literal["positive", "negative"]
    target: str | Target
    data: Mapping[str, Data] = field(default_factory=dict)
    roles: Mapping[str, str | Target] = field(default_factory=dict)
    dose: float | None = None
    unit: str = "exposures"
    expected: tuple[float, float] | None = None

    @property
    def target_name(self) -> str:
        """For people."""
        return self.target if isinstance(self.target, str) else self.target.name

    @property
    def digest(self) -> str:
        """Of everything that is planted; built-in models by name, since the sources' digest covers their weights."""
        from probatum.core.data import digest_of

        def of(target: str | Target) -> str:
            return target if isinstance(target, str) else target.digest

        parts = [f"{k}={v.digest}" for k, v in sorted(self.data.items())]
        roles = [f"{k}={of(v)}" for k, v in sorted(self.roles.items())]
        return digest_of(
            self.name, self.kind, of(self.target), *parts, *roles, str(self.dose), self.unit, str(self.expected)
        )


@dataclass(frozen=True)
class InSitu:
    """Controls for one method on the subject's own copy, and in words what was planted where."""

    controls: Sequence[Control]
    where: str
