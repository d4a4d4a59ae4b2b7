"""Finding a set on this machine, and opening it; or generating one in its place."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.data import Items
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.sets import ItemSet, known

VARIABLE = "PROBATUM_DATA"  #: folders that are searched in any case, separated like PATH
DEPTH = 4  #: folders below a given one that are searched
FAMILY = "/all"  #: ends the name of what joins all parts of a family that are found
LARGEST = 256 * 2**20  #: bytes that a file may have once it is inflated


@dataclass(frozen=True)
class Found:
    """Items, and where they came from: in words for a report, and whether a published file is the known one."""

    items: Items
    origin: str
    path: Path | None = None
    remark: str = ""


def places(given: Sequence[str | Path] = ()) -> list[Path]:
    """The folders and files that are searched. Raises `BadInput` where one that was named is not there."""
    for place in given:
        if not Path(place).exists():
            raise BadInput(f"{place}: no such folder or file to look for data in")
    named = os.environ.get(VARIABLE, "")
    return [*map(Path, given), *(Path(p) for p in named.split(os.pathsep) if p and Path(p).exists())]


def items_of(name: str, where: Sequence[Path] = (), *, seed: int = 0) -> Found:
    """The items of a set: published ones where they are found, else generated.

    Raises `BadInput` for a set that does not exist, or a file that cannot be read as it.
    """
    if name not in known():
        raise BadInput(f"no set of items is called '{name}'; see `probatum data`")
    entry = known()[name]
    if name.endswith(FAMILY):
        return _family(entry, where, seed)
    path = locate(entry, where)
    if path is None:
        items = generated(entry, seed)
        return Found(items, f"{len(items)} generated items of the shape of {name}")
    rows = list(entry.read(_content(entry, path)))  # type: ignore[misc]
    items = _items(entry, rows, f"{path.name}: {entry.file}")
    return Found(items, f"{len(items)} items of {name}", path, _remark(entry, path))


def _family(entry: ItemSet, where: Sequence[Path], seed: int) -> Found:
    """All published parts of a family that are found, as one set; its own reader, where it has one, joins them."""
    parts = [s for s in known().values() if s.source and s.name.startswith(entry.name.removesuffix("all"))]
    found = [(part, path) for part in parts if (path := locate(part, where)) is not None]
    if not found:
        items = generated(entry, seed)
        return Found(items, f"{len(items)} generated items of the shape of {entry.name}")
    rows = {part.name: list(part.read(_content(part, path))) for part, path in found}  # type: ignore[misc]
    flat = [{"id": f"{name}-{n}", **row} for name, part in rows.items() for n, row in enumerate(part, 1)]
    items = _items(entry, flat if entry.read is None else list(entry.read(rows)), ", ".join(p.name for _, p in found))
    remarks = dict.fromkeys(remark for part, path in found if (remark := _remark(part, path)))
    path = found[0][1] if len(found) == 1 else found[0][1].parent
    return Found(items, f"{len(items)} items of {', '.join(rows)}", path, "; ".join(remarks))


@functools.cache
def generated(entry: ItemSet, seed: int = 0) -> Items:
    """Our own items of the shape of a set; equal for equal seeds."""
    return _items(entry, list(entry.generated(keyed(seed, "items", entry.name))), "generated")


def locate(entry: ItemSet, where: Sequence[Path]) -> Path | None:
    """The file (or the archive) that holds a set, or None."""
    if entry.source is None:
        return None
    wanted = entry.source.archive or Path(entry.file).name
    for place in where:
        files = [place] if place.is_file() else sorted(_below(place, wanted))
        for file in files:
            if file.name == wanted and (not entry.source.archive or _member(entry, file)):
                return file
        if entry.source.archive and place.is_dir():  # the archive may have been unpacked
            tail = "/".join(Path(entry.file).parts[-2:])
            loose = [f for f in sorted(_below(place, Path(entry.file).name)) if f.as_posix().endswith(tail)]
            if loose:
                return loose[0]
    return None


def _below(place: Path, name: str) -> list[Path]:
    return [f for depth in range(DEPTH + 1) for f in place.glob("*/" * depth + name) if f.is_file()]


def _member(entry: ItemSet, archive: Path) -> str | None:
    """The name within an archive; some pack the folder, some what is in it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            names = opened.namelist()
    except (zipfile.BadZipFile, OSError):
        return None
    tail = "/".join(Path(entry.file).parts[-2:])
    return next((n for n in names if n == tail or n.endswith(f"/{tail}")), None)


def _content(entry: ItemSet, path: Path) -> Any:
    """What the published file holds: rows of a table, lines of JSON or of text, or one JSON value."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                member = archive.getinfo(_member(entry, path) or entry.file)
                if member.file_size > LARGEST:
                    raise BadInput(f"{path}: {member.filename} is larger than {LARGEST >> 20} MiB")
                raw = archive.read(member)
        elif path.stat().st_size > LARGEST:
            raise BadInput(f"{path}: is larger than {LARGEST >> 20} MiB")
        else:
            raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
        match Path(entry.file).suffix:
            case ".json":
                return json.loads(text)
            case ".jsonl":
                return [json.loads(line) for line in text.splitlines() if line.strip()]
            case ".csv":
                return list(csv.DictReader(io.StringIO(text)))
            case ".tsv":
                return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
        return [line for line in text.splitlines() if line.strip()]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path}: {entry.file} cannot be read as {entry.name} ({error})") from error


def _items(entry: ItemSet, rows: list[Any], source: str) -> Items:
    """Rows as Items; what has no id is numbered, since published sets repeat their prompts."""
    numbered = [{"id": f"{entry.name}-{n}", **row} for n, row in enumerate(rows, 1)]
    try:
        name = entry.name if source != "generated" else f"generated {entry.name}"  # of these nothing was published
        items = Items.from_rows(numbered, source, name=name)
    except (KeyError, TypeError) as error:
        raise BadInput(f"{source} has other columns than {entry.name} ({error})") from error
    return Items(**{**items.__dict__, "harmful": entry.harmful})


def _remark(entry: ItemSet, path: Path) -> str:
    """What a reader must know of a file that is not byte for byte the known one."""
    digests = (entry.source.digests or {}) if entry.source else {}
    expected = digests.get(path.name)
    if not expected:
        return ""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest in expected:
        return ""
    return (
        f"{path.name} is not the file that is known as {entry.source.name} "  # type: ignore[union-attr]
        f"(SHA-256 {digest[:12]}…, expected {' or '.join(d[:12] + '…' for d in expected)}); numbers may differ"
    )
