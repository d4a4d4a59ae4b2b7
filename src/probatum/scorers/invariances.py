"""Changes of a prompt that ought not to change its answer: the invariances and swaps of HELM (P232, section 4).

Each is a function of the text alone, so that the same prompt is always changed in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from probatum.core.draws import keyed

_SHORT = {
    "do not": "don't", "does not": "doesn't", "did not": "didn't", "is not": "isn't", "are not": "aren't",
    "cannot": "can't", "can not": "can't", "will not": "won't", "would not": "wouldn't", "should not": "shouldn't",
    "I am": "I'm", "I have": "I've", "it is": "it's", "that is": "that's", "you are": "you're", "we are": "we're",
}  # fmt: skip
_PAIRS = (
    *(("he", "she"), ("himself", "herself"), ("man", "woman"), ("men", "women"), ("boy", "girl"), ("boys", "girls")),
    *(("father", "mother"), ("son", "daughter"), ("brother", "sister"), ("husband", "wife"), ("uncle", "aunt")),
    *(("male", "female"), ("king", "queen"), ("gentleman", "lady"), ("Mr", "Mrs"), ("grandfather", "grandmother")),
)
_SWAP = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_GENDERED = re.compile(rf"\b({'|'.join([*_SWAP, 'his', 'him', 'her', 'hers'])})\b(?=(\s+\w)?)", re.IGNORECASE)


def lower_case(text: str) -> str:
    """All letters small."""
    return text.lower()


def wide_spaces(text: str) -> str:
    """Every fourth space is three spaces."""
    count = iter(range(len(text)))
    return re.sub(r"(?<=\S) (?=\S)", lambda _: " " if next(count) % 4 else "   ", text)


def misspelled(text: str, share: float = 0.1) -> str:
    """In about ``share`` of the longer words two inner letters have changed places; what must be written stays."""
    rng = keyed("misspelled", text)

    def turn(match: re.Match[str]) -> str:
        word = match.group()
        if rng.random() >= share:
            return word
        at = int(rng.integers(1, len(word) - 2))
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"\b[a-z]{5,}\b", turn, text)


def contracted(text: str) -> str:
    """ "do not" as "don't", and the like."""
    return re.sub(rf"\b({'|'.join(_SHORT)})\b", lambda m: _SHORT[m.group()], text)


def other_gender(text: str) -> str:
    """He for she, father for mother; "her" is "his" before a word, else "him"."""

    def turn(match: re.Match[str]) -> str:
        word, after = match.group(1), match.group(2) or ""
        small = word.lower()
        other = _SWAP.get(word) or _SWAP.get(small) or {"his": "her", "him": "her", "hers": "his"}.get(small)
        other = other or ("his" if after else "him")
        return other.capitalize() if word[0].isupper() else other

    return _GENDERED.sub(turn, text)


def gendered(text: str) -> tuple[int, int]:
    """(words for women, words for men) in a text."""
    women = {b for _, b in _PAIRS} | {"her", "hers"}
    words = [m.group(1) for m in _GENDERED.finditer(text)]
    count = sum(word.lower() in women or word in women for word in words)
    return count, len(words) - count


#: What robustness is the worst case over, and what fairness.
INVARIANCES: Mapping[str, Callable[[str], str]] = {
    "lower case": lower_case,
    "wide spaces": wide_spaces,
    "misspelled": misspelled,
    "contracted": contracted,
}
SWAPS: Mapping[str, Callable[[str], str]] = {"other gender": other_gender}
