"""All findings of one audit. Its JSON is the truth; every other output is a view of it."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field

from probatum.core.errors import BadInput
from probatum.core.finding import DIMENSIONS, Finding
from probatum.core.plain import from_plain, to_plain
from probatum.core.receipt import Receipt

#: Raised by one whenever a key is renamed, removed, or changes its meaning. New keys do not raise it.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Subject:
    """The model under audit."""

    name: str
    kind: str
    digest: str
    access: tuple[str, ...]
    parameter_count: int | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class DataUsed:
    """One file that was read; the path is as the user gave it, never absolute."""

    role: str
    path: str
    digest: str
    n: int


@dataclass(frozen=True)
class PolicyVerdict:
    """What a policy made of the findings: ids of findings that failed, with the reason."""

    name: str
    passed: bool
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CostView:
    """What the audit spent, controls included."""

    forward_passes: int = 0
    forward_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """One audit. ``report["privacy"]`` gives the findings of a dimension, ``report["loss"]`` those of a probe."""

    schema_version: int
    subject: Subject
    data: tuple[DataUsed, ...]
    findings: tuple[Finding, ...]
    policy: PolicyVerdict | None
    cost: CostView
    versions: dict[str, str]
    created: str
    command: str = ""  #: how to reproduce it
    primary: dict[str, str] = field(default_factory=dict)  #: dimension → the probe that stands for it in a summary
    declared: tuple[str, ...] = ()  #: the probes that were declared primary before anything was seen, in order
    notes: tuple[str, ...] = ()
    complete: bool = True  #: False: interrupted, or a probe crashed
    parent: str | None = None
    receipt: Receipt | None = None  #: of a repaired model: before, after and gold

    def __getitem__(self, name: str) -> Report:
        """The part of the report about one dimension or one probe."""
        part = tuple(f for f in self.findings if name in (f.dimension, f.probe))
        if not part:
            known = sorted({f.probe for f in self.findings} | set(DIMENSIONS))
            raise KeyError(f"no finding of '{name}'; there are {', '.join(known)}")
        return dataclasses.replace(self, findings=part)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def to_json(self) -> str:
        """Canonical: keys in the order of the schema, mappings sorted, null for no number, a final newline."""
        return json.dumps(to_plain(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read back what `to_json` wrote. Raises `BadInput` for anything else."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise BadInput(f"not a report: {error}") from error
        if not isinstance(raw, dict) or "schema_version" not in raw:
            raise BadInput("not a report: expected a JSON object with a 'schema_version'")
        if raw["schema_version"] != SCHEMA_VERSION:
            raise BadInput(
                f"this report has schema version {raw['schema_version']}, this Probatum reads {SCHEMA_VERSION}; "
                "read it with the version that wrote it"
            )
        try:
            return typing.cast(Report, from_plain(cls, raw))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"not a report: {error}") from error
