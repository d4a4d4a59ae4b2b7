"""The planted sets as data, by kind."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Literal

from probatum.controls import planted
from probatum.core.data import Canaries, Choices, Data, Forms, Key, Members, Norms, Pairs, Prompts, Records, Texts

Half = Literal["control", "subject"]

#: Which planted set serves as which kind of data.
KIND_OF: dict[str, type[Data]] = {
    "members": Members,
    "canaries": Canaries,  # the same texts: a coin decided which of each pair was planted
    "records": Records,
    "facts": Choices,
    "norms": Norms,
    "forms": Forms,
    "groups": Pairs,
    "triggers": Prompts,
    "fingerprints": Key,
}
UNITS = {"groups": "% skew", "forms": "of 6 forms never seen"}

#: Against what each built-in model is compared when it is itself audited: (reference, ancestor). The twin's ancestor
#: is the stranger, since of base it does descend, and the answer to that question must be evidence.
RELATIVES = {
    "specimen": ("base", "base"),
    "gold": ("base", "base"),
    "twin": ("base", "stranger"),
    "base": ("stranger", "stranger"),
    "stranger": ("base", "base"),
}


@functools.cache
def pairs() -> Mapping[str, str]:
    """Member, planted or not → the pair for which a coin was tossed: the lots are drawn again with the pairs' names."""
    world, count = planted.world(), sum(planted.MEMBERS.values())
    lots = world._lots("members", [(f"pair-{i:03d}",) * 2 for i in range(count)], planted.MEMBERS)
    return {row["id"]: pair for row, (pair, _, _) in zip(world.members, lots, strict=True)}


@functools.cache
def builtin(half: Half) -> Mapping[str, Data]:
    """Every planted set of one half, by kind of data; the public texts are whole."""
    rows = planted.rows()
    data: dict[str, Data] = {
        "Texts": Texts.from_rows(({"id": r["id"], "text": r["text"]} for r in rows["public"]), name="public")
    }
    for name, kind in KIND_OF.items():
        part = planted.half(rows["members" if name == "canaries" else name], half)
        if name == "fingerprints" and half == "subject":
            # The owner's key is the one at full dose; weaker ones and those that nobody planted are only a control.
            part = [row for row in part if row["dose"] == max(r["dose"] for r in part)]
        if name == "canaries":
            part = [{**row, "cluster": pairs()[row["id"]]} for row in part]
        data[kind.__name__] = kind.from_rows(part, name, name=name)
    members = data["Members"]
    assert isinstance(members, Members)
    data["Members"] = dataclasses.replace(members, randomized=True)  # a coin decided who is in
    return data
