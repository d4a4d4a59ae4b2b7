"""To other evaluation harnesses and back, each an extra of the package: Inspect, and lm-evaluation-harness.

Nothing here is imported unless it is asked for, and nothing elsewhere needs it.
"""

from __future__ import annotations

from probatum.core.errors import BadInput


class NotInstalled(BadInput, ImportError):
    """The package of a bridge is not there."""


def absent(package: str, extra: str) -> NotInstalled:
    """The sentence for a package that is not installed."""
    return NotInstalled(f"this needs the package {package}; install it with: pip install 'probatum[{extra}]'")
