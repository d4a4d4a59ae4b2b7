"""Blocks of GGUF: 32 or 256 numbers that share scales, each type as ggml lays it out.

Types, sizes and layouts: ggml-common.h and ggml-quants.c of ggml-org/llama.cpp. A block of a "K" type has 256 numbers
in groups of 16 or 32, whose scales (and offsets) are themselves codes of 4 or 6 bits times one number of the block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from probatum.files.quant.grid import Grid

#: Names of all types, by their number; those that `DECODERS` and `PLAIN` leave out are not read as numbers.
TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
PLAIN = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}
IQ4 = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)
FP4 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.float32)

#: (codes [blocks, numbers], table, scale, offset), the last two [blocks, groups].
Decoded = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]


def gguf_blocks(kind: str, raw: np.ndarray) -> Grid:
    """Rows of blocks, ``raw`` [rows, blocks, bytes of a block] of uint8, as a grid [rows, numbers]."""
    rows, count, size = raw.shape
    codes, table, scale, offset = DECODERS[kind](raw.reshape(rows * count, size))

    def spread(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, codes.shape[1] // values.shape[1], axis=1).reshape(rows, -1)

    return Grid(codes.reshape(rows, -1), table, spread(scale), None if offset is None else spread(offset))


def _half(raw: np.ndarray, at: int) -> np.ndarray:
    """The float16 at one place of every block, [blocks, 1] float32."""
    return np.ascontiguousarray(raw[:, at : at + 2]).view("<f2").astype(np.float32)


def _nibbles(raw: np.ndarray) -> np.ndarray:
    """All lower halves of the bytes, then all upper ones."""
    return np.concatenate((raw & 15, raw >> 4), axis=1)


def _whole(levels: int, zero: int = 0) -> np.ndarray:
    return np.arange(levels, dtype=np.float32) - zero


def _q4_0(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 2:]), _whole(16, 8), _half(raw, 0), None


def _q4_1(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 4:]), _whole(16), _half(raw, 0), _half(raw, 2)


def _fifth(raw: np.ndarray) -> np.ndarray:
    """32 bits of 4 bytes, as the fifth bit of 32 codes."""
    return np.unpackbits(raw, axis=1, bitorder="little") << 4


def _q5_0(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 6:]) | _fifth(raw[:, 2:6]), _whole(32, 16), _half(raw, 0), None


def _q5_1(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 8:]) | _fifth(raw[:, 4:8]), _whole(32), _half(raw, 0), _half(raw, 2)


def _q8_0(raw: np.ndarray) -> Decoded:
    return raw[:, 2:], np.arange(256).astype(np.uint8).view(np.int8).astype(np.float32), _half(raw, 0), None


def _iq4_nl(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 2:]), IQ4, _half(raw, 0), None


def _iq4_xs(raw: np.ndarray) -> Decoded:
    low = np.stack((raw[:, 4:8] & 15, raw[:, 4:8] >> 4), axis=2).reshape(-1, 8)
    high = np.ascontiguousarray(raw[:, 2:4]).view("<u2") >> (2 * np.arange(8, dtype=np.uint16)) & 3
    scale = (low | high.astype(np.uint8) << 4).astype(np.float32) - 32
    return _eighths(raw[:, 8:], 16), IQ4, _half(raw, 0) * scale, None


def _mxfp4(raw: np.ndarray) -> Decoded:
    return _nibbles(raw[:, 1:]), FP4, np.ldexp(np.float32(0.5), raw[:, :1].astype(np.int32) - 127), None


def _eighths(raw: np.ndarray, step: int) -> np.ndarray:
    """``step`` lower halves, then the ``step`` upper halves of the same bytes, and so on."""
    parts = raw.reshape(len(raw), -1, step)
    return np.stack((parts & 15, parts >> 4), axis=2).reshape(len(raw), -1)


def _quarters(raw: np.ndarray) -> np.ndarray:
    """Codes of two bits: of 32 bytes first all lowest pairs of bits, then the next ones."""
    parts = raw.reshape(len(raw), -1, 1, 32) >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3
    return parts.reshape(len(raw), -1)


def _bits(raw: np.ndarray, count: int) -> np.ndarray:
    """Bit 0 of 32 bytes, then bit 1 of them, and so on."""
    parts = raw[:, None, :] >> np.arange(count, dtype=np.uint8)[:, None] & 1
    return parts.reshape(len(raw), -1)


def _q2_k(raw: np.ndarray) -> Decoded:
    scale, offset = _half(raw, 80) * (raw[:, :16] & 15), -_half(raw, 82) * (raw[:, :16] >> 4)
    return _quarters(raw[:, 16:80]), _whole(4), scale, offset


def _q3_k(raw: np.ndarray) -> Decoded:
    low = np.concatenate((raw[:, 96:104] & 15, raw[:, 96:104] >> 4), axis=1)
    high = (raw[:, None, 104:108] >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3).reshape(-1, 16)
    scale = (low | high << 4).astype(np.float32) - 32
    return _quarters(raw[:, 32:96]) | _bits(raw[:, :32], 8) << 2, _whole(8, 4), _half(raw, 108) * scale, None


def _sixes(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eight scales and eight offsets of 6 bits in 12 bytes."""
    a, b, c = raw[:, :4], raw[:, 4:8], raw[:, 8:12]
    return (
        np.concatenate((a & 63, c & 15 | (a >> 6) << 4), axis=1),
        np.concatenate((b & 63, c >> 4 | (b >> 6) << 4), axis=1),
    )


def _q4_k(raw: np.ndarray) -> Decoded:
    scale, offset = _sixes(raw[:, 4:16])
    return _eighths(raw[:, 16:], 32), _whole(16), _half(raw, 0) * scale, -_half(raw, 2) * offset


def _q5_k(raw: np.ndarray) -> Decoded:
    scale, offset = _sixes(raw[:, 4:16])
    codes = _eighths(raw[:, 48:], 32) | _bits(raw[:, 16:48], 8) << 4
    return codes, _whole(32), _half(raw, 0) * scale, -_half(raw, 2) * offset


def _q6_k(raw: np.ndarray) -> Decoded:
    scale = _half(raw, 208) * np.ascontiguousarray(raw[:, 192:208]).view(np.int8)
    return _eighths(raw[:, :128], 64) | _quarters(raw[:, 128:192]) << 4, _whole(64, 32), scale, None


DECODERS: dict[str, Callable[[np.ndarray], Decoded]] = {
    "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8_0, "Q2_K": _q2_k, "Q3_K": _q3_k,
    "Q4_K": _q4_k, "Q5_K": _q5_k, "Q6_K": _q6_k, "IQ4_NL": _iq4_nl, "IQ4_XS": _iq4_xs, "MXFP4": _mxfp4,
}  # fmt: skip
