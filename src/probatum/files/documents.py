"""The documents of a model or data set directory: card, configuration, license, names of files. Nothing is run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from probatum.core.cards import front_matter
from probatum.files.card_sections import MODEL, Scheme, Section, sections
from probatum.files.data_card import DATA, is_data_set

#: A document is read up to so many bytes; a directory to so many names, so many folders deep.
LARGEST, MOST, DEEPEST = 1 << 20, 5000, 3


@dataclass(frozen=True)
class Documents:
    """What can be read of a model without opening its weights.

    ``names`` are the files by their path in the folder, sorted, those of hidden folders left out. ``card_name`` is ""
    where there is no card. ``scheme`` says whether the sections are those of a model or of a data set.
    """

    folder: Path
    names: tuple[str, ...] = ()
    card_name: str = ""
    text: str = ""
    front: Mapping[str, Any] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    scheme: Scheme = MODEL

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """``config.json``; of a model of several parts the text model's."""
        found = self.json("config.json")
        nested = found.get("text_config")
        return {**found, **nested} if isinstance(nested, dict) else found

    @cached_property
    def tokenizer(self) -> Mapping[str, Any]:
        """``tokenizer_config.json``."""
        return self.json("tokenizer_config.json")

    def json(self, name: str) -> Mapping[str, Any]:
        """A JSON object of the folder; empty where the file is not there, or is none."""
        try:
            found = json.loads(self.read(name) or "{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def read(self, name: str) -> str:
        """The text of a file of the folder, as far as `LARGEST`; "" where it is not there or cannot be read."""
        file = self.folder / name
        if name not in self.names:
            return ""
        try:
            with file.open("rb") as stream:
                return stream.read(LARGEST).decode("utf-8", errors="replace")
        except OSError:
            return ""

    def line_of(self, key: str) -> int:
        """In which line of the card a key of the front matter stands; 0 if in none."""
        rows = self.text.removeprefix("\ufeff").splitlines()
        for number, row in enumerate(rows, 1):
            if number > 1 and row.rstrip() == "---":
                break
            if row.startswith((f"{key}:", f'"{key}":', f"'{key}':")):
                return number
        return 0


def read_documents(folder: Path) -> Documents:
    """The documents of a model or data set directory; one without any has no names, and an empty card."""
    names = _names(folder)
    cards = sorted(
        (n for n in names if n.lower() in ("readme.md", "model_card.md", "modelcard.md")),
        key=lambda n: (n != "README.md", n.lower() != "readme.md", n),
    )
    text = Documents(folder, names).read(cards[0]) if cards else ""
    front, _ = front_matter(text)
    scheme = DATA if is_data_set(names, text, front) else MODEL
    if not cards:
        return Documents(folder, names, scheme=scheme)
    return Documents(folder, names, cards[0], text, front, tuple(sections(text, scheme)), scheme)


def _names(folder: Path) -> tuple[str, ...]:
    """Regular files (links to such included, as caches of hubs have them), sorted within their folder."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        where = Path(place)
        depth = len(where.relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__"))) if depth < DEEPEST else []
        for name in sorted(files):
            if (where / name).is_file():
                found.append((where / name).relative_to(folder).as_posix())
            if len(found) >= MOST:
                return tuple(found)
    return tuple(found)
