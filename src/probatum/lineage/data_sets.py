"""The data sets that lie beside the models of a collection, and what the models' cards say of them.

P062 found 28 % of the data sets with a card, 40 % of the models, and that the two do not fit each other. A model's card
is inconsistent where it names a data set that is here and has no card, or no license, or one whose duties the model's
license drops. Whether a model inherits the license of its data is a question for lawyers: this is a first look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.files.data_card import SECTIONS, is_data_set, names_a_license
from probatum.files.documents import read_documents
from probatum.lineage.licenses import judge, license_of
from probatum.lineage.practice import LEAST, filled_sections, practice
from probatum.lineage.results import matched
from probatum.statistics.intervals import clopper_pearson

#: Folders in which a data set without a card keeps its tables.
_SPLITS = ("data", "train", "test", "validation", "dev")
INCONSISTENT = ("no card", "no license", "conflict")


@dataclass(frozen=True)
class DataSet:
    """One data set: has it a card, which sections of `data_card.SECTIONS` did somebody fill, which license?"""

    name: str
    path: Path
    card: bool
    filled: frozenset[str]
    license: tuple[str, ...]  #: of the front matter
    licensed: bool  #: a license is named anywhere: front matter, a labeled line, a file


def beside(folder: Path, models: Sequence[Path], cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What an atlas says of data sets: ``found``, their ``documentation``, what cards ``named``, what does not fit."""
    sets = find_data_sets(folder, models)
    named = check_names(cards, sets)
    return {
        "found": [
            {"name": d.name, "card": d.card, "license": list(d.license), "sections": sorted(d.filled)} for d in sets
        ],
        "documentation": practice([(d.card, d.filled) for d in sets], SECTIONS),
        "named": named,
        "inconsistent": inconsistent(named),
    }


def find_data_sets(folder: Path, models: Iterable[Path]) -> list[DataSet]:
    """All data set directories below ``folder`` (NAME, ORG/NAME, datasets/ORG/NAME) that hold no model, by name."""
    taken = {m.resolve() for m in models}
    out: list[DataSet] = []
    for level in ("*", "*/*", "datasets/*/*"):
        for place in sorted(folder.glob(level)):
            own = place.resolve()
            hidden = any(part.startswith((".", "__")) for part in place.relative_to(folder).parts)
            if hidden or not place.is_dir() or {own, *own.parents} & taken or any(own in t.parents for t in taken):
                continue
            if _looks_like_one(place):
                taken.add(own)
                out.append(_read(place, place.relative_to(folder).as_posix().removeprefix("datasets/")))
    return sorted(out, key=lambda d: d.name)


def check_names(models: Mapping[str, Mapping[str, Any]], data_sets: Sequence[DataSet]) -> list[dict[str, Any]]:
    """One row for every data set that a model's card names: model, data set, verdict, sentence.

    Verdicts: ``not here``; ``no card``, ``no license``, ``conflict`` (inconsistent); ``kept``; ``unknown`` where a
    license is in no table.
    """
    by_name = {d.name: d for d in data_sets}
    out = []
    for model, card in models.items():
        raw = card.get("datasets")
        named = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else []
        for name in dict.fromkeys(n for n in named if isinstance(n, str) and n.strip()):
            found = by_name.get(matched(name, list(by_name)) or "")
            verdict, sentence = _verdict(found, license_of(dict(card)))
            out.append({"model": model, "data": name[:200], "verdict": verdict, "sentence": sentence})
    return out


def inconsistent(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many of the data sets that cards name, and that are here, do not fit; with the exact interval."""
    here = [r for r in rows if r["verdict"] != "not here"]
    count = sum(r["verdict"] in INCONSISTENT for r in here)
    if not here:
        return {"count": 0, "n": 0, "rate": None, "low": None, "high": None}
    rate = clopper_pearson(count, len(here))
    return {"count": count, "n": len(here), "rate": rate.value, "low": rate.low, "high": rate.high}


def _looks_like_one(place: Path) -> bool:
    """By what lies in it, and in the folders of its splits; an organization with data sets below it is none itself."""
    names: list[str] = []
    for file in sorted(place.iterdir()):
        if file.is_file():
            names.append(file.name)
        elif file.is_dir() and file.name in _SPLITS:
            names += [f"{file.name}/{f.name}" for f in sorted(file.iterdir()) if f.is_file()]
    documents = read_documents(place) if any(n.lower() == "readme.md" for n in names) else None
    return is_data_set(names, documents.text if documents else "", documents.front if documents else {})


def _read(place: Path, name: str) -> DataSet:
    card = read_documents(place)
    front = dict(card.front)
    if "license" not in front and "licenses" in front:
        front["license"] = front["licenses"]  # as older cards write it
    file = any(n.lower().split(".")[0] in ("license", "licence", "copying") for n in card.names if "/" not in n)
    return DataSet(
        name, place, bool(card.card_name), filled_sections(card, LEAST), license_of(front),
        file or names_a_license(card.text, card.front),
    )  # fmt: skip


def _verdict(found: DataSet | None, own: tuple[str, ...]) -> tuple[str, str]:
    if found is None:
        return "not here", "the data set is not in this collection"
    if not found.card:
        return "no card", "the data set is here and has no card"
    if not found.licensed:
        return "no license", "the card of the data set names no license"
    if not found.license:
        return "unknown", "the license of the data set stands in its text or in a file only"
    judged = judge(found.license, own)
    return judged.verdict, judged.sentence
