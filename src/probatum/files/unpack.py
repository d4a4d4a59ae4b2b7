"""Give back what `pack` packed, bit by bit, or say what is wrong with it. Never more memory than a few chunks."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.outputs import check_free, check_room, write_whole
from probatum.files.pack_format import DELTA, Chunk, Front, Piece, read_front, read_layout
from probatum.files.pack_io import Packed, Tensors, in_order
from probatum.files.planes import join, restore


def unpack(
    source: Path,
    out: Path,
    *,
    base: Path | None = None,
    threads: int | None = None,
    force: bool = False,
    step: Callable[[int, int], None] | None = None,
) -> Packed:
    """The original of a container, bit by bit; it appears only when its SHA-256 is the one that was noted.

    Raises
    ------
    BadInput
        If the container is damaged, cut off or not one, or the base is missing or another file.
    """
    check_free(out, force)
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadInput(f"{source}: cannot be read ({error.strerror})") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        known = read_front(file, size, str(source))
        start, parent = file.tell(), None
        check_room(out, known.facts["size"])
        if known.facts["base"] is not None:
            parent = _base(base, known, source)
        try:
            return _unpack(source, out, file.fileno(), start, known, parent, threads, step)
        finally:
            if parent is not None:
                parent.close()


def _unpack(
    source: Path,
    out: Path,
    file: int,
    start: int,
    known: Front,
    parent: Tensors | None,
    threads: int | None,
    step: Callable[[int, int], None] | None,
) -> Packed:
    places, layout = [], read_layout(known.header, str(source))
    for piece, row in zip(known.found, known.table, strict=True):
        places.append((piece, row, start))
        start += sum(packed for _, packed in row.planes)

    def work(place: tuple[Piece, Chunk, int]) -> np.ndarray:
        piece, row, at = place
        plane, planes = (piece.end - piece.begin) // piece.planes, []
        try:
            for method, packed in row.planes:
                planes.append(restore(method, os.pread(file, packed, at), plane))
                at += packed
            raw = join(planes, piece.dtype)
            if row.kind == DELTA:
                other = parent.twin(piece, layout[piece.tensor]) if parent is not None else None
                if other is None:
                    raise BadInput("a difference to a tensor that the base does not have")
                raw = raw ^ other
            if zlib.crc32(raw.data) != row.crc:
                raise BadInput("the checksum is wrong")
        except BadInput as error:
            raise BadInput(f"{source}: is damaged in {piece.tensor!r:.80} at byte {piece.offset:,}: {error}") from error
        return raw

    digest = hashlib.sha256()

    def write(target: Any) -> None:
        head = len(known.header).to_bytes(8, "little") + known.header
        digest.update(head)
        target.write(head)
        for n, raw in enumerate(in_order(work, places, threads)):
            digest.update(raw.data)
            target.write(raw)
            if step is not None:
                step(known.found[n].end, known.found[-1].end)
        if digest.hexdigest() != known.facts["sha256"]:
            raise BadInput(f"{source}: is damaged: what comes out has another SHA-256 than the original")

    write_whole(out, write)
    return Packed(out, known.facts["size"], os.fstat(file).st_size, known.facts["sha256"])


def _base(base: Path | None, known: Front, source: Path) -> Tensors:
    wanted = known.facts["base"]
    if base is None:
        raise BadInput(f"{source}: is a difference; name its base (sha256 {wanted['sha256'][:16]}…) with --base")
    parent = Tensors(base)
    if parent.size != wanted["size"] or parent.digest() != wanted["sha256"]:
        parent.close()
        raise BadInput(f"{base}: is not the base of {source}, whose sha256 is {wanted['sha256'][:16]}…")
    return parent
