"""One plane of bytes as a single deflate block of Huffman codes without matches, made with NumPy.

zlib does the same with Z_HUFFMAN_ONLY; here eight symbols are joined at a time, which is about twice as fast. The
result is a plain deflate stream (RFC 1951), so that zlib, or any other inflater, reads it back.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

#: Symbols that are placed at a time, so that the arrays stay in the cache; a multiple of eight.
_BLOCK = 1 << 17
_LONGEST = 15
#: In this order a block names the lengths of the code that its code lengths are written in.
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
#: Bits of a header: block type, three counts, 19 lengths of three bits, 257 + 1 lengths of four.
HEADER = 3 + 14 + 57 + 4 * 258
_END = 256
_32, _63, _64, _6 = (np.uint64(n) for n in (32, 63, 64, 6))
_LOW = np.uint64(0xFFFFFFFF)


def pair_counts(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each byte occurs: (256,); and the pairs of neighbors as indices, the first in the lower half."""
    pairs = plane[: len(plane) & ~1].view("<u2").astype(np.intp)
    table = np.bincount(pairs, minlength=1 << 16).reshape(256, 256)
    counts = table.sum(0) + table.sum(1)
    if len(plane) & 1:
        counts[plane[-1]] += 1
    return counts, pairs


def code_lengths(counts: Sequence[int]) -> list[int]:
    """Bits of each symbol's code, none above 15; 0 where the count is 0. At least two counts are not 0."""
    weights = {symbol: int(c) for symbol, c in enumerate(counts) if c}
    while True:
        heap = [(w, symbol) for symbol, w in weights.items()]
        heapq.heapify(heap)
        parent: dict[int, int] = {}
        node = len(counts)
        while len(heap) > 1:
            a, b = heapq.heappop(heap), heapq.heappop(heap)
            parent[a[1]] = parent[b[1]] = node
            heapq.heappush(heap, (a[0] + b[0], node))
            node += 1
        depth = {node - 1: 0}
        for inner in sorted(parent, reverse=True):  # a parent has a higher number than its children
            depth[inner] = depth[parent[inner]] + 1
        if max(depth[symbol] for symbol in weights) <= _LONGEST:
            return [depth[symbol] if symbol in weights else 0 for symbol in range(len(counts))]
        weights = {symbol: w // 2 + 1 for symbol, w in weights.items()}  # flatter weights make a flatter tree


def codes(lengths: Sequence[int]) -> list[int]:
    """The canonical code of each symbol, its first bit lowest, as deflate writes it."""
    out, code, last = [0] * len(lengths), 0, 0
    for length, symbol in sorted((n, s) for s, n in enumerate(lengths) if n):
        code <<= length - last
        out[symbol], last = int(f"{code:0{length}b}"[::-1], 2), length
        code += 1
    return out


def deflated_size(counts: np.ndarray, lengths: Sequence[int]) -> int:
    """Bytes that `deflate` gives for a plane with these counts."""
    return (HEADER + int(counts @ np.array(lengths[:256])) + lengths[_END] + 7) // 8


def deflate(plane: np.ndarray, pairs: np.ndarray, lengths: Sequence[int], size: int) -> np.ndarray:
    """The plane (uint8) as a deflate stream (uint8, ``size`` as `deflated_size` says).

    ``lengths`` are the `code_lengths` of its counts and of one end.
    """
    code = codes(lengths)
    joined = _joined(np.array(code[:256], np.uint64), np.array(lengths[:256], np.uint64))
    whole = len(plane) & ~7
    words = -(-HEADER // 64)
    out = np.zeros(size // 8 + 3, np.uint64)
    out[:words] = np.frombuffer(_header(lengths).to_bytes(8 * words, "little"), "<u8")
    at = HEADER
    for first in range(0, whole, _BLOCK):
        chosen = joined.take(pairs[first // 2 : min(first + _BLOCK, whole) // 2])
        for values, bits in _groups(chosen):
            at = _place(out, values, bits, at)
    rest, length = 0, 0
    for symbol in (*plane[whole:].tolist(), _END):
        rest |= code[symbol] << length
        length += lengths[symbol]
    rest <<= at & 63
    for n in range(-(-(length + (at & 63)) // 64)):
        out[(at >> 6) + n] |= np.uint64((rest >> 64 * n) & 0xFFFFFFFFFFFFFFFF)
    return out.view(np.uint8)[: (at + length + 7) // 8]


def _joined(table: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """By the index of a pair of bytes, its code in the lower half of a word and its length in the upper."""
    used = np.flatnonzero(sizes)
    part = slice(int(used[0]), int(used[-1]) + 1)
    table, sizes = table[part], sizes[part]
    out = np.zeros((256, 256), np.uint64)
    out[part, part] = (table[None, :] | table[:, None] << sizes[None, :]) | (sizes[None, :] + sizes[:, None]) << _32
    return out.ravel()


def _header(lengths: Sequence[int]) -> int:
    """The block's header: the only one, dynamic codes; code lengths in four bits each, a code that needs no thought."""
    counts = "".join("001" if n < 16 else "000" for n in _ORDER)  # of every number its lowest bit first
    codes = "".join(f"{n:04b}" for n in (*lengths, 0))  # of every code its highest bit first; no distance is used
    return int(("1" + "01" + "00000" + "00000" + "1111" + counts + codes)[::-1], 2)


def _groups(chosen: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Codes of pairs joined to eight symbols where these fit into 64 bits, else to four; with their lengths."""
    bits = chosen >> _32
    chosen &= _LOW
    values = chosen[1::2] << bits[0::2]
    values |= chosen[0::2]
    bits = bits[0::2] + bits[1::2]
    eight = bits[0::2] + bits[1::2]
    if int(eight.max()) > 64:
        yield values, bits
        return
    longer = values[1::2] << bits[0::2]
    longer |= values[0::2]
    yield longer, eight


def _place(out: np.ndarray, values: np.ndarray, bits: np.ndarray, at: int) -> int:
    """Put the codes into the words of ``out`` from bit ``at``; gives the bit behind them.

    Bits of different codes never meet, so to join them is to add them: the sum of a word is the difference of two
    running sums, modulo 2^64. A code takes at most 64 bits, so every word on the way has one that begins in it.
    """
    ends = np.cumsum(bits)
    starts = ends - bits
    starts += np.uint64(at)
    word, shift = starts >> _6, starts & _63
    sums = np.cumsum(values << shift)
    last = np.append(np.flatnonzero(word[1:] != word[:-1]), len(word) - 1)  # the last code that begins in each word
    sums = sums[last]
    first = at >> 6
    out[first] |= sums[0]
    out[first + 1 : first + len(last)] |= sums[1:] - sums[:-1]
    behind = _64 - shift[last]
    carried = np.where(behind < _64, values[last] >> np.minimum(behind, _63), np.uint64(0))
    out[first + 1 : first + 1 + len(last)] |= carried
    return at + int(ends[-1])
