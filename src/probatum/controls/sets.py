"""The planted sets as data, and the cases that prove a probe: by kind of data, or by a name for the rest."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Literal

from probatum.controls import planted
from probatum.core.catalogue import Method
from probatum.core.control import Control
from probatum.core.data import Choices, Data, Forms, Key, Members, Norms, Pairs, Prompts, Records, Texts
from probatum.core.target import Opener

Half = Literal["control", "subject"]

#: Which planted set serves as which kind of data.
KIND_OF: dict[str, type[Data]] = {
    "members": Members,
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
def builtin(half: Half) -> Mapping[str, Data]:
    """Every planted set of one half, by kind of data; the public texts are whole."""
    rows = planted.rows()
    data: dict[str, Data] = {
        "Texts": Texts.from_rows(({"id": r["id"], "text": r["text"]} for r in rows["public"]), name="public")
    }
    for name, kind in KIND_OF.items():
        part = planted.half(rows[name], half)
        if name == "fingerprints" and half == "subject":
            # The owner's key is the one at full dose; weaker ones and those that nobody planted are only a control.
            part = [row for row in part if row["dose"] == max(r["dose"] for r in part)]
        data[kind.__name__] = kind.from_rows(part, name, name=name)
    members = data["Members"]
    assert isinstance(members, Members)
    data["Members"] = dataclasses.replace(members, randomized=True)  # a coin decided who is in
    return data


def controls_for(method: Method, open_model: Opener) -> list[Control]:
    """The cases of a probe: a named set, its own function, or by default the planted set of its first kind of data."""
    if callable(method.control):
        return list(method.control(open_model))
    if method.control is not None:
        return _named(method.control)(open_model)
    kinds = list(method.signature.data.values())
    name = next((n for n, kind in KIND_OF.items() if kinds and kind.__name__ == kinds[0]), None)
    if name is None:
        return []
    data = builtin("control")
    unit = UNITS.get(name, "exposures")
    # The positive and the negative case differ in one thing: the twin never saw what was planted.
    return [
        Control("planted", "positive", "specimen", data, {"reference": "base"}, unit=unit),
        Control("never planted", "negative", "twin", data, {"reference": "base"}, unit=unit),
    ]


def _named(name: str) -> Callable[[Opener], list[Control]]:
    from probatum.controls import cases

    named = {"lineage": cases.lineage, "claims": cases.claims}
    if name not in named:
        raise ValueError(f"no control set is called '{name}'; there are {', '.join(named)}")
    return named[name]
