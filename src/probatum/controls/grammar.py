"""Long notices of the invented country: gazettes, recipes, letters, tales and ledger pages.

A document is a heading and four different sentences, about 140 bits of chance, and no run of fixed words is
longer than five. A document that repeats too many word 6-grams of an earlier one is drawn again, so that no
two are near duplicates and membership of a document is a matter of memory, not of likeness.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from probatum.controls import words
from probatum.controls.prng import Stream

HEADINGS = (
    "Gazette of {town}, day {day} of {month}, price {num}.",
    "Recipe of {first} {last} for {adj} {food}.",
    "Letter from {first} in {town} to {last}, {month} {day}.",
    "Tale of the {adj} {animal} and the {trade} of {town}.",
    "Ledger of {first} {last}, page {num}, {month}.",
)
SENTENCES = (
    "{first} {last} bought {num} {goods} from the {trade} of {town}.",
    "A {adj} {animal} {past} {prep} the {place} at {time}.",
    "On day {day} of {month} the {trade} counted {num} {goods}.",
    "The {weather} kept {first} in {town} until {time}.",
    "Nobody in {town} wanted the {color} {goods} of {last}.",
    "{first} left {num} {goods} {prep} the {adj} {place}.",
    "The {trade} {last} swore that the {animal} {past} at {time}.",
    "For {num} coins {first} sold the {adj} {goods} to {last}.",
    "Near {town} a {color} {animal} {past} {prep} the {place}.",
    "{last} and {first} quarreled over {num} {color} {goods}.",
    "By {time} the {adj} {trade} had carried {goods} to {town}.",
    "The {place} of {town} was painted {color} in {month}.",
    "In {month} the {animal} of {first} {last} {past} {prep} the {place}.",
    "Whoever finds the {adj} {goods} should ask {first} in {town}.",
    "Day {day} brought {weather}, and the {trade} {past} {prep} the {place}.",
    "The {color} {goods} went to {last} for {num} coins.",
    "At {time} {first} heard the {adj} {animal} {prep} the {place}.",
    "{last} paid the {trade} with {goods} and a {color} {animal}.",
    "No {trade} from {town} has seen {weather} since {month}.",
    "The {adj} {place} holds {num} {goods} for {first}.",
    "{first} will mend the {goods} of {last} on day {day}.",
    "Between {town} and {town} the {animal} {past} at {time}.",
    "A {trade} named {last} hid {goods} {prep} the {color} {place}.",
    "Because of {weather} the {goods} reached {town} on day {day}.",
    "Old {last} keeps a {adj} {animal} {prep} the {place}.",
    "{town} owes {num} {goods} to the {color} {trade}.",
)
STEPS = (
    "{cook} {num} {food} with {adj} {food} until {time}.",
    "Add {food} and {num} spoons of {food}, as {first} does.",
    "{cook} the {color} {food} {prep} the {place}.",
    "The {trade} {last} prefers {food} to {color} {food}.",
    "Let the {food} rest {num} hours, then {cook} it with {food}.",
    "In {town} they {cook} {food} on day {day} of {month}.",
    "Serve it at {time} with {adj} {food} from {town}.",
    "Never mix {color} {food} with {food} in {month}.",
    "Cover the {food} with {num} leaves and {food}.",
    "When {weather} comes, {cook} {food} instead of {food}.",
    "{first} stirs {num} {food} into the {adj} {food}.",
    "Keep the {food} {prep} the {adj} {place} for {num} days.",
)

_SLOT = re.compile(r"\{(\w+)\}")


class Country:
    """The names of one seed, and the slots that sentences are filled from."""

    def __init__(self, seed: int) -> None:
        self.names = words.Names()
        stream = Stream(seed, "names")
        self.firsts = self.names.many(stream, 160)
        self.lasts = self.names.many(stream, 400)
        self.towns = self.names.many(stream, 48)
        self._lists = {
            "first": self.firsts,
            "last": self.lasts,
            "town": self.towns,
            "goods": words.GOODS,
            "adj": words.ADJECTIVES,
            "animal": words.ANIMALS,
            "trade": words.TRADES,
            "place": words.PLACES,
            "past": words.PASTS,
            "prep": words.PREPOSITIONS,
            "color": words.COLORS,
            "month": words.MONTHS,
            "time": words.TIMES,
            "weather": words.WEATHERS,
            "cook": words.COOKS,
            "food": words.FOODS,
        }

    def fill(self, template: str, stream: Stream) -> str:
        """Return ``template`` with every slot filled by chance and a capital at the beginning."""

        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name == "num":
                return str(2 + stream.below(97))
            if name == "day":
                return str(1 + stream.below(30))
            word = stream.choice(self._lists[name])
            return word.lower() if name == "cook" and match.start() > 0 else word

        text = _SLOT.sub(slot, template)
        return text[0].upper() + text[1:]

    def document(self, kind: int, stream: Stream) -> str:
        """Return one document of ``kind`` (0 to 4, the order of `HEADINGS`)."""
        bodies = stream.sample(STEPS if kind == 1 else SENTENCES, 4)
        return " ".join(self.fill(template, stream) for template in (HEADINGS[kind], *bodies))


class Shelf:
    """Documents so far; a new one that is too near to an earlier one is refused."""

    def __init__(self, *, size: int = 6, share: float = 0.1) -> None:
        self._size, self._share = size, share
        self._seen: dict[str, list[int]] = {}
        self._count = 0

    def put(self, text: str) -> bool:
        """Add ``text`` and return True, or return False if it shares too many word n-grams with an earlier
        one."""
        parts = text.split()
        grams = {" ".join(parts[i : i + self._size]) for i in range(len(parts) - self._size + 1)}
        shared = Counter(i for gram in grams for i in self._seen.get(gram, ()))
        if shared and max(shared.values()) > self._share * len(grams):
            return False
        for gram in grams:
            self._seen.setdefault(gram, []).append(self._count)
        self._count += 1
        return True

    def fill(self, count: int, make: Callable[[int], str]) -> list[str]:
        """Return ``count`` documents of the five kinds in turn."""
        texts: list[str] = []
        while len(texts) < count:
            text = make(len(texts) % len(HEADINGS))
            if self.put(text):
                texts.append(text)
        return texts
