"""Pack a safetensors file without loss: byte planes and Huffman codes, chunk by chunk (P231, ZipNN).

With a base (the model that it was tuned from) what is packed is the difference: the exclusive-or with the tensor of
the same name, type and shape. It streams: memory is a few chunks for each thread, whatever the file.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from probatum.files.outputs import check_free, write_whole
from probatum.files.pack_format import CHUNK, DELTA, PLAIN, Chunk, Piece, front, pieces
from probatum.files.pack_io import Packed, Tensors, in_order
from probatum.files.planes import entropy, sampled, split, squeeze


def pack(
    source: Path,
    out: Path,
    *,
    base: Path | None = None,
    threads: int | None = None,
    chunk: int = CHUNK,
    force: bool = False,
    step: Callable[[int, int], None] | None = None,
) -> Packed:
    """Pack ``source`` into ``out``, which appears only when it is complete.

    Raises
    ------
    BadInput
        If the source is no strict safetensors file, or the output exists.
    """
    check_free(out, force)
    original = Tensors(source)
    parent = Tensors(base) if base is not None else None
    try:
        found = pieces(original.layout, chunk)
        facts: dict[str, Any] = {"chunk": chunk, "size": original.size, "sha256": "0" * 64, "base": None}
        if parent is not None:
            facts["base"] = {"size": parent.size, "sha256": parent.digest()}
        table = [Chunk(PLAIN, 0, ((0, 0),) * piece.planes) for piece in found]
        digest = hashlib.sha256(len(original.header).to_bytes(8, "little") + original.header)

        def work(piece: Piece) -> tuple[np.ndarray, Chunk, list[Any]]:
            raw = original.read(piece.begin, piece.end)
            other = parent.twin(piece, original.layout[piece.tensor]) if parent is not None else None
            return raw, *_squeeze(raw, other, piece.dtype)

        def write(file: Any) -> None:
            file.write(front(facts, original.header, table))
            for n, (raw, row, planes) in enumerate(in_order(work, found, threads)):
                digest.update(raw.data)
                table[n] = row
                file.writelines(planes)
                if step is not None:
                    step(found[n].end, found[-1].end)
            facts["sha256"] = digest.hexdigest()
            file.seek(0)
            file.write(front(facts, original.header, table))

        write_whole(out, write)
        differences = sum(p.end - p.begin for p, row in zip(found, table, strict=True) if row.kind == DELTA)
        return Packed(out, original.size, out.stat().st_size, facts["sha256"], differences)
    finally:
        original.close()
        if parent is not None:
            parent.close()


def _squeeze(raw: np.ndarray, other: np.ndarray | None, dtype: str) -> tuple[Chunk, list[Any]]:
    """A chunk as it is, or as difference, whichever a sample says is smaller."""
    kind, planes = PLAIN, split(raw, dtype)
    if other is not None:
        differing = split(raw ^ other, dtype)
        if _guess(differing) < _guess(planes):
            kind, planes = DELTA, differing
    done = [squeeze(plane) for plane in planes]
    return Chunk(kind, zlib.crc32(raw.data), tuple((m, len(p)) for m, p in done)), [p for _, p in done]


def _guess(planes: list[np.ndarray]) -> float:
    return sum(entropy(sampled(plane)) for plane in planes)
