"""The container of `probatum pack`: what stands where, and how its beginning is written and read.

    8 bytes   magic
    8 bytes   length of the next part
    …         JSON: version, chunk, size and sha256 of the original, base (null, or its size and sha256)
    …         the original's safetensors header, byte by byte, with its eight bytes of length
    …         table: for every chunk its kind (1 byte), CRC-32 of the original bytes (4), and for every plane
              the method (1) and the packed size (4)
    4 bytes   CRC-32 of everything before
    …         the planes, in the order of the table

Numbers are little-endian. Chunks follow from the header: every tensor is cut into pieces of ``chunk`` bytes.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import dataclass
from typing import IO, Any

from probatum.core.errors import BadInput
from probatum.files.planes import CONSTANT, STORED, WORDS
from probatum.scan.finding import quote
from probatum.scan.formats.safetensors_ import BITS, LONGEST

MAGIC = b"PBPACK\x01\n"
#: Bytes of a tensor that are packed at a time: measured from 256 KiB to 4 MiB, smaller ones pay for their tables.
CHUNK = 1 << 21
#: Chunk sizes that are read: they say how much memory reading takes.
CHUNKS = (1 << 16, 1 << 24)
PLAIN, DELTA = 0, 1


@dataclass(frozen=True)
class Piece:
    """One chunk of a tensor: where it lies behind the header, in bytes, and which tensor it is of."""

    tensor: str
    dtype: str
    begin: int
    end: int
    offset: int  #: of the first byte within its tensor

    @property
    def planes(self) -> int:
        return WORDS.get(self.dtype, 1)


@dataclass(frozen=True)
class Chunk:
    """What the table says of a chunk; ``planes`` are (method, packed size)."""

    kind: int
    crc: int
    planes: tuple[tuple[int, int], ...]


def read_layout(header: bytes, where: str) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """{name: (dtype, shape, begin, end)} in the order of the data, which they cover exactly once.

    ``header`` is the JSON of a safetensors file, without its length. Raises BadInput where it is not strict.
    """
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        tensors = [(*e["data_offsets"], name, e["dtype"], tuple(e["shape"])) for name, e in entries.items()]
        strict = all(
            type(n) is int and 0 <= n < 1 << 62 for begin, end, _, _, shape in tensors for n in (begin, end, *shape)
        )
        strict = strict and all(
            math.prod(shape) * BITS[dtype] == (end - begin) * 8 for begin, end, _, dtype, shape in tensors
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{where}: its header is not that of a safetensors file") from error
    at = 0
    for begin, end, name, _, _ in sorted(tensors):
        if begin != at or not strict:
            raise BadInput(f"{where}: the tensor {quote(name)} does not lie where it should; write the file again")
        at = end
    return {name: (dtype, shape, begin, end) for begin, end, name, dtype, shape in sorted(tensors)}


def pieces(layout: dict[str, tuple[str, tuple[int, ...], int, int]], chunk: int) -> list[Piece]:
    """The chunks of all tensors."""
    return [
        Piece(name, dtype, at, min(at + chunk, end), at - begin)
        for name, (dtype, _, begin, end) in layout.items()
        for at in range(begin, end, chunk)
    ]


def table_size(found: list[Piece]) -> int:
    """Bytes of the table."""
    return sum(5 + 5 * piece.planes for piece in found)


def front(facts: dict[str, Any], header: bytes, table: list[Chunk]) -> bytes:
    """Everything before the planes; its length depends on the original alone."""
    text = json.dumps({"version": 1, **facts}, sort_keys=True).encode()
    rows = b"".join(
        struct.pack("<BI", c.kind, c.crc) + b"".join(struct.pack("<BI", *plane) for plane in c.planes) for c in table
    )
    whole = MAGIC + struct.pack("<Q", len(text)) + text + struct.pack("<Q", len(header)) + header + rows
    return whole + struct.pack("<I", zlib.crc32(whole))


@dataclass(frozen=True)
class Front:
    """The beginning of a container, checked: facts, the original's header, pieces and what the table says of each."""

    facts: dict[str, Any]
    header: bytes
    found: list[Piece]
    table: list[Chunk]


def read_front(file: IO[bytes], size: int, where: str) -> Front:
    """Read and check it; memory follows the size of the file, never a number that the file claims.

    Raises
    ------
    BadInput
        If it is no container, or anything in it does not fit the rest.
    """
    crc = 0

    def take(count: int, most: int) -> bytes:
        nonlocal crc
        block = file.read(count) if 0 <= count <= min(most, size) else b""
        if len(block) != count:
            raise BadInput(f"{where}: is cut off or damaged in its first part")
        crc = zlib.crc32(block, crc)
        return block

    if file.read(len(MAGIC)) != MAGIC:
        raise BadInput(f"{where}: is not what `probatum pack` wrote")
    crc = zlib.crc32(MAGIC)
    text = take(struct.unpack("<Q", take(8, 8))[0], 1 << 16)
    header = take(struct.unpack("<Q", take(8, 8))[0], LONGEST)
    facts = _facts(text, where)
    layout = read_layout(header, where)
    total = sum((end - begin + facts["chunk"] - 1) // facts["chunk"] for _, _, begin, end in layout.values())
    if total * 10 > size or 8 + len(header) + max((e for *_, e in layout.values()), default=0) != facts["size"]:
        raise BadInput(f"{where}: promises {facts['size']:,} bytes, which its parts do not give")
    found = pieces(layout, facts["chunk"])
    rows = take(table_size(found), size)
    stored = crc
    if struct.unpack("<I", take(4, 4))[0] != stored:
        raise BadInput(f"{where}: is damaged: the checksum of its first part is wrong")
    table = _table(rows, found, where)
    if file.tell() + sum(packed for chunk in table for _, packed in chunk.planes) != size:
        raise BadInput(f"{where}: is cut off or has bytes behind its end; copy it again")
    return Front(facts, header, found, table)


def _facts(text: bytes, where: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
        base = facts["base"]
        known = facts["version"] == 1 and all(
            type(part["size"]) is int and len(bytes.fromhex(part["sha256"])) == 32 for part in (facts, base or facts)
        )
        chunk = facts["chunk"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{where}: its first part cannot be read") from error
    if not known or type(chunk) is not int or not CHUNKS[0] <= chunk <= CHUNKS[1] or chunk % 64:
        raise BadInput(f"{where}: was written by another version of `probatum pack`, or is damaged")
    return dict(facts)


def _table(rows: bytes, found: list[Piece], where: str) -> list[Chunk]:
    out, at = [], 0
    for piece in found:
        kind, crc = struct.unpack_from("<BI", rows, at)
        planes = tuple(struct.iter_unpack("<BI", rows[at + 5 : at + 5 + 5 * piece.planes]))
        plane = (piece.end - piece.begin) // piece.planes
        for method, packed in planes:
            if packed > plane or method > CONSTANT or (method == STORED and packed != plane):
                raise BadInput(f"{where}: {quote(piece.tensor)} has a plane of {packed:,} bytes where {plane:,} belong")
        if kind not in (PLAIN, DELTA):
            raise BadInput(f"{where}: {quote(piece.tensor)} has a chunk of an unknown kind")
        out.append(Chunk(kind, crc, planes))
        at += 5 + 5 * piece.planes
    return out
