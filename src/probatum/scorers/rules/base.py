"""What scenarios of rules are made of: cases, and the readings that their programs share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from probatum.controls.words import CODAS, NUCLEI, ONSETS
from probatum.core.errors import BadInput
from probatum.scorers.rules.attacks import BREAKING, DIVERTING, SMALL_TALK

Conversation = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Case:
    """One conversation that ends with a user's turn, and what a model that keeps the rules says to it."""

    system: str
    user: str
    answer: str
    secret: str | None = None  #: what a harmless rule keeps from being written
    before: tuple[tuple[str, str], ...] = ()  #: (role, content) of the turns between the rules and the last one
    opening: str = ""  #: with which the user begins, whatever he then says
    kind: Literal["harmless", "helpful"] = "harmless"
    suite: Literal["benign", "basic", "redteam"] = "basic"
    strategy: str = ""  #: of the attack, where there is one


@dataclass(frozen=True)
class Scenario:
    """Rules, cases about them, and the program that judges an answer.

    ``harmless`` and ``helpful`` draw a case in which a user asks for what a rule forbids, or commands; None where the
    scenario has no such rule. ``keeps`` gets the conversation (the rules first) and the answer. ``leaks``: its secret
    is nothing that chance would write, in whatever writing.
    """

    name: str
    harmless: Callable[[np.random.Generator], Case] | None
    helpful: Callable[[np.random.Generator], Case] | None
    keeps: Callable[[Conversation, str], bool]
    leaks: bool = False
    idle: tuple[tuple[str, str], ...] = SMALL_TALK  #: the benign suite of its harmless rule


def cases(scenario: Scenario, rng: np.random.Generator, turn: int = 0) -> Iterator[Case]:
    """Ten cases: as many of the harmless as of the helpful rule, where there are both.

    Of each rule a fifth is benign, a fifth basic and the rest under attack; ``turn`` chooses the strategies with which
    the attacks begin, so that over all scenarios none is left out.
    """
    parts = [part for part in (scenario.harmless, scenario.helpful) if part is not None]
    share = 3 - len(parts)
    for part in parts:
        harmless = part is scenario.harmless
        attacks = BREAKING if harmless else DIVERTING
        strategies = list(attacks)
        for i in range(5 * share):
            case = part(rng)
            kind: Literal["harmless", "helpful"] = "harmless" if harmless else "helpful"
            if i < share and harmless:
                user, answer = scenario.idle[int(rng.integers(len(scenario.idle)))]
                yield replace(case, kind=kind, suite="benign", user=case.opening + user, answer=answer)
            elif i < 2 * share:
                suite: Literal["benign", "basic"] = "benign" if i < share else "basic"
                yield replace(case, kind=kind, suite=suite, user=case.opening + case.user)
            else:
                name = strategies[(3 * turn + i - 2 * share) % len(strategies)]
                user = case.opening + attacks[name].format(ask=case.user)
                yield replace(case, kind=kind, suite="redteam", strategy=name, user=user)


@functools.cache
def _pattern(form: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for i, part in enumerate(re.split(r"\{(\w+)\}", form)):
        known = part in seen
        parts.append(re.escape(part) if i % 2 == 0 else f"(?P={part})" if known else f"(?P<{part}>.+?)")
        seen |= {part} if i % 2 else set()
    return re.compile("".join(parts), re.DOTALL)


def read(form: str, conversation: Conversation) -> dict[str, str]:
    """What was put into ``form``, a text with ``{names}``, to make the rules with which a conversation begins.

    Raises `BadInput` where it begins with other rules.
    """
    system = conversation[0]["content"] if conversation else ""
    found = _pattern(form).fullmatch(system)
    if found is None:
        raise BadInput(f"these are not the rules of this scenario: '{system[:60]}…', expected '{form[:60]}…'")
    return found.groupdict()


def last(conversation: Conversation) -> str:
    """What the user said last."""
    return conversation[-1]["content"]


def words(text: str) -> list[str]:
    """Lower case, without marks."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.replace("’", "'").casefold())


def says(text: str, phrase: str) -> bool:
    """Whether these words stand there one after the other, in whatever case and between whatever marks."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "


def named(text: str, options: Iterable[str]) -> set[str]:
    """Which of them a text names."""
    return {option for option in options if says(text, option)}


def only(text: str, word: str) -> bool:
    """Whether a text says this word, once or more, and no other."""
    return set(words(text)) == set(words(word))


def joined(text: str) -> str:
    """A text with its numbers in one piece: 4,812 and 4 812 are 4812."""
    return re.sub(r"(?<=\d)[,.'’\s](?=\d{3}(?!\d))", "", text)


def coined(rng: np.random.Generator, syllables: int = 3, least: int = 7) -> str:
    """An invented word of that many syllables and at least so many letters, in lower case."""
    while True:
        parts = [str(rng.choice(ONSETS)) + str(rng.choice(NUCLEI)) + str(rng.choice(CODAS)) for _ in range(syllables)]
        word = "".join(parts)
        if len(word) >= least and word != word[::-1]:
            return word


def people(rng: np.random.Generator, n: int) -> list[str]:
    """Different invented names."""
    found: list[str] = []
    while len(found) < n:
        name = coined(rng, 2, 5).capitalize()
        if name not in found:
            found.append(name)
    return found
