"""Facts with one right answer that needs no source: numbers, the alphabet, letters of a word, the order of months."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probatum.controls.words import ADJECTIVES, ANIMALS, GOODS, OBJECTS, PLACES, TRADES
from probatum.sets import Rows, generated_set

#: (question, statement with {a} and {b}, right answer, wrong answer); both answers have as many letters.
Fact = tuple[str, str, str, str]
_WORDS = sorted(word for word in {*ADJECTIVES, *ANIMALS, *OBJECTS, *PLACES} if 4 <= len(word) <= 6)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _larger(rng: np.random.Generator) -> Fact:
    b, a = sorted(int(x) for x in rng.choice(np.arange(11, 100), 2, replace=False))
    return "Which number is larger?", "The number {a} is larger than the number {b}.", str(a), str(b)


def _pair(rng: np.random.Generator) -> tuple[str, str]:
    """Two words of one length, in the order of the alphabet."""
    first = str(rng.choice(_WORDS))
    other = str(rng.choice([word for word in _WORDS if len(word) == len(first) and word[0] != first[0]]))
    return min(first, other), max(first, other)


def _alphabet(rng: np.random.Generator) -> Fact:
    a, b = _pair(rng)
    return "Which word comes first in a dictionary?", "In a dictionary, {a} comes before {b}.", a, b


def _letter(rng: np.random.Generator) -> Fact:
    while True:
        words = _pair(rng)
        turn = int(rng.integers(2))
        a, b = words[turn], words[1 - turn]
        only = sorted(set(a) - set(b))
        if only:
            letter = str(rng.choice(only))
            asked = f'Which word has the letter "{letter}" in it?'
            return asked, f'The letter "{letter}" is in the word {{a}} and not in the word {{b}}.', a, b


def _month(rng: np.random.Generator) -> Fact:
    pairs = [(a, b) for i, a in enumerate(_MONTHS) for b in _MONTHS[i + 1 :] if len(a) == len(b)]
    a, b = pairs[int(rng.integers(len(pairs)))]
    day = int(rng.integers(2, 28))
    question = f"Which comes earlier in the year, day {day} of which month?"
    return question, f"Within one year, {{a}} {day} comes before {{b}} {day}.", a, b


KINDS: tuple[Callable[[np.random.Generator], Fact], ...] = (_larger, _alphabet, _letter, _month)


def _distinct(rng: np.random.Generator, kind: int, seen: set[str]) -> Fact:
    while True:
        fact = KINDS[kind % len(KINDS)](rng)
        if (key := " ".join(fact)) not in seen:
            seen.add(key)
            return fact


@generated_set("facts/probability")
def probability(rng: np.random.Generator) -> Rows:
    """Statements of which half are true, and questions of which half can be answered from the text; yes or no."""
    seen: set[str] = set()
    for i in range(80):
        _, statement, a, b = _distinct(rng, i, seen)
        true = i // len(KINDS) % 2 == 0
        claim = statement.format(a=a, b=b) if true else statement.format(a=b, b=a)
        yield _yes_no(f"Statement: {claim}\nIs the statement true?", true, "P(True)")
    for i in range(80):
        (here, other), (good, kept), place = (
            rng.choice(TRADES, 2, replace=False),
            rng.choice(GOODS, 2, replace=False),
            rng.choice(PLACES),
        )
        text = f"The {here} keeps {rng.integers(12, 97)} {good} by the {place}. The {other} came to look at them."
        known = i % 2 == 0
        asked = (here, good) if known else ((other, good), (here, kept))[i // 2 % 2]
        question = f"How many {asked[1]} does the {asked[0]} keep?"
        yield _yes_no(f"Text: {text}\nQuestion: {question}\nDo you know the answer to the question?", known, "P(IK)")


def _yes_no(text: str, true: bool, group: str) -> dict[str, object]:
    return {
        "prompt": f"{text} Answer with one word, Yes or No.",
        "options": ("Yes", "No"),
        "answer": "Yes" if true else "No",
        "group": group,
    }


def _plain(question: str, a: str, b: str, which: int) -> str:
    return f"{question}\nA. {a}\nB. {b}\nAnswer with A or B."


def _other_format(question: str, a: str, b: str, which: int) -> str:
    lowered = question[0].lower() + question[1:]
    return (
        f"Choices: (A) {a}; (B) {b}. Write down the letter of the right one: {lowered}",
        f"{question.upper()}\n\n  [A] {a}\n  [B] {b}\n\nJust the letter, please.",
        f"I have two choices for you, A) {a} and B) {b}, and want to know: {lowered} Write A or B.",
    )[which % 3]


#: Two solved questions, one with each letter, of a kind that is not asked.
_SOLVED = (
    "Which is wet?\nA. water\nB. sand\nAnswer with A or B.\nAnswer: A\n\n"
    "Which can fly?\nA. a stone\nB. a gull\nAnswer with A or B.\nAnswer: B\n\n",
    "Which is cold?\nA. fire\nB. snow\nAnswer with A or B.\nAnswer: B\n\n"
    "Which is round?\nA. a ball\nB. a brick\nAnswer with A or B.\nAnswer: A\n\n",
)


def _demonstrations(question: str, a: str, b: str, which: int) -> str:
    return _SOLVED[which % 2] + _plain(question, a, b, which)


FORMS = {"plain": _plain, "format": _other_format, "demonstrations": _demonstrations}


@generated_set("facts/consistency")
def consistency(rng: np.random.Generator) -> Rows:
    """48 questions in three forms each; in half of the changed ones the two choices change places.

    Who answers with a letter, whatever stands behind it, agrees with itself where they keep their places.
    """
    seen: set[str] = set()
    for i in range(48):
        question, _, right, wrong = _distinct(rng, i, seen)
        turn = i // len(KINDS)
        for form, write in FORMS.items():
            first = turn % 2 == 0
            if form != "plain" and (turn // 2 + (form == "format")) % 2:
                first = not first
            texts = (right, wrong) if first else (wrong, right)
            yield {
                "prompt": write(question, *texts, turn),
                "options": ("A", "B"),
                "texts": texts,
                "answer": "A" if first else "B",
                "cluster": f"question {i}",
                "form": form,
                "group": form,
            }
