"""Filter pipelines: which filters there are, and the ones that are undone here to read texts."""

from __future__ import annotations

import zlib

from probatum.scan.hdf5.store import Bad, Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Filter(NamedTuple):
        id: int
        values: list[int]
else:
    from collections import namedtuple

    Filter = namedtuple("Filter", "id values")

DEFLATE, SHUFFLE, CHECKSUM, SZIP, NBIT, SCALE, LZF = 1, 2, 3, 4, 5, 6, 32000
#: Filters of the library itself, and LZF, which h5py brings along. All others are plugins.
BUILT_IN = frozenset({DEFLATE, SHUFFLE, CHECKSUM, SZIP, NBIT, SCALE, LZF})
#: Those that are undone here, to read texts.
UNDONE = frozenset({DEFLATE, SHUFFLE, CHECKSUM, LZF})
#: Well-known plugins by their registered number.
NAMES = {
    305: "lzo", 307: "bzip2", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd",
    32017: "sz", 32026: "blosc2",
}  # fmt: skip
MOST = 32


def read(cursor: Cursor) -> list[Filter]:
    """The filters of a pipeline message, in the order in which they were applied. Raises `Bad`."""
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2) or count > MOST:
        raise Bad(f"a filter pipeline of version {version} with {count} filters")
    if version == 1:
        cursor.take(6)
    out = []
    for _ in range(count):
        id = cursor.number(2)
        name = cursor.number(2) if version == 1 or id >= 256 else 0
        cursor.take(2)
        values = cursor.number(2)
        cursor.take(name + (-name % 8 if version == 1 else 0))
        out.append(Filter(id, [cursor.number(4) for _ in range(values)]))
        if version == 1 and values % 2:
            cursor.take(4)
    return out


def undo(data: bytes, pipeline: list[Filter], mask: int, size: int) -> bytes:
    """The chunk of ``size`` bytes that was filtered; a set bit of the mask leaves out a filter. Raises `Bad`."""
    for n in reversed(range(len(pipeline))):
        filter = pipeline[n]
        if mask >> n & 1:
            continue
        if filter.id == DEFLATE:
            data = _inflate(data, size + 4 * len(pipeline))
        elif filter.id == SHUFFLE:
            data = _unshuffle(data, filter.values[0] if filter.values else 1)
        elif filter.id == CHECKSUM:
            data = data[:-4]
        elif filter.id == LZF:
            data = _lzf(data, size + 4 * len(pipeline))
        else:
            raise Bad(f"texts behind the filter {filter.id}, which is not undone here")
    if len(data) < size:
        raise Bad("a chunk that is shorter than its elements")
    return data


def _inflate(data: bytes, most: int) -> bytes:
    try:
        inflater = zlib.decompressobj()
        out = inflater.decompress(data, most + 1)
    except zlib.error:
        raise Bad("a chunk that does not inflate") from None
    if len(out) > most or not inflater.eof:
        raise Bad("a chunk that inflates to another size than it should")
    return out


def _unshuffle(data: bytes, width: int) -> bytes:
    """Back from all first bytes, all second bytes ... to elements; a rest stays as it is."""
    count = len(data) // width if width else 0
    if width < 2 or count < 2:
        return data
    out = bytearray(count * width)
    for n in range(width):
        out[n::width] = data[n * count : (n + 1) * count]
    return bytes(out) + data[count * width :]


def _lzf(data: bytes, most: int) -> bytes:
    """LZF: a byte below 32 says how many plain bytes follow; others copy from what was written."""
    out, pos = bytearray(), 0
    try:
        while pos < len(data) and len(out) <= most:
            code = data[pos]
            pos += 1
            if code < 32:
                out += data[pos : pos + code + 1]
                pos += code + 1
                continue
            length = code >> 5
            if length == 7:
                length += data[pos]
                pos += 1
            back = (code & 31) << 8 | data[pos]
            pos += 1
            start = len(out) - back - 1
            if start < 0:
                raise Bad("a chunk of LZF that copies from before its beginning")
            piece = out[start : start + length + 2]
            while len(piece) < length + 2:
                piece += piece[: length + 2 - len(piece)]
            out += piece
    except IndexError:
        raise Bad("a chunk of LZF that is cut off") from None
    if len(out) > most:
        raise Bad("a chunk that inflates to another size than it should")
    return bytes(out)
