"""Numbers written as text (protocol 0), as the C and the Python loader read them.

The loaders differ: C takes ``0x10`` in INT through strtol, reads ``010`` as 8, ``+0`` as False and stops at a NUL;
Python refuses or reads otherwise; bases changed between versions (CPython gh-126992). What is canonical has one
value for all; what only some take is a number of unknown value; what none takes is an error.
"""

from __future__ import annotations

import re

from probatum.scan.pickle.values import NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value


class NoNumber(ValueError):
    """Every loader refuses this text."""


_CANONICAL = re.compile(rb"0|-?[1-9][0-9]{0,40}")
_MAYBE_INT = re.compile(rb"\s*[+-]?[0-9][0-9A-Za-z_]*\s*|")  # C reads nothing, before a NUL, as 0
_MAYBE_FLOAT = re.compile(rb"\s*[+-]?[0-9A-Za-z_.+-]+\s*")
_MEMO_KEY = re.compile(rb"\s*[+-]?[0-9][0-9_]{0,40}\s*")


def integer(line: bytes, truth: bool = True) -> tuple[Value, bool]:
    """(value, do all loaders agree?) of the line after INT, or LONG (no ``truth``: there 01 is no True)."""
    if line.isdigit() and line[0] != 48 and len(line) <= 40:
        return int(line), True
    if truth and line in (b"00", b"01"):
        return line == b"01", True
    if line[-1:] == b"L":
        line = line[:-1]
    if _CANONICAL.fullmatch(line):
        return int(line), True
    if _MAYBE_INT.fullmatch(line.split(b"\0")[0]):
        return NUMBER, bool(re.fullmatch(rb"-?[1-9][0-9]*", line))
    raise NoNumber


def floating(line: bytes) -> tuple[Value, bool]:
    """The same for FLOAT; the value is never needed."""
    text = line.split(b"\0")[0]
    if not _MAYBE_FLOAT.fullmatch(text):
        raise NoNumber
    try:
        float(text)
    except ValueError:
        raise NoNumber from None
    return NUMBER, text == line and b"_" not in line and line.strip() == line


def memo_key(line: bytes) -> int:
    """The index after GET and PUT: base 10, blanks and underscores allowed, C stops at a NUL."""
    if line.isdigit() and len(line) <= 40:
        return int(line)
    text = line.split(b"\0")[0]
    if not _MEMO_KEY.fullmatch(text):
        raise NoNumber
    try:
        key = int(text)
    except ValueError:
        raise NoNumber from None
    if key < 0:
        raise NoNumber
    return key
