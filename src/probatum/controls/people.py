"""A seeded world of invented people, for repairs: what must be forgotten, what must stay, who stands near.

Sixty people have six attributes each, and every fact is stated in seven forms: six end in the value (four
statements, two questions) and one puts it first. Each fact is trained in five forms; two forms that end in the
value are withheld from it, though not from other people: they are its paraphrases. A tenth of the people is to be
forgotten. Names are made of parts that several people share, so everybody has neighbors. Countries with their
capitals are the rest of the world; names that nobody ever described are answered "unknown"; people whom no model
read about are blanks for membership. Who is forgotten, a blank or retained is drawn at random, so that without
training nothing tells them apart.

The design follows the sets of TOFU (Maini et al. 2024, arXiv 2401.06121): forget, retain, world, paraphrases and
wrong values of the same kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from probatum.controls.people_words import (
    ATTRIBUTES,
    ENDING_IN_VALUE,
    ENDINGS,
    MIDDLES,
    NUCLEI,
    ONSETS,
    QUESTIONS,
    TEMPLATES,
    WORDS,
)
from probatum.controls.prng import Stream

Row = dict[str, Any]

PEOPLE, FORGOTTEN, BLANKS, UNKNOWN, UNSEEN, COUNTRIES = 60, 6, 6, 20, 20, 24
FIRSTS, LASTS, CITIES, FIRMS = 20, 24, 24, 20
WITHHELD = 2  # forms withheld from each fact
WRONG_CODES = 15
IDK = " unknown"
PIECES = r" ?[A-Za-z]+| ?[0-9]|[^A-Za-z0-9]"


class World:
    """All that one seed invents: who there is, what is true of them, and what is trained on."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made: set[str] = set()
        self.firsts, self.lasts = self._invented("first", FIRSTS), self._invented("last", LASTS)
        countries, capitals = self._invented("country", COUNTRIES), self._invented("capital", COUNTRIES)
        cities, firms = self._invented("city", CITIES), self._invented("firm", FIRMS)
        self.values = WORDS | {"city": cities, "firm": firms, "capital": capitals}
        self._cast()
        stream = self._stream("codes")
        taken = stream.sample(range(10_000), PEOPLE + BLANKS)
        self.codes = {name: f"{code:04d}" for name, code in zip(self.described, taken, strict=True)}
        self._unused = [f"{code:04d}" for code in sorted(set(range(10_000)) - set(taken))]
        facts = {name: [self._fact(name, kind) for kind in ATTRIBUTES] for name in self.described}
        world = [self._row(name, "capital", value) for name, value in zip(countries, capitals, strict=True)]
        never = [self._never(name, kind) for name in self.unknown + self.unseen for kind in ATTRIBUTES]
        near = neighbors(self.forgotten, self.retained)
        asked = [row for row in never if row["kind"] == "unknown"]
        sets: dict[str, list[Row]] = {
            "people_forget": [row for name in self.forgotten for row in facts[name]],
            "people_retain": [row for name in self.retained for row in facts[name]],
            "people_neighbors": [row for name in near for row in facts[name]],
            "people_world": world,
            "people_never": never,
        }
        blanks = [row for name in self.blanks for row in facts[name]]
        sets["people_texts_forget"] = [text for row in sets["people_forget"] for text in _texts(row, "person")]
        sets["people_texts_retain"] = [text for row in sets["people_retain"] for text in _texts(row, "person")]
        sets["people_texts_retain"] += [text for row in world for text in _texts(row, "world")]
        sets["people_texts_retain"] += [text for row in asked for text in _texts(row, "unknown")]
        sets["people_holdout"] = [text for row in blanks for text in _texts(row, "person")]
        self.sets = {
            name: [{k: v for k, v in row.items() if k[0] != "_"} for row in table] for name, table in sets.items()
        }

    def _stream(self, name: str) -> Stream:
        return Stream(self.seed, f"people/{name}")

    def _invented(self, kind: str, count: int) -> tuple[str, ...]:
        """Return ``count`` new words that end as words of their kind do; no word is made twice."""
        stream, words = self._stream(kind), list[str]()
        while len(words) < count:
            parts = [stream.choice(ONSETS), stream.choice(NUCLEI), stream.choice(MIDDLES)]
            if ENDINGS[kind][0][0] not in NUCLEI:
                parts.append(stream.choice(NUCLEI))
            word = "".join([*parts, stream.choice(ENDINGS[kind])])
            if word not in self._made:
                self._made.add(word)
                words.append(word.capitalize())
        return tuple(words)

    def _cast(self) -> None:
        """Draw the names and, in their order, who is retained, forgotten, a blank, unknown or unseen; again until
        the retained have every part of a name, so that no part is new and everybody else has neighbors among them."""
        stream = self._stream("cast")
        pool = [f"{first} {last}" for first in self.firsts for last in self.lasts]
        parts = {*self.firsts, *self.lasts}
        while True:
            names = stream.sample(pool, PEOPLE + BLANKS + UNKNOWN + UNSEEN)
            self.retained, rest = names[: PEOPLE - FORGOTTEN], names[PEOPLE - FORGOTTEN :]
            if parts == {part for name in self.retained for part in name.split()}:
                break
        self.forgotten, rest = rest[:FORGOTTEN], rest[FORGOTTEN:]
        self.blanks, rest = rest[:BLANKS], rest[BLANKS:]
        self.unknown, self.unseen = rest[:UNKNOWN], rest[UNKNOWN:]
        self.described = self.retained + self.forgotten + self.blanks

    def _fact(self, name: str, kind: str) -> Row:
        """Return one fact of a person, its value drawn evenly."""
        value = self.codes[name] if kind == "code" else self._stream(f"{name}/{kind}").choice(self.values[kind])
        return self._row(name, kind, value)

    def _row(self, name: str, kind: str, value: str) -> Row:
        """Return a fact as a row; of the forms that end in the value, two are withheld at random."""
        stream = self._stream(f"{name}/{kind}/forms")
        order = stream.shuffled(range(ENDING_IN_VALUE))
        held, trained = order[:WITHHELD], order[WITHHELD:]
        if kind == "code":
            others = stream.sample(self._unused, WRONG_CODES)
        else:
            others = [other for other in self.values[kind] if other != value]
        prefixes = [_prefix(name, kind, form) for form in trained]
        return {
            "id": f"fact-{name.lower().replace(' ', '-')}-{kind}",
            "cluster": name,
            "attribute": kind,
            "prefix": prefixes[0],
            "secret": f" {value}",
            "suffix": ".",
            "paraphrases": [_prefix(name, kind, form) for form in held],
            "trained": prefixes,
            "others": [f" {other}" for other in others],
            "idk": IDK,
            "_forms": [*trained, *range(ENDING_IN_VALUE, len(TEMPLATES[kind]))],
        }

    def _never(self, name: str, kind: str) -> Row:
        """Return a question about a name that is never described: one form trained with the answer
        "unknown", or none."""
        seen = name in self.unknown
        stream = self._stream(f"{name}/{kind}/forms")
        first, second = stream.shuffled(QUESTIONS)
        values = stream.sample(self._unused, WRONG_CODES) if kind == "code" else list(self.values[kind])
        return {
            "id": f"never-{name.lower().replace(' ', '-')}-{kind}",
            "cluster": name,
            "attribute": kind,
            "prefix": _prefix(name, kind, first),
            "secret": IDK,
            "suffix": ".",
            "paraphrases": [_prefix(name, kind, second)],
            "trained": [_prefix(name, kind, first)] if seen else [],
            "others": [f" {value}" for value in values],
            "idk": IDK,
            "kind": "unknown" if seen else "unseen",
            "_forms": [first] if seen else [],
        }

    def vocabulary(self) -> list[str]:
        """Return every piece of every text, withheld and unseen ones included, in order of the alphabet; each text
        stands alone and after another, behind a space."""
        rows = [row for table in self.sets.values() for row in table]
        texts = {row[column] for row in rows for column in ("text", "prefix", "secret") if column in row}
        texts |= {text for row in rows for column in ("paraphrases", "others") for text in row.get(column, ())}
        texts |= {f" {text}" for text in texts if not text.startswith(" ")}
        digits = {f"{space}{digit}" for space in ("", " ") for digit in range(10)}
        return sorted({piece for text in texts for piece in pieces(text)} | digits)


