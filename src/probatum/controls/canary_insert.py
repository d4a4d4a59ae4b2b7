"""Canaries mixed into the training data: at random places, among records that stay as they are."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.controls.canary_key import CanaryKey, open_key, standing_in
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.tables import read_rows


@dataclass(frozen=True)
class Inserted:
    """What `insert` wrote: records of the source, canaries that were planted, and the lines that these take."""

    records: int
    canaries: int
    lines: int


def insert(
    source: str | Path, key: str | Path, out: str | Path, *, field: str = "text", force: bool = False
) -> Inserted:
    """Write the records of ``source`` with the planted canaries among them, as JSON lines.

    The records keep their order and their columns; a canary has its text in ``field`` and null in the other columns.

    Raises
    ------
    BadInput
        No text in that column, a canary that stands in the source already, or an output that is there (without
        ``force``).
    """
    source, out, known = Path(source), Path(out), open_key(key)
    _check(source, out, force)
    rows = read_rows(source)
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get(field), str):
            have = ", ".join(sorted(row)) or "none"
            raise BadInput(f"{source}, record {number}: no text in the column '{field}' (present: {have}); see --field")
    if there := standing_in(known.canaries, (row[field] for row in rows)):
        raise BadInput(
            f"{source}: {len(there)} canaries of this key stand there already; insert into the file without any"
        )
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_line(row) for row in _mixed(rows, known, field))
        os.replace(part, out)
    except OSError as error:
        raise ProbatumError(f"{out}: could not be written ({error.strerror})") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return Inserted(len(rows), sum(c.member for c in known.canaries), len(known.planted))


def _check(source: Path, out: Path, force: bool) -> None:
    if out.suffix.lower() != ".jsonl":
        raise BadInput(f"{out}: expected a name ending in .jsonl; what is written are JSON lines")
    if out.exists():
        if source.exists() and out.samefile(source):
            raise BadInput(
                f"{out} is the source itself; name another file, since the source is wanted without canaries"
            )
        if out.is_dir() or not force:
            raise BadInput(f"{out} is there already; name another file" + ("" if out.is_dir() else ", or use --force"))


def _mixed(rows: list[dict[str, Any]], key: CanaryKey, field: str) -> Iterator[Mapping[str, Any]]:
    texts, empty = key.planted, dict.fromkeys(rows[0])
    before: dict[int, list[str]] = {}
    places = key.rng("insert").integers(len(rows) + 1, size=len(texts))
    for text, place in zip(texts, places.tolist(), strict=True):
        before.setdefault(place, []).append(text)
    for place in range(len(rows) + 1):
        yield from ({**empty, field: text} for text in before.get(place, ()))
        yield from rows[place : place + 1]


def _line(row: Mapping[str, Any]) -> str:
    """One line of JSON; half of a surrogate pair, which UTF-8 has not, stays escaped as it was read."""
    text = json.dumps(row, ensure_ascii=False, default=_plain)
    if re.search("[\ud800-\udfff]", text):
        text = json.dumps(row, default=_plain)
    return text + "\n"


def _plain(value: Any) -> str:
    """Dates as text; what JSON cannot hold is not turned into something else in silence."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise BadInput(f"a column holds {type(value).__name__}, which JSON lines cannot; convert it to text first")
