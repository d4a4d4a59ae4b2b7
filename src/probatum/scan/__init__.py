"""The scanner: what is in this file or directory, and does opening it run code?

Standard library only, and nothing of the rest of Probatum: it runs in a container that has Python and nothing else
(``python -m probatum.scan PATH``). Nothing is loaded, imported, fetched, or inflated without bound. A file is
*proved inert* only if every byte of it was explained and no loader can reach code; what could not be read or is not
known is *not covered*, never clean.

``scan(paths)`` is the whole interface; ``rules.explain(id)`` says what a rule means.
"""

from __future__ import annotations

from probatum.scan.budget import Budget
from probatum.scan.finding import VERDICTS, FileResult, Finding, Result
from probatum.scan.tree import BadPath, scan

__all__ = ["VERDICTS", "BadPath", "Budget", "FileResult", "Finding", "Result", "scan"]
