"""Progress: a line that moves on a terminal, a few quiet lines in a log, nothing where it was asked for."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self


class Progress:
    """Shows which probe runs, how fast tokens pass, and how long it may still take."""

    def __init__(self, title: str, *, quiet: bool = False):
        self.title, self.quiet = title, quiet
        self._bar: Any = None
        self._task: Any = None
        self._label = ""
        self.cost: Any = None  #: counters of the session, shown as they grow
        self._started = self._spoken = time.monotonic()

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(24),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=1, rate="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, done: int, total: int, name: str) -> None:
        """Called before each probe."""
        self._label = name
        if self._bar is not None:
            self._bar.update(
                self._task, description=f"{self.title} · {name or 'report'}", completed=done, total=total, rate=""
            )
        elif not self.quiet and name and time.monotonic() - self._spoken > 10:
            self._spoken = time.monotonic()
            print(f"{self.title}: {done} of {total} probes, now {name}", file=sys.stderr, flush=True)

    def tokens(self, what: str, done: int, total: int) -> None:
        """Called by the engine after each batch."""
        if self._bar is None:
            return
        if done <= 1 or getattr(self, "_what", None) != (what, total):
            self._what, self._started = (what, total), time.monotonic()
        seconds = max(time.monotonic() - self._started, 1e-3)
        left = (total - done) * seconds / max(done, 1)
        rate = f"{what} {done:,}/{total:,} · {done / seconds:,.0f}/s · {left:.0f} s left"
        if self.cost is not None and self.cost.forward_tokens:
            rate += f" · {self.cost.forward_tokens:,} tokens so far"
        self._bar.update(self._task, rate=rate)
