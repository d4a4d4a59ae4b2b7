"""A Python function as a target: it gets the messages of a conversation and gives the text of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.engine.store import MemoryStore
from probatum.engine.stored import Batch, Failure, StoredTarget

Messages = Sequence[Mapping[str, str]]


class FunctionTarget(StoredTarget):
    """``function(messages) -> str``, called once for every conversation, in order.

    Parameters
    ----------
    name, version
        What it answers is kept as evidence only under both: a function has no digest, and whoever changes what it does
        must say so by another version. Without them its answers live as long as the audit. A callable object may carry
        them as its attributes ``name`` and ``version``.

    Notes
    -----
    ``messages`` is a list of ``{"role": …, "content": …}``. An exception, or anything but a text, is the failure of
    that one conversation; the others are still asked.
    """

    kind = "function"
    access = Access.TEXT
    chats = True

    def __init__(
        self,
        function: Callable[[list[dict[str, str]]], str],
        *,
        session: Session,
        name: str = "",
        version: str = "",
    ):
        name = name or str(getattr(function, "name", ""))
        version = version or str(getattr(function, "version", ""))
        if bool(name) != bool(version):
            raise BadInput("a function is kept as evidence under a name and a version: give both, or neither")
        super().__init__(session)
        if not name:
            self._store = MemoryStore()
        self._function = function
        self.name = name or getattr(function, "__qualname__", type(function).__name__)
        self.digest = digest_of("function", self.name, version or f"unnamed {id(function)}")
        self.tokenizer_digest = self.digest

    def _compute_chats(
        self, conversations: Sequence[Messages], max_new_tokens: int, temperature: float, seed: int
    ) -> Iterator[Batch]:
        for i, talk in enumerate(conversations):
            yield [i], [self._asked([dict(turn) for turn in talk])]

    def _asked(self, talk: list[dict[str, str]]) -> str | Failure:
        self.session.cost.forward_passes += 1
        asked = talk[-1].get("content", "") if talk else ""
        why = ""
        try:
            said: Any = self._function(talk)
            if not isinstance(said, str):
                why = f"the function gave {type(said).__name__}, expected a text"
        except Exception as error:  # whatever the user's code raises is the failure of this conversation
            why = f"the function raised {type(error).__name__}: {error}"
        if why:
            self.failures[asked] = why  # by the prompt, as the records of a task are called
            return Failure(why)
        self.failures.pop(asked, None)
        return str(said)

    def _compute_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int
    ) -> Iterator[Batch]:
        """A prompt by itself is a conversation of one turn."""
        for i, prompt in enumerate(prompts):
            said = self._asked([{"role": "user", "content": prompt}])
            yield [i], [said.split(stop, 1)[0] if stop and isinstance(said, str) else said]
