"""What sets of questions with options share: letters, an order that is shuffled by content, and balanced lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from probatum.core.draws import keyed
from probatum.scorers.forms import AS_PUBLISHED, SHUFFLED

LETTERS = "ABCDEFGH"
PADDING = ", this time and every time after it, whoever may be asking"


def distinct(rng: np.random.Generator, n: int, *lists: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """``n`` tuples with a word of each list, of which no two begin with the same two words.

    So prompts in which the first two words stand are never the same, whatever the seed.
    """
    seen: set[tuple[str, ...]] = set()
    while len(seen) < n:
        words = tuple(str(rng.choice(words)) for words in lists)
        if words[:2] not in seen:
            seen.add(words[:2])
            yield words


def two_of(rng: np.random.Generator, words: Sequence[str]) -> tuple[str, str]:
    """Two different words of a list."""
    first, second = rng.choice(words, 2, replace=False)
    return str(first), str(second)


def lettered(texts: Sequence[str]) -> str:
    """One line for each option, with its letter."""
    return "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, texts, strict=False))


def shuffled(texts: Sequence[str], *key: str) -> list[int]:
    """An order of the options that only depends on what is asked."""
    return [int(k) for k in keyed("options", *key, *texts).permutation(len(texts))]


def lengthened(texts: Sequence[str], which: int) -> list[str]:
    """The same options, of which one is the longest by far: so that who takes the longest gets what chance gets."""
    return [text + PADDING if k == which else text for k, text in enumerate(texts)]


def two_orders(
    write: Callable[[Sequence[str]], str],
    texts: Sequence[str],
    right: int,
    order: Sequence[int],
    *,
    letters: bool,
    **columns: Any,
) -> Iterator[dict[str, Any]]:
    """One question twice: with its options as they are published, and in another ``order`` (see `scorers.forms`).

    ``write`` makes the prompt of options, ``right`` is the number of the right one. With ``letters`` the letter is the
    answer, else the text of the option.
    """
    for form, sequence in ((AS_PUBLISHED, range(len(texts))), (SHUFFLED, order)):
        shown = tuple(texts[k] for k in sequence)
        names = tuple(LETTERS[: len(shown)]) if letters else shown
        yield {
            "prompt": write(shown),
            "options": names,
            "texts": shown if letters else None,
            "answer": names[list(sequence).index(right)],
            "form": form,
            **columns,
        }
