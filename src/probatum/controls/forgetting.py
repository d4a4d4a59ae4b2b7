"""What a measure of forgetting must read on the invented people: one model knows the forgotten, golds do not."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from probatum.controls import people
from probatum.controls.people_words import ATTRIBUTES
from probatum.core.catalogue import Method
from probatum.core.control import Control
from probatum.core.data import Data, Forget, Holdout, Retain

#: The model that knows everybody, and against which another is compared: as if it were the one before the repair.
UNTOUCHED = "people"


@functools.cache
def people_sets(seed: int = 0) -> Mapping[str, Data]:
    """Forget, Retain and Holdout of the invented people as data; see `people_rows`."""
    kinds: dict[str, type[Data]] = {"Forget": Forget, "Retain": Retain, "Holdout": Holdout}
    return {
        kinds[name].__name__: kinds[name].from_rows(table, name, name=f"people_{name.lower()}")
        for name, table in people_rows(seed).items()
    }


def people_rows(seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """The same as rows of files, every trained sentence of the invented people.

    A fact can be asked by its prefix, and in its first sentence also in other words; a sentence in which the value
    stands before the name is a text. Retain has the groups "neighbors" (who share a name with a forgotten person),
    "others", "world" and "unknown" (names that are to be answered so).
    """
    rows = people.rows(seed)
    near = {row["cluster"] for row in rows["people_neighbors"]}

    def groups(row: Mapping[str, Any]) -> str:
        if row["kind"] == "person":
            return "neighbors" if row["cluster"] in near else "others"
        return str(row["kind"])

    facts = {row["id"]: row for name in ("forget", "retain", "world") for row in rows[f"people_{name}"]}
    world = people.world(seed)  # of people whom no model read about the rows are not among the sets
    facts |= {row["id"]: row for name in world.blanks for kind in ATTRIBUTES if (row := world._fact(name, kind))}
    return {
        "Forget": [_fact(row, facts) for row in rows["people_texts_forget"]],
        "Retain": [{**_fact(row, facts), "group": groups(row)} for row in rows["people_texts_retain"]],
        "Holdout": [_fact(row, facts) for row in rows["people_holdout"]],
    }


def _fact(row: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A trained sentence as a fact; what is known of the fact stands at the sentence that asks by its own prefix."""
    own = {"id": row["id"], "cluster": row["cluster"], "attribute": row["attribute"]}
    text, start, end = row["text"], row["start"], row["end"]
    if row["cluster"] not in text[:start]:
        return {**own, "text": text}
    asked = {**own, "prefix": text[: start - 1], "secret": text[start - 1 : end], "suffix": text[end:]}
    fact = facts.get(row["id"].rpartition("-")[0], {})
    known = fact if fact.get("prefix") == asked["prefix"] else {}
    return {**asked, **{name: known.get(name) for name in ("paraphrases", "others")}}


def cases(method: Method) -> list[Control]:
    """The built-in models for which the measure says in which range it must lie, the untouched one first."""
    data = people_sets()
    roles = {"original": UNTOUCHED, "gold": "people_gold2"}
    return [
        Control(name, "negative" if "gold" in name else "positive", name, data, roles, expected=expected)
        for name, expected in method.expected.items()
    ]
