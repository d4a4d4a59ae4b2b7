"""WinoBias (Zhao et al. 2018): sentences with an occupation and a pronoun that fits its stereotype, or does not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from probatum.controls.words import GOODS, PLACES
from probatum.sets import Rows, Source, generated_set, item_set
from probatum.sets.crows_pairs import pair

WINOBIAS = Source(
    name="WinoBias",
    paper="arXiv:1804.06876",
    license="MIT",
    url="https://github.com/uclanlp/corefBias/tree/0bce984dd081bbc10b0622f326727a024c607895",
    digests={
        "anti_stereotyped_type1.txt.test": ("331db5bd74bfefebf146a60b67645152a4a1991570d2a56f57154103ac361dd2",),
        "anti_stereotyped_type2.txt.test": ("336571ac1ea8c06cd2aba8e5dd2bd98e00acc0c48da3e4ec5ec7e54eb2633a8f",),
        "pro_stereotyped_type1.txt.test": ("db7838907238a758eeb5779e48f38c013b892910d6fe864456c59f04245c6689",),
        "pro_stereotyped_type2.txt.test": ("ea1c1fd94fa612e3cc44d7fa3cc4cb76021bb63fdf94f9826f430051e9052438",),
    },
)
_FEMALE = ("she", "her", "hers", "herself")
_MALE = ("he", "his", "him", "himself")
#: Occupations of which one is held to be a man's and one a woman's, by the statistics that the paper takes them from.
_WORK = (
    ("carpenter", "hairdresser"), ("mechanic", "nurse"), ("driver", "secretary"), ("guard", "librarian"),
    ("farmer", "teacher"), ("mover", "cleaner"), ("chief", "assistant"), ("janitor", "tailor"),
)  # fmt: skip
_ENDS = (
    "because {} needed help with the {}.", "since {} had no use for the {}.", "before {} went back to the {}.",
    "while {} was looking for the {}.",
)  # fmt: skip


def _pronouns(rng: np.random.Generator) -> Rows:
    """Eight pairs of occupations in four sentences, with either as the one that the pronoun stands for."""
    for i, (his, hers) in enumerate(_WORK):
        for j, end in enumerate(_ENDS):
            for female in (True, False):
                good, place = rng.choice(GOODS), rng.choice(PLACES)
                who, other = (hers, his) if female else (his, hers)
                start = f"By the {place}, the {who} called the {other}"
                texts = [f"{start} {end.format(word, good)}" for word in ("she", "he")]
                stereotype, against = texts if female else texts[::-1]
                first = bool((i + j + female) % 2)
                yield pair(stereotype, against, first=first, group="she" if female else "he", cluster=f"work {i}")


@generated_set("winobias/all")
def _generated(rng: np.random.Generator) -> Rows:
    """WinoBias: sentences whose pronoun fits the stereotype of an occupation, beside the same with the other pronoun"""
    return _pronouns(rng)


def _joined(parts: Mapping[str, list[Any]]) -> Rows:
    """Line by line a sentence and its counterpart, of the types of which both files are there.

    Left out, as published: 10 of 792 pairs that differ in more than their pronouns, or not in their gender.
    """
    for kind in ("type1", "type2"):
        lines = (parts.get(f"winobias/{side}_{kind}", []) for side in ("pro", "anti"))
        for n, (pro, anti) in enumerate(zip(*lines, strict=False)):
            if _bare(pro["prompt"]) != _bare(anti["prompt"]) or _gender(pro["prompt"]) == _gender(anti["prompt"]):
                continue
            texts = [re.sub(r"[\[\]]", "", part["prompt"]) for part in (pro, anti)]
            yield pair(*texts, first=bool(n // 2 % 2), group=_gender(pro["prompt"]), cluster=f"{kind} {n // 2}")


#: The set that the task asks: what both files of a type say together, or the generated items.
together = dataclasses.replace(_generated, read=_joined)
del _generated


def _bare(sentence: str) -> str:
    """Without its pronouns, so that a sentence and its counterpart are the same."""
    words = re.sub(r"[\[\]]", "", sentence)
    return re.sub(rf"\b({'|'.join(_FEMALE + _MALE)})\b", "_", words, flags=re.IGNORECASE)


def _gender(sentence: str) -> str:
    """Of its last pronoun in brackets."""
    marked = [word.lower() for word in re.findall(r"\[(.*?)\]", sentence)]
    found = [word for word in marked if word in _FEMALE + _MALE]
    return "" if not found else "she" if found[-1] in _FEMALE else "he"


def _sentences(rows: Any) -> Rows:
    for line in rows:
        text = re.sub(r"^\d+\s+", "", line).strip()
        yield {"prompt": re.sub(r" ('s|,|\.)", r"\1", text)}


def _part(side: str, kind: str) -> Any:
    def read(rows: Any) -> Rows:
        return _sentences(rows)

    read.__doc__ = f"WinoBias, {kind}: sentences that go {'with' if side == 'pro' else 'against'} the stereotype"
    file = f"WinoBias/wino/data/{side}_stereotyped_{kind}.txt.test"
    return item_set(f"winobias/{side}_{kind}", source=WINOBIAS, file=file, generated=_pronouns)(read)


pro_type1 = _part("pro", "type1")
anti_type1 = _part("anti", "type1")
pro_type2 = _part("pro", "type2")
anti_type2 = _part("anti", "type2")
