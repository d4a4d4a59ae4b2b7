"""JSON: configuration, tokenizers, indices. Data, except for keys that make a loader run code."""

from __future__ import annotations

import json
import re

from probatum.scan import secrets
from probatum.scan.config import check
from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.jinja_ import scan_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source


NAME = "json"
EXCLUSIVE = False

LARGEST = 64 << 20
_START = re.compile(rb"\s*[\[{]")


def sniff(head: bytes, source: Source) -> bool:
    """An object or a list, in text."""
    return bool(_START.match(head)) and text.sniff(head, source)


def scan(source: Source, context: Context) -> str | None:
    """Parse it whole, twice-used keys refused, then look at every key."""
    if source.size > LARGEST:
        context.report("BUD001", f"JSON longer than {LARGEST:,} bytes was not parsed", source)
        return None
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            twice.append(next(k for n, (k, _) in enumerate(items) if k in {j for j, _ in items[:n]}))
        return found

    context.budget.spend_steps(source.size)
    try:
        value = json.loads(source.read(0, source.size), object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        lines = _by_lines(source, pairs)
        if lines is None:
            if isinstance(error, RecursionError):
                context.report("CFG003", "JSON nested too deeply", source)
            else:
                text.scan(source, context)
            return None if isinstance(error, RecursionError) else "text"
        value = lines
    if twice:
        context.report("CFG003", f"the key {quote(twice[0])} stands twice in an object", source)
    check(value, source, context, scan_template)
    secrets.report(source, context)
    return None


def _by_lines(source: Source, pairs: Any) -> list[Any] | None:
    """JSON lines, or None."""
    try:
        lines = source.read(0, source.size).splitlines()
        return [json.loads(line, object_pairs_hook=pairs) for line in lines if line.strip()]
    except (ValueError, RecursionError):
        return None
