"""Requests that come one by one, answered together: one call of the engine for all that wait.

Whoever comes while the engine is free waits for a moment, takes all that has come by then, and has it answered in one
call; who comes meanwhile waits for the next call. No task runs in the background that could be left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread

PAUSE = 0.02  #: seconds within which a further request must come, or the batch is closed

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Waiting(Generic[Ask]):
    ask: Ask
    done: bool = False
    answer: Any = None
    error: Exception | None = None


class Queue(Generic[Ask, Answer]):
    """``answer(requests)`` gives one answer for each; it is called in a thread, one call at a time.

    ``calls`` counts the calls so far, ``largest`` the most requests of one of them.
    """

    def __init__(self, answer: Callable[[Sequence[Ask]], Sequence[Answer]], pause: float = PAUSE):
        self._answer, self._pause = answer, pause
        self._waiting: list[_Waiting[Ask]] = []
        self._engine = anyio.Lock()
        self.calls = self.largest = 0

    async def ask(self, request: Ask) -> Answer:
        """The answer to one request; raises what the call for it raised."""
        mine = _Waiting(request)
        self._waiting.append(mine)
        try:
            async with self._engine:
                if not mine.done:
                    await self._gather()
                    batch, self._waiting = self._waiting, []
                    await anyio.to_thread.run_sync(self._fill, batch)
        finally:
            if mine in self._waiting:  # canceled before its turn: nobody would read the answer
                self._waiting.remove(mine)
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[no-any-return]

    async def _gather(self) -> None:
        """Until a pause passes in which nobody came."""
        before = 0
        while before < len(self._waiting):
            before = len(self._waiting)
            await anyio.sleep(self._pause)

    def _fill(self, batch: Sequence[_Waiting[Ask]]) -> None:
        self.calls += 1
        self.largest = max(self.largest, len(batch))
        try:
            for one, answer in zip(batch, self._answer([one.ask for one in batch]), strict=True):
                one.answer = answer
        except Exception as error:  # the failure of all requests of the call, not only of the one that made it
            for one in batch:
                one.error = error
        for one in batch:
            one.done = True
