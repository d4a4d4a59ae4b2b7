"""Which scanner said this. The verdict depends on nothing that is installed beside it."""

from __future__ import annotations

import sys

#: Raised by every change that can change a verdict.
RULESET = "3"


def versions() -> dict[str, str]:
    """The rule set, and the Python that ran it."""
    return {"ruleset": RULESET, "python": ".".join(map(str, sys.version_info[:3]))}
