"""Null responders: they answer every question and know nothing. What they reach, a set gives away for free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probatum.core.access import Access
from probatum.core.draws import keyed
from probatum.core.ragged import Ragged
from probatum.core.target import OptionScores, Target


class Responder(Target):
    """Prefers an option by a rule that never looks at what the question means."""

    kind = "null responder"
    access = Access.LOGPROBS

    def __init__(self, name: str, prefer: Callable[[str, Sequence[str]], Sequence[float]]):
        self.name = name
        self.digest = self.tokenizer_digest = f"null responder: {name}"
        self._prefer = prefer

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """The rule's preference as if it were a log-probability; one token an option."""
        logprob = Ragged.of([self._prefer(p, o) for p, o in zip(prompts, options, strict=True)], dtype=float)
        sizes = Ragged.of([[len(x.encode()) for x in o] for o in options], dtype=np.int64)
        return OptionScores(logprob, Ragged(np.ones(len(logprob.values), np.int64), logprob.offsets), sizes)


RESPONDERS = (
    Responder("constant", lambda _, options: [-float(i) for i in range(len(options))]),
    Responder("longest", lambda _, options: [float(len(x)) for x in options]),
    Responder("random", lambda prompt, options: list(keyed("responder", prompt, *options).random(len(options)))),
)
