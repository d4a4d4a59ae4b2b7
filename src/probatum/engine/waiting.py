"""Prompts that wait to be continued, in the order in which they are best taken.

Those that begin alike (a system prompt, a few-shot header) stand together, so that their common start is read once;
the longest stand first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from probatum.engine.batches import common_start

_FEW = 4  # prompts from which on a common start is worth a cache
_BLOCK = 16  # tokens in which prompts agree before their common start is looked for
_GAIN = 256  # tokens that it must save, since it is a pass of its own
_LEVELS = 4  # common starts within common starts: a system prompt, a header of a task, ...


@dataclass
class Row:
    """A prompt on its way; ``index`` is its caller's and ``limit`` the number of new tokens that it may have.

    The rest is filled in: the ``new`` tokens; the ``group`` of those that begin with the same ``shared`` tokens (group
    0 shares none); its place in the ``order``, and the ``widest`` row from there on.
    """

    index: int
    sequence: np.ndarray
    limit: int
    new: list[int] = field(default_factory=list)
    draws: np.ndarray | None = None
    group: int = 0
    shared: int = 0
    order: int = 0
    widest: int = 0

    @property
    def whole(self) -> int:
        """Tokens that it may come to."""
        return len(self.sequence) + self.limit

    @property
    def tail(self) -> int:
        """Tokens that it reads by itself."""
        return len(self.sequence) - self.shared


@dataclass(frozen=True)
class Hands:
    """What continuing asks of its caller.

    ``pick(features, rows)`` gives the next token of every row and ``over(row)`` says whether that was its last one;
    so does a token of ``ends``. ``book(tokens)`` is called before and ``count_pass()`` at every forward pass.
    """

    pick: Callable[[Any, Sequence[Row]], np.ndarray]
    over: Callable[[Row], bool]
    ends: frozenset[int]
    book: Callable[[int], None]
    count_pass: Callable[[], None]


def in_order(rows: Sequence[Row]) -> list[Row]:
    """The same rows, groups together, the longest first."""
    groups, rest = _groups(rows, 0, _LEVELS)
    for number, (group, shared) in enumerate(groups, 1):
        for row in group:
            row.group, row.shared = number, shared
    lists = [sorted(own, key=lambda row: -row.whole) for own in [*(group for group, _ in groups), rest] if own]
    ordered = [row for own in sorted(lists, key=lambda own: -own[0].whole) for row in own]
    widest = 0
    for order, row in reversed(list(enumerate(ordered))):
        widest = max(widest, row.whole)
        row.order, row.widest = order, widest
    return ordered


def _groups(rows: Sequence[Row], depth: int, levels: int) -> tuple[list[tuple[list[Row], int]], list[Row]]:
    """(groups of rows with the length of their common start, the others); all rows agree in ``depth`` tokens."""
    alike: dict[bytes, list[Row]] = {}
    groups: list[tuple[list[Row], int]] = []
    rest: list[Row] = []
    for row in rows:
        if levels and len(row.sequence) > depth + _BLOCK:
            alike.setdefault(row.sequence[depth : depth + _BLOCK].tobytes(), []).append(row)
        else:
            rest.append(row)
    for own in alike.values():
        if len(own) < _FEW:
            rest += own
            continue
        # Every row keeps a token of its own to be predicted from.
        start = min(common_start([row.sequence for row in own]), *(len(row.sequence) - 1 for row in own))
        inner, loose = _groups(own, start, levels - 1)
        groups += inner
        if len(loose) >= _FEW and len(loose) * (start - depth) - start >= _GAIN:
            groups.append((loose, start))
        else:
            rest += loose
    return groups, rest
