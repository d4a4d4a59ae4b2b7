"""`probatum pack` beside ZipNN, zstd and zlib: ratio, and MB of input per CPU second, on weights from N(0, 0.02²).

Run: ``python benchmarks/pack.py [MB]``. ZipNN and zstandard are peers, no requirements: what is not installed has a
dash. One thread; CPU seconds, best of three; every method gives back what went in, or the run ends.
"""

import importlib.util
import sys
import time
import zlib

import numpy as np

from probatum.files.pack_format import CHUNK
from probatum.files.planes import WORDS, join, restore, split, squeeze

BOUNDS = {"BF16": 0.6591, "F32": 0.8295}
BARS = {"BF16": 0.6630, "F32": 0.8320}


def weights(dtype, size):
    """``size`` bytes of N(0, 0.02²)."""
    numbers = np.random.default_rng(0).standard_normal(size // WORDS[dtype], np.float32) * np.float32(0.02)
    if dtype == "F32":
        return numbers.view(np.uint8)
    bits = numbers.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16).view(np.uint8)


def ours(dtype, chunk=CHUNK):
    """As `pack` does it for each chunk, checksum included; without reading, writing and the SHA-256 of the file."""

    def pack(raw):
        parts = [raw[at : at + chunk] for at in range(0, len(raw), chunk)]
        return [(zlib.crc32(part), len(part), [squeeze(p) for p in split(part, dtype)]) for part in parts]

    def unpack(packed):
        out = []
        for crc, size, planes in packed:
            out.append(join([restore(m, p, size // WORDS[dtype]) for m, p in planes], dtype))
            assert zlib.crc32(out[-1]) == crc
        return b"".join(out)

    def size(packed):
        return sum(5 + sum(5 + len(p) for _, p in planes) for _, _, planes in packed)

    return pack, unpack, size


def huffman_only(dtype):
    """The exponent plane by zlib's own coder."""

    def pack(raw):
        out = []
        for at in range(0, len(raw), CHUNK):
            first, *others = split(raw[at : at + CHUNK], dtype)
            coder = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
            out.append((coder.compress(first) + coder.flush(), others))
        return out

    def unpack(packed):
        return b"".join(join([np.frombuffer(zlib.decompress(p, -15), np.uint8), *o], dtype) for p, o in packed)

    return pack, unpack, lambda packed: sum(len(p) + sum(map(len, o)) for p, o in packed)


def zipnn(dtype):
    import zipnn

    def coder():
        kind = {"BF16": "bfloat16", "F32": "float32"}[dtype]
        return zipnn.ZipNN(input_format="byte", bytearray_dtype=kind, threads=1)

    return lambda raw: coder().compress(raw.tobytes()), lambda packed: bytes(coder().decompress(packed)), len


def zstd(dtype):
    import zstandard

    return zstandard.ZstdCompressor(3).compress, zstandard.ZstdDecompressor().decompress, len


def plain(dtype):
    return lambda raw: zlib.compress(raw, 1), zlib.decompress, len


METHODS = (
    ("probatum pack", ours, None),
    ("ZipNN, one thread", zipnn, "zipnn"),
    ("planes + zlib, Huffman only", huffman_only, None),
    ("zstd -3", zstd, "zstandard"),
    ("zlib -1", plain, None),
)


def best(act, times=3):
    """(value, CPU seconds of the fastest)."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        value = act()
        taken.append(time.process_time() - start)
    return value, min(taken)


def measure(method, dtype, raw):
    pack, unpack, size = method(dtype)
    packed, there = best(lambda: pack(raw))
    again, back = best(lambda: unpack(packed))
    assert bytes(again) == raw.tobytes(), "not what went in"
    return size(packed) / len(raw), len(raw) / 1e6 / there, len(raw) / 1e6 / back


def main():
    size = int(sys.argv[1] if len(sys.argv) > 1 else 100) * 1_000_000 // 64 * 64
    for dtype in ("BF16", "F32"):
        raw = weights(dtype, size)
        print(f"\n{dtype}, {size / 1e6:.0f} MB; entropy bound {BOUNDS[dtype]}, bar {BARS[dtype]}\n")
        print(f"  {'method':<30}{'ratio':>8}{'pack MB/s':>12}{'unpack MB/s':>13}")
        for name, method, needs in METHODS:
            if needs and importlib.util.find_spec(needs) is None:
                print(f"  {name:<30}{'—':>8}{'—':>12}{'—':>13}")
                continue
            ratio, there, back = measure(method, dtype, raw)
            print(f"  {name:<30}{ratio:>8.4f}{there:>12,.0f}{back:>13,.0f}")
    raw = weights("BF16", size)
    print("\nChunk size, BF16\n")
    for chunk in (1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22):
        ratio, there, back = measure(lambda dtype, chunk=chunk: ours(dtype, chunk), "BF16", raw)
        print(f"  {chunk >> 10:>5} KiB{ratio:>9.4f}{there:>12,.0f}{back:>13,.0f}")


if __name__ == "__main__":
    main()
