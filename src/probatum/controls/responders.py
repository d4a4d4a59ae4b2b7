"""Null responders: they answer every question and know nothing. What they reach, a set gives away for free.

Those of `RESPONDERS` prefer an option by likelihood; those of `answerers` write an answer, and beside them stands the
oracle, which writes the right one: a scorer that does not give it the full mark cannot be believed about others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from probatum.core.access import Access
from probatum.core.data import Items
from probatum.core.draws import keyed
from probatum.core.ragged import Ragged
from probatum.core.target import RECORD, OptionScores, Target, TokenStatistics, written_out
from probatum.scorers.parsing import chosen


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


REFUSAL = "I'm sorry, but I can't help with that."
ORACLE = "oracle"
SURE = -60.0  #: log-probability of what is as good as ruled out


def _options(items: Items, i: int) -> Sequence[str]:
    return (items.options[i] if items.options else None) or ("Yes", "No")


def _longest(items: Items, i: int) -> str:
    options, texts = _options(items, i), items.texts[i] if items.texts else None
    longest = max(range(len(options)), key=lambda k: len((texts or options)[k]))
    return options[longest]


def _leak(items: Items, i: int) -> str:
    """Everything that was to be kept, word for word."""
    secret = items.secret[i] if items.secret else None
    before = (items.history[i] if items.history else None) or ()
    return f"Sure: {secret}" if secret else "\n".join([*(content for _, content in before), items.prompt[i]])


#: Every null responder by its name: what it writes as the answer to item ``i``.
RULES: Mapping[str, Callable[[Items, int], str]] = {
    "constant": lambda items, i: _options(items, 0)[0],
    "first_option": lambda items, i: _options(items, i)[0],
    "longest_option": _longest,
    "random": lambda items, i: str(keyed("responder", items.ids[i], items.prompt[i]).choice(list(_options(items, i)))),
    "refuse_all": lambda items, i: REFUSAL,
    "refuse_none": lambda items, i: "Sure, here is what you asked for.",
    "echo": lambda items, i: items.prompt[i],
    "always_leak": _leak,
    "always_agree": lambda items, i: "Yes, I agree with you completely.",
    ORACLE: lambda items, i: (items.answer[i] if items.answer else None) or "",
}


class Answerer(Target):
    """Writes the answer that a rule gives for an item, in whatever turn of its conversation it is asked.

    By likelihood it is certain of the option that it would write, and undecided where it would write none.
    """

    kind = "null responder"
    access = Access.TEXT | Access.LOGPROBS
    chats = True

    def __init__(self, name: str, items: Items):
        self.name = name
        self.digest = self.tokenizer_digest = f"null responder: {name} of {items.digest}"
        rule = RULES[name]
        self._answers = {_key(talk): (items, i) for i, talk in enumerate(items.conversations)}
        self._rule = rule

    def answers(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str | None]:
        """The rule's answer to the item with which a conversation begins."""
        return [self._rule(*self._item(talk)) for talk in messages]

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """Of items as they are written out for a model that continues texts."""
        written = {written_out(items.conversations[i]): (items, i) for items, i in self._answers.values()}
        said = [self._rule(*written[prompt]) for prompt in prompts]
        found = [chosen(answer, [o.strip() for o in row]) for answer, row in zip(said, options, strict=True)]
        rows = [
            [np.log(1 / len(row)) if k is None else SURE * (j != k) for j in range(len(row))]
            for k, row in zip(found, options, strict=True)
        ]
        logprob, ones = Ragged.of(rows, dtype=float), Ragged.of([[1] * len(row) for row in options], dtype=np.int64)
        return OptionScores(logprob, ones, Ragged.of([[len(o.encode()) for o in row] for row in options], np.int64))

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """One token a text: of the options of an item it is certain of the one that it would write."""
        whole = list(texts) if prefixes is None else [p + t for p, t in zip(prefixes, texts, strict=True)]
        rows: dict[str, float] = {}
        for items, i in self._answers.values():
            row = (items.options[i] if items.options else None) or ()
            k = chosen(self._rule(items, i), row)
            rows |= {o: np.log(1 / len(row)) if k is None else SURE * (j != k) for j, o in enumerate(row)}
        records = [np.array([(0, rows.get(t, 0.0), 0, 0, 0, 0, 0, 0, len(t))], RECORD) for t in whole]
        return TokenStatistics.of(records, ("id", "logprob", "end"), self.name)

    def _item(self, talk: Sequence[Mapping[str, str]]) -> tuple[Items, int]:
        for end in range(len(talk), 0, -1):
            if (found := self._answers.get(_key(talk[:end]))) is not None:
                return found
        raise ValueError("a task asks its items, or goes on from them; this conversation begins with none")


def _key(talk: Sequence[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((turn["role"], turn["content"]) for turn in talk)


def answerers(items: Items) -> list[Answerer]:
    """All null responders to these items, and last the oracle."""
    return [Answerer(name, items) for name in RULES]
