"""Scan bytes from a test."""

from __future__ import annotations

from probatum.scan import Budget, FileResult
from probatum.scan.context import Context
from probatum.scan.dispatch import scan_source
from probatum.scan.source import Source


def scan_bytes(data: bytes, name: str = "file", budget: Budget | None = None) -> FileResult:
    """The result for bytes as if they were a file of this name."""
    source, context = Source(name, data=data), Context(budget or Budget())
    return FileResult(name, scan_source(source, context), context.findings)


def rules(result: FileResult) -> set[str]:
    return {finding.rule for finding in result.findings}
