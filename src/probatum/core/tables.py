"""Data files: .jsonl, .csv, .parquet and .txt, read into rows. Every fault is one sentence that names the file."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from probatum.core.data import Data, Members, Records, present
from probatum.core.errors import BadInput
from probatum.core.masking import fits

ENDINGS = (".jsonl", ".csv", ".parquet", ".txt")


def read_rows(path: str | Path, *, field: str | None = None) -> list[dict[str, Any]]:
    """Rows of a file. ``field`` names the column that holds the text (read as ``text``).

    A ``.txt`` file holds one text a line; empty lines are left out.
    """
    rows = list(iterate_rows(path))
    if field is not None:
        for number, row in enumerate(rows, 1):
            if field not in row:
                have = present(row, path)
                raise BadInput(f"{path}, record {number}: the column '{field}' is missing (present: {have})")
        rows = [{**row, "text": row[field]} for row in rows]
    return rows


def iterate_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows one after the other, so that a file of any size takes little memory. Faults as of `read_rows`."""
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"{path}: expected a file ending in {', '.join(ENDINGS)}")
    empty = True
    try:
        for row in _parquet(path) if ending == ".parquet" else _text(path, ending):
            empty = False
            yield row
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise BadInput(f"{path}: not a CSV file ({error})") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
    if empty:
        raise BadInput(f"{path}: the file is empty; expected one record a line")


def _text(path: Path, ending: str) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        if ending == ".txt":
            yield from ({"text": line.rstrip("\r\n")} for line in handle if line.strip())
        elif ending == ".csv":
            csv.field_size_limit(2**31 - 1)  # a cell may hold a whole document
            for number, row in enumerate(csv.DictReader(handle), 1):
                if None in row:
                    raise BadInput(f"{path}, record {number}: has more cells than the header; quote cells with commas")
                yield dict(row)
        else:
            yield from _json_lines(path, handle)


def _json_lines(path: Path, handle: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(handle, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise BadInput(f'{path}, line {number}: expected an object such as {{"text": "…"}}')
        yield row


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
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
    data = kind.from_rows(rows, str(path), name=Path(path).stem)
    if isinstance(data, Records):
        for number, (form, secret) in enumerate(zip(data.forms, data.secret, strict=True), 1):
            if form and not fits(form, secret):
                raise BadInput(
                    f"{path}, record {number}: the secret is none of the format '{form}' (d a digit, a or A a letter, "
                    "x a hexadecimal digit, other characters as they are), so nothing can be said of its rank"
                )
    return data


def read_members(
    members: str | Path, nonmembers: str | Path, *, field: str | None = None, randomized: bool = False
) -> Members:
    """Members and nonmembers of two files as one set; ``randomized`` says that a coin decided which is which."""
    inside, outside = read_rows(members, field=field), read_rows(nonmembers, field=field)
    for name, rows in ((members, inside), (nonmembers, outside)):
        for number, row in enumerate(rows, 1):
            if row.get("text") is None:
                raise BadInput(
                    f"{name}, record {number}: the column 'text' is missing (present: {present(row, name)}); "
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


def _answer(answer: Any, options: Sequence[str], path: str | Path) -> int:
    if isinstance(answer, int) or str(answer).isdigit():
        if isinstance(answer, str) and answer in options and list(options).index(answer) != int(answer):
            raise BadInput(f"{path}: the answer '{answer}' is one option, and the number of another; write its number")
        return int(answer)
    if answer in options:
        return list(options).index(answer)
    raise BadInput(f"{path}: the answer '{answer}' is neither a number nor one of the options")