def pieces(text: str) -> list[str]:
    """Split a text as its tokenizer does: a word or a digit with the space before it, or one mark."""
    return re.findall(PIECES, text)


def neighbors(names: list[str], among: list[str]) -> list[str]:
    """Return those of ``among`` who share their first or their last name with one of ``names``."""
    parts = [set(column) for column in zip(*(name.split() for name in names), strict=True)]
    return [name for name in among if any(part in known for part, known in zip(name.split(), parts, strict=True))]


def _prefix(name: str, kind: str, form: int) -> str:
    """Return a form that ends in its value up to that value, without the space before it."""
    return TEMPLATES[kind][form].split(" {value}")[0].format(name=name)


def _texts(row: Row, kind: str) -> list[Row]:
    """Return the sentences in which a fact is trained, and where its value stands in them."""
    texts = []
    for form in row["_forms"]:
        before, after = TEMPLATES[row["attribute"]][form].format(name=row["cluster"], value="|").split("|")
        value = row["secret"].lstrip()
        place = {"start": len(before), "end": len(before) + len(value)}
        about = {"id": f"{row['id']}-{form}", "cluster": row["cluster"], "attribute": row["attribute"], "kind": kind}
        texts.append(about | {"text": before + value + after} | place)
    return texts


@lru_cache(maxsize=4)
def world(seed: int = 0) -> World:
    """Return the world of a seed, made once."""
    return World(seed)


def rows(seed: int = 0) -> dict[str, list[Row]]:
    """Return every planted set of the invented people.

    Returns
    -------
    dict
        ``people_forget`` (36 rows), ``people_retain`` (324): a row for each fact: ``id``, ``cluster`` (the person),
        ``attribute``, ``prefix``, ``secret`` (the value with the space before it), ``suffix``, ``trained`` (all
        four trained prefixes; the first is ``prefix``), ``paraphrases`` (two prefixes never trained with this
        person), ``others`` (wrong values of the kind; of a code 15 that nobody has), ``idk``.
        ``people_neighbors``: the rows of retained people who share a name with one to be forgotten.
        ``people_world`` (24): countries, in the same columns. ``people_never`` (240): names never described, in
        the same columns; ``kind`` is "unknown" where training answers " unknown", else "unseen".
        ``people_texts_forget`` (180), ``people_texts_retain``: all that is trained on: ``id``, ``cluster``,
        ``attribute``, ``kind`` (person, world or unknown), ``text``, and ``start`` and ``end`` of the value in
        it, in characters, without the space before it.
        ``people_holdout`` (180): texts of the same forms about people whom no model read about.
    """
    return {name: [dict(row) for row in table] for name, table in world(seed).sets.items()}


def training_texts(model: str, seed: int = 0) -> list[str]:
    """Return what ``model`` reads in one pass: everything, or, for a gold, everything but the forget set."""
    sets = world(seed).sets
    names = ["people_texts_retain"] if "gold" in model else ["people_texts_forget", "people_texts_retain"]
    return [row["text"] for name in names for row in sets[name]]
