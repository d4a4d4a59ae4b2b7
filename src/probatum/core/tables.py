"""Data files: .jsonl, .csv, .parquet and .txt, read into rows. Every fault is one sentence that names the file."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from probatum.core.data import Data, Members
from probatum.core.errors import BadInput

ENDINGS = (".jsonl", ".csv", ".parquet", ".txt")


def read_rows(path: str | Path, *, field: str | None = None) -> list[dict[str, Any]]:
    """Rows of a file. ``field`` names the column that holds the text (read as ``text``).

    A ``.txt`` file holds one text a line; empty lines are left out.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"{path}: expected a file ending in {', '.join(ENDINGS)}")
    try:
        rows = _parquet(path) if ending == ".parquet" else _text(path, ending)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise BadInput(f"{path}: not a CSV file ({error})") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
    if not rows:
        raise BadInput(f"{path}: the file is empty; expected one record a line")
    if field is not None:
        for number, row in enumerate(rows, 1):
            if field not in row:
                raise BadInput(f"{path}, record {number}: the column '{field}' is missing (present: {_columns(row)})")
        rows = [{**row, "text": row[field]} for row in rows]
    return rows


def _text(path: Path, ending: str) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        if ending == ".txt":
            return [{"text": line.rstrip("\r\n")} for line in handle if line.strip()]
        if ending == ".csv":
            csv.field_size_limit(2**31 - 1)  # a cell may hold a whole document
            table = list(csv.DictReader(handle))
            for number, row in enumerate(table, 1):
                if None in row:
                    raise BadInput(f"{path}, record {number}: has more cells than the header; quote cells with commas")
            return [dict(row) for row in table]
        rows = []
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadInput(f"{path}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict):
                raise BadInput(f'{path}, line {number}: expected an object such as {{"text": "…"}}')
            rows.append(row)
        return rows


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]
    except pyarrow.ArrowException as error:
        raise BadInput(f"{path}: not a parquet file ({str(error).splitlines()[0]})") from error


def read_data(kind: type[Data], path: str | Path, *, field: str | None = None) -> Data:
    """The records of one file as ``kind``."""
    rows = read_rows(path, field=field)
    for row in rows:  # a table has no lists: options of a CSV stand in one cell, as JSON or separated by |
        if isinstance(row.get("options"), str):
            cell = row["options"]
            try:
                row["options"] = json.loads(cell) if cell.lstrip().startswith("[") else cell.split("|")
            except ValueError as error:
                raise BadInput(f"{path}: the options '{cell[:60]}' are not JSON ({error})") from error
        if not all(str(option).strip() for option in row.get("options") or ()):
            raise BadInput(f"{path}: an option is empty; what is empty would be likelier than everything else")
        if "answer" in row and "options" in row:
            row["answer"] = _answer(row["answer"], row["options"], path)
    return kind.from_rows(rows, str(path), name=Path(path).stem)


def read_members(
    members: str | Path, nonmembers: str | Path, *, field: str | None = None, randomized: bool = False
) -> Members:
    """Members and nonmembers of two files as one set; ``randomized`` says that a coin decided which is which."""
    inside, outside = read_rows(members, field=field), read_rows(nonmembers, field=field)
    for name, rows in ((members, inside), (nonmembers, outside)):
        for number, row in enumerate(rows, 1):
            if row.get("text") is None:
                raise BadInput(
                    f"{name}, record {number}: the column 'text' is missing (present: {_columns(row)}); "
                    "name another with --field"
                )
            if not isinstance(row["text"], str):
                raise BadInput(f"{name}, record {number}: the text is not text but {type(row['text']).__name__}")
        if len(rows) < 2:
            raise BadInput(f"{name}: the file holds one record; a comparison needs many (at least 10 a side)")
    both = {r["text"] for r in inside} & {r["text"] for r in outside}
    if both:
        raise BadInput(
            f"{len(both)} texts stand both in {members} and in {nonmembers}; a text is a member or it is not"
        )
    rows = [{**r, "member": side} for side, part in ((True, inside), (False, outside)) for r in _distinct(part)]
    for row in rows:
        if row.get("id") is not None:
            row["id"] = f"{'member' if row['member'] else 'nonmember'} {row['id']}"
    data = Members.from_rows(rows, f"{members} and {nonmembers}", name=Path(members).stem)
    return dataclasses.replace(data, randomized=randomized)


def _distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Equal texts once: a text that stands there twice is not two observations."""
    return list({row["text"]: row for row in reversed(rows)}.values())[::-1]


def _columns(row: dict[str, Any]) -> str:
    return ", ".join(sorted(name for name, value in row.items() if value is not None)) or "none"


def _answer(answer: Any, options: Sequence[str], path: str | Path) -> int:
    if isinstance(answer, int) or str(answer).isdigit():
        if isinstance(answer, str) and answer in options and list(options).index(answer) != int(answer):
            raise BadInput(f"{path}: the answer '{answer}' is one option, and the number of another; write its number")
        return int(answer)
    if answer in options:
        return list(options).index(answer)
    raise BadInput(f"{path}: the answer '{answer}' is neither a number nor one of the options")
