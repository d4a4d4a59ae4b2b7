"""The bytes of numbers apart: signs and exponents, which repeat, from mantissas, which do not.

ZipNN (P231): a word of a floating type is rotated by one bit, so that the exponent fills the highest byte and the
sign joins the mantissa; then the first bytes of all words form one plane, the second bytes the next. For weights
drawn from N(0, σ²) the exponents have 2.546 bits of entropy, the other planes eight per byte.
"""

from __future__ import annotations

import zlib

import numpy as np

from probatum.core.errors import BadInput
from probatum.files.huffman import code_lengths, deflate, deflated_size, pair_counts

#: Bytes of a word, by type: that of one number, or of one part of a complex one. Others are bytes.
WORDS = {"F64": 8, "I64": 8, "U64": 8, "C128": 8, "F32": 4, "I32": 4, "U32": 4, "C64": 4, "F16": 2, "BF16": 2,
         "I16": 2, "U16": 2}  # fmt: skip
ROTATED = {"F64", "C128", "F32", "C64", "F16", "BF16"}

STORED, DEFLATED, CONSTANT = 0, 1, 2
#: A plane is deflated if that saves this share of it.
SAVES = 0.05
#: Bytes of a plane that are looked at before it is tried, and the bits per byte above which it is not.
SAMPLE, TRIED = 8192, 7.7
#: Above this share of one byte value, runs of it are worth a search.
RUNS = 0.5


def split(chunk: np.ndarray, dtype: str) -> list[np.ndarray]:
    """The planes of some words (uint8 each), the one with the exponents first."""
    size = WORDS.get(dtype, 1)
    if size == 1:
        return [chunk]
    words = chunk.view(f"<u{size}")
    if dtype in ROTATED and size == 2:
        return [(words >> 7).astype(np.uint8), (words << 1 | words >> 15).astype(np.uint8)]
    if dtype in ROTATED:
        words = words << 1 | words >> (8 * size - 1)
    return [(words >> 8 * n).astype(np.uint8) for n in reversed(range(size))]


def join(planes: list[np.ndarray], dtype: str) -> np.ndarray:
    """The words again, as uint8."""
    size = WORDS.get(dtype, 1)
    if size == 1:
        return planes[0]
    words = np.empty((len(planes[0]), size), np.uint8)
    for n, plane in enumerate(reversed(planes)):
        words[:, n] = plane
    whole = words.reshape(-1).view(f"<u{size}")
    if dtype in ROTATED:
        whole = whole >> 1 | whole << (8 * size - 1)
    return whole.view(np.uint8)


def entropy(counts: np.ndarray) -> float:
    """Bits per symbol of a distribution given as counts."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def sampled(plane: np.ndarray) -> np.ndarray:
    """Counts of the byte values in an even sample."""
    return np.bincount(plane[:: max(1, len(plane) // SAMPLE)], minlength=256)


def squeeze(plane: np.ndarray) -> tuple[int, bytes | np.ndarray]:
    """(method, packed bytes) of a plane that is not empty."""
    counts = sampled(plane)
    if counts.max() == counts.sum() and plane.min() == plane.max():
        return CONSTANT, plane[:1].tobytes()
    if len(plane) < 512 or entropy(counts) > TRIED:
        return STORED, plane
    if counts.max() > RUNS * counts.sum():
        coder = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
        packed = coder.compress(plane.data) + coder.flush()
        return (DEFLATED, packed) if len(packed) <= (1 - SAVES) * len(plane) else (STORED, plane)
    exact, pairs = pair_counts(plane)
    lengths = code_lengths([*exact.tolist(), 1])
    size = deflated_size(exact, lengths)
    if size > (1 - SAVES) * len(plane):
        return STORED, plane
    return DEFLATED, deflate(plane, pairs, lengths, size)


def restore(method: int, packed: bytes, size: int) -> np.ndarray:
    """The plane of ``size`` bytes; never inflates more. Raises BadInput."""
    if method == STORED and len(packed) == size:
        return np.frombuffer(packed, np.uint8)
    if method == CONSTANT and len(packed) == 1:
        return np.full(size, packed[0], np.uint8)
    if method == DEFLATED:
        coder = zlib.decompressobj(-15)
        try:
            plane = coder.decompress(packed, size + 1)
        except zlib.error as error:
            raise BadInput("a plane does not inflate") from error
        if len(plane) == size and coder.eof and not coder.unused_data:
            return np.frombuffer(plane, np.uint8)
    raise BadInput("a plane is not of the size that it has to be")
