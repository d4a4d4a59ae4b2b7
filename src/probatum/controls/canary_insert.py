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
from probatum.core.data import present
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.tables import iterate_rows


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
    The source is read twice, a record at a time, so it may be larger than memory.

    Raises
    ------
    BadInput
        No text in that column, a canary that stands in the source already, or an output that is there (without
        ``force``).
    """
    source, out, known = Path(source), Path(out), open_key(key)
    _check(source, out, force)
    seen = _Count(source, field)
    if there := standing_in(known.canaries, seen):
        raise BadInput(
            f"{source}: {len(there)} canaries of this key stand there already; insert into the file without any"
        )
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_line(row) for row in _mixed(source, seen.records, known, field))
        os.replace(part, out)
    except OSError as error:
        raise ProbatumError(f"{out}: could not be written ({error.strerror})") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return Inserted(seen.records, sum(c.member for c in known.canaries), len(known.planted))


@dataclass
class _Count:
    """The texts of a file, one after the other, and how many there were. Raises `BadInput` where a record has none."""

    source: Path
    field: str
    records: int = 0

    def __iter__(self) -> Iterator[str]:
        for number, row in enumerate(iterate_rows(self.source), 1):
            self.records = number
            if not isinstance(row.get(self.field), str):
                have = present(row, self.source)
                raise BadInput(
                    f"{self.source}, record {number}: no text in the column '{self.field}' (present: {have}); "
                    "see --field"
                )
            yield row[self.field]


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


def _mixed(source: Path, records: int, key: CanaryKey, field: str) -> Iterator[Mapping[str, Any]]:
    """The records, read a second time, and before, among and after them the canaries; one at a time."""
    texts = key.planted
    before: dict[int, list[str]] = {}
    places = key.rng("insert").integers(records + 1, size=len(texts))
    for text, place in zip(texts, places.tolist(), strict=True):
        before.setdefault(place, []).append(text)
    empty: dict[str, Any] = {}
    number = 0
    for number, row in enumerate(iterate_rows(source), 1):
        empty = empty or dict.fromkeys(row)
        yield from ({**empty, field: text} for text in before.get(number - 1, ()))
        yield row
    if number != records:
        raise BadInput(f"{source}: the file changed while it was read ({records} records, then {number}); try again")
    yield from ({**empty, field: text} for text in before.get(records, ()))


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
