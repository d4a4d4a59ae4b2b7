"""`probatum pack`: what comes out is what went in, bit by bit, in as little room as the theory says."""

import itertools
import json
import math
import resource
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.core.errors import BadInput
from probatum.files import pack_format
from probatum.files.huffman import code_lengths, codes, deflate, deflated_size, pair_counts
from probatum.files.pack import pack
from probatum.files.planes import ROTATED, WORDS, entropy, join, restore, split, squeeze
from probatum.files.unpack import unpack
from probatum.scan.formats.safetensors_ import BITS


def gaussian(count, dtype, seed=0, sigma=0.02):
    """Bytes of N(0, σ²) as this type."""
    numbers = np.random.default_rng(seed).standard_normal(count, np.float32) * np.float32(sigma)
    if dtype == "F16":
        return numbers.astype(np.float16).tobytes()
    if dtype == "BF16":  # to the nearest, ties to even
        bits = numbers.view(np.uint32)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16).tobytes()
    return numbers.tobytes()


def write(path, tensors, metadata=None, padding=0):
    """A safetensors file of {name: (dtype, shape, bytes)}."""
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode() + b" " * padding
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data for *_, data in tensors.values()))
    return path


def there_and_back(path, **options):
    """Pack and unpack; gives what was said of the packing."""
    packed, again = path.with_suffix(".pack"), path.with_suffix(".again")
    base = options.get("base")
    done = pack(path, packed, force=True, **options)
    unpack(packed, again, force=True, base=base)
    assert again.read_bytes() == path.read_bytes()
    assert done.packed == packed.stat().st_size
    return done


SPECIAL = {  # zeros of both signs, denormals, infinities, NaNs with payloads
    2: [0, 0x8000, 1, 0x8001, 0x7F80, 0xFF80, 0x7F81, 0xFFFF, 0x7C00, 0x7C01, 0x7E55],
    4: [0, 1 << 31, 1, 0x80000001, 0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF, 0x7FC12345],
    8: [0, 1 << 63, 1, 0x7FF << 52, (0x7FF << 52) + 5, (1 << 64) - 1],
}


@pytest.mark.parametrize("dtype", [d for d in BITS if BITS[d] >= 8])
def test_every_type_bit_by_bit(tmp_path, dtype):
    rng, size = np.random.default_rng(7), BITS[dtype] // 8
    word = WORDS.get(dtype, 1)
    tensors = {}
    for count in (0, 1, 2, 3, 7, 8, 9, 511, 4099, 70001):
        data = rng.integers(0, 256, count * size, np.uint8)
        if word > 1 and count > 9:  # half of it numbers of one size, with the special ones among them
            half = count // 2 * size // word
            data.view(f"<u{word}")[:half] = rng.integers(0, 4, half) << (8 * word - 4)
            data.view(f"<u{word}")[: len(SPECIAL[word])] = SPECIAL[word]
        tensors[f"t{count}"] = (dtype, [count], data.tobytes())
    tensors["scalar"] = (dtype, [], rng.bytes(size))
    there_and_back(write(tmp_path / "a.safetensors", tensors, {"format": "pt"}, padding=5), chunk=1 << 16)


def test_no_tensors_and_only_empty_ones(tmp_path):
    there_and_back(write(tmp_path / "a.safetensors", {}))
    there_and_back(write(tmp_path / "b.safetensors", {"e": ("F32", [0, 3], b""), "f": ("BF16", [0], b"")}))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(WORDS)), st.binary(max_size=3000)), max_size=4), st.booleans())
def test_any_bytes(tmp_path_factory, parts, other):
    folder = tmp_path_factory.mktemp("any")
    tensors = {}
    for n, (dtype, data) in enumerate(parts):
        size = BITS[dtype] // 8
        data = data[: len(data) // size * size]
        tensors[f"t{n}"] = (dtype, [len(data) // size], data)
    path = write(folder / "a.safetensors", tensors)
    base = None
    if other:
        changed = {
            n: (d, s, bytes(b ^ (i % 5 == 0) for i, b in enumerate(data))) for n, (d, s, data) in tensors.items()
        }
        base = write(folder / "base.safetensors", changed)
    there_and_back(path, base=base)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=5000), st.sampled_from([1, 2, 7, 256]))
def test_planes_and_codes_of_any_bytes(data, symbols):
    plane = np.frombuffer(bytes(b % symbols for b in data), np.uint8)
    if len(plane):
        method, packed = squeeze(plane)
        assert restore(method, bytes(packed), len(plane)).tobytes() == plane.tobytes()
    counts, pairs = pair_counts(plane) if len(plane) else (np.zeros(256, int), None)
    assert counts.tolist() == np.bincount(plane, minlength=256).tolist()
    if np.count_nonzero(counts) > 1:
        lengths = code_lengths([*counts.tolist(), 1])
        packed = deflate(plane, pairs, lengths, deflated_size(counts, lengths))
        assert len(packed) == deflated_size(counts, lengths)
        assert zlib.decompress(packed, -15) == plane.tobytes()
    for dtype, word in WORDS.items():
        words = np.frombuffer(data[: len(data) // word * word], np.uint8)
        assert join(split(words, dtype), dtype).tobytes() == words.tobytes()


def test_codes_are_short_enough_however_uneven_the_counts():
    counts = [1, 1]
    while len(counts) < 40:
        counts.append(counts[-1] + counts[-2])  # Fibonacci: the deepest tree there is
    lengths = code_lengths(counts)
    assert max(lengths) <= 15
    assert math.isclose(sum(2.0**-n for n in lengths), 1)
    written = {f"{code:0{n}b}"[::-1] for code, n in zip(codes(lengths), lengths, strict=True)}
    assert not any(a != b and b.startswith(a) for a in written for b in written)
    rare = np.repeat(np.arange(24, dtype=np.uint8), [int(c) for c in counts[:24]])
    rare = np.random.default_rng(0).permutation(rare)
    there, pairs = pair_counts(rare)
    lengths = code_lengths([*there.tolist(), 1])
    assert zlib.decompress(deflate(rare, pairs, lengths, deflated_size(there, lengths)), -15) == rare.tobytes()


def exponent_entropy():
    """Bits of the exponent of N(0, σ²), averaged over one octave of σ: P(2^e ≤ |x| < 2^(e+1)) in closed form."""
    total = []
    for step in range(64):
        sigma = 2 ** (step / 64)
        edges = [math.erf(2.0**e / sigma / math.sqrt(2)) for e in range(-40, 8)]
        shares = [b - a for a, b in itertools.pairwise(edges) if b > a]
        total.append(-sum(p * math.log2(p) for p in shares))
    return sum(total) / len(total)


@pytest.mark.parametrize(("dtype", "bound", "bar"), [("BF16", 0.6591, 0.6630), ("F32", 0.8295, 0.8320)])
def test_the_ratio_is_what_the_theory_says(tmp_path, dtype, bound, bar):
    """The entropy of the exponent bounds the ratio; Huffman codes come within half a percent of it."""
    word = WORDS[dtype]
    assert exponent_entropy() == pytest.approx(2.546, abs=0.02)
    assert (8 * (word - 1) + exponent_entropy()) / (8 * word) == pytest.approx(bound, abs=0.0012)
    data = gaussian(4 << 20, dtype)
    exponents = split(np.frombuffer(data, np.uint8), dtype)[0]
    measured = entropy(np.bincount(exponents, minlength=256))
    assert measured == pytest.approx(2.546, abs=0.02)
    done = there_and_back(write(tmp_path / "a.safetensors", {"w": (dtype, [4 << 20], data)}))
    assert done.ratio <= bar
    assert 1 <= done.ratio / ((8 * (word - 1) + measured) / (8 * word)) <= 1.005


def test_numbers_that_are_small_or_rounded_take_little_room(tmp_path):
    numbers = np.arange(1 << 18, dtype=np.int64)
    halves = np.frombuffer(gaussian(1 << 18, "BF16"), np.uint16).astype(np.uint32) << 16
    done = there_and_back(write(tmp_path / "a.safetensors", {"i": ("I64", [1 << 18], numbers.tobytes())}))
    assert done.ratio < 0.3
    done = there_and_back(write(tmp_path / "b.safetensors", {"f": ("F32", [1 << 18], halves.tobytes())}))
    assert done.ratio < 0.35  # a bf16 in each fp32: half of it constant, the rest as bf16
    done = there_and_back(
        write(tmp_path / "c.safetensors", {"u": ("U8", [1 << 18], np.random.default_rng(0).bytes(1 << 18))})
    )
    assert 1 <= done.ratio < 1.01


def test_a_difference_to_a_base(tmp_path):
    count = 1 << 19
    same = ("BF16", [count], gaussian(count, "BF16"))
    moved = gaussian(count, "BF16", 1)
    base = {
        "same": same,
        "moved": ("BF16", [count], moved),
        "shape": ("F32", [4, 2], bytes(32)),
        "x": ("U8", [1], b"a"),
    }
    tuned = np.frombuffer(moved, np.uint16).copy()
    tuned[::50] ^= 3
    own = {"moved": ("BF16", [count], tuned.tobytes()), "same": same, "shape": ("F32", [2, 4], bytes(range(32)))}
    own["new"] = ("BF16", [count // 2], gaussian(count // 2, "BF16", 2))
    path, parent = write(tmp_path / "a.safetensors", own), write(tmp_path / "base.safetensors", base)
    done = there_and_back(path, base=parent)
    assert done.differences == 1 << 21
    assert done.ratio < 0.2
    with pytest.raises(BadInput, match=r"name its base .* with --base"):
        unpack(tmp_path / "a.pack", tmp_path / "x")
    with pytest.raises(BadInput, match="is not the base of"):
        unpack(tmp_path / "a.pack", tmp_path / "x", base=path)
    stranger = write(tmp_path / "s.safetensors", {"same": ("BF16", [1 << 19], gaussian(1 << 19, "BF16", 9))})
    assert there_and_back(path, base=stranger).differences == 0  # the difference of strangers is larger than the thing


def test_threads_and_chunks_change_nothing_in_what_comes_out(tmp_path):
    path = write(tmp_path / "a.safetensors", {"w": ("BF16", [300_001], gaussian(300_001, "BF16"))})
    out = [pack(path, tmp_path / f"{n}.pack", threads=n, chunk=1 << 16).out.read_bytes() for n in (1, 2, 5)]
    assert out[0] == out[1] == out[2]
    there_and_back(path, chunk=1 << 18)


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    folder = tmp_path_factory.mktemp("container")
    tensors = {
        "w": ("BF16", [9000], gaussian(9000, "BF16")),
        "i": ("I64", [300], np.arange(300).tobytes()),
        "e": ("F32", [0], b""),
    }
    path = write(folder / "a.safetensors", tensors)
    return pack(path, folder / "a.pack", chunk=1 << 16).out.read_bytes()


def refused(tmp_path, data):
    (tmp_path / "x.pack").write_bytes(data)
    with pytest.raises(BadInput) as error:
        unpack(tmp_path / "x.pack", tmp_path / "x", threads=1)
    assert not (tmp_path / "x").exists()
    return str(error.value)


def test_any_damage_is_a_sentence(tmp_path, container):
    for at in range(0, len(container), 37):
        changed = bytearray(container)
        changed[at] ^= 1 << at % 8
        assert "\n" not in refused(tmp_path, changed)
    for size in [*range(0, 600, 7), len(container) // 2, len(container) - 1]:
        refused(tmp_path, container[:size])
    assert "bytes behind its end" in refused(tmp_path, container + b"\0")
    assert [p.name for p in tmp_path.iterdir()] == ["x.pack"]


def forged(container, facts=None, header=None, rows=None):
    """The container with parts of its front replaced and the checksum made right again."""
    pos, parts = 8, []
    for _ in range(2):
        size = struct.unpack_from("<Q", container, pos)[0]
        parts.append(container[pos + 8 : pos + 8 + size])
        pos += 8 + size
    count = pack_format.table_size(pack_format.pieces(pack_format.read_layout(parts[1], ""), 1 << 16))
    table, rest = container[pos : pos + count], container[pos + count + 4 :]
    text = json.dumps(json.loads(parts[0]) | (facts or {})).encode()
    head = parts[1] if header is None else header
    whole = b"".join([pack_format.MAGIC, struct.pack("<Q", len(text)), text, struct.pack("<Q", len(head)), head])
    whole += table if rows is None else rows(bytearray(table))
    return whole + struct.pack("<I", zlib.crc32(whole)) + rest


def test_lies_with_a_right_checksum(tmp_path, container):
    (tmp_path / "same.pack").write_bytes(forged(container))
    assert unpack(tmp_path / "same.pack", tmp_path / "same").original == (tmp_path / "same").stat().st_size
    huge = json.dumps({"w": {"dtype": "U8", "shape": [1 << 50], "data_offsets": [0, 1 << 50]}}).encode()
    assert "promises" in refused(tmp_path, forged(container, header=huge))
    assert "promises" in refused(tmp_path, forged(container, {"size": 1 << 50}))
    assert "promises" in refused(tmp_path, forged(container, {"size": 1 << 50}, header=huge))
    for facts in ({"chunk": 1}, {"chunk": 1 << 40}, {"chunk": None}, {"version": 2}, {"base": 3}, {"sha256": "x"}):
        assert "first part" in (said := refused(tmp_path, forged(container, facts))) or "another version" in said
    assert "SHA-256" in refused(tmp_path, forged(container, {"sha256": "0" * 64}))
    overlap = {n: {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]} for n in "ab"}
    assert "does not lie" in refused(tmp_path, forged(container, header=json.dumps(overlap).encode()))
    assert "is not that of" in refused(tmp_path, forged(container, header=b"[]"))

    def larger(table):
        struct.pack_into("<I", table, 6, 1 << 31)
        return table

    assert "has a plane of 2,147,483,648 bytes where" in refused(tmp_path, forged(container, rows=larger))
    assert "unknown kind" in refused(tmp_path, forged(container, rows=lambda t: bytes([9]) + t[1:]))
    assert "the base does not have" in refused(tmp_path, forged(container, rows=lambda t: bytes([1]) + t[1:]))


def test_a_bomb_does_not_inflate(tmp_path, container):
    """A plane that inflates to more than its place is an error before the memory is taken."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = bomb.compress(bytes(64 << 20)) + bomb.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInput, match="not of the size"):
        restore(1, data, 4096)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 << 10


def test_what_is_no_safetensors_file_is_refused(tmp_path):
    for data in (b"", b"x", b"\x80\x02.", (1 << 60).to_bytes(8, "little") + b"{}", b"\x02" + bytes(7) + b"{}extra"):
        (tmp_path / "a.safetensors").write_bytes(data)
        with pytest.raises(BadInput):
            pack(tmp_path / "a.safetensors", tmp_path / "a.pack")
    with pytest.raises(BadInput, match="cannot be read"):
        pack(tmp_path / "nowhere", tmp_path / "a.pack")
    with pytest.raises(BadInput, match="is not what `probatum pack` wrote"):
        unpack(tmp_path / "a.safetensors", tmp_path / "x")


def test_memory_is_a_few_chunks(tmp_path):
    """A file of 96 MiB is packed and unpacked by processes that never hold a third of it."""
    path = write(tmp_path / "a.safetensors", {"w": ("BF16", [48 << 20], gaussian(1 << 20, "BF16") * 48)})
    code = (
        "import resource, sys, pathlib; from probatum.files.pack import pack; from probatum.files.unpack import unpack;"
        "a, b, c = map(pathlib.Path, sys.argv[1:]);"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; pack(a, b, threads=2); unpack(b, c, threads=2);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)"
    )
    words = [sys.executable, "-c", code, path, tmp_path / "p", tmp_path / "u"]
    grown = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert grown < 48 << 10  # KiB: two threads, two chunks each on the way, and the arrays of the coder


def test_it_is_faster_than_zlib(tmp_path):
    """The same plane by zlib's Huffman coder and by ours, on this machine, in CPU time, best of three."""
    plane = split(np.frombuffer(gaussian(1 << 21, "BF16"), np.uint8), "BF16")[0]

    def seconds(act):
        taken = []
        for _ in range(3):
            start = time.process_time()
            act()
            taken.append(time.process_time() - start)
        return min(taken)

    def by_zlib():
        coder = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
        return len(coder.compress(plane) + coder.flush())

    assert len(squeeze(plane)[1]) <= by_zlib() * 1.001
    assert seconds(lambda: squeeze(plane)) < seconds(by_zlib)


def test_the_command(tmp_path):
    path = write(tmp_path / "m.safetensors", {"w": ("BF16", [1000], gaussian(1000, "BF16"))})

    def run(*words):
        command = [sys.executable, "-m", "probatum", "pack", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    ran = run("m.safetensors", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("m.safetensors.pack: ")
    before = path.read_bytes()
    path.unlink()
    assert run("--unpack", "m.safetensors.pack").returncode == 0
    assert path.read_bytes() == before
    ran = run("m.safetensors")
    assert (ran.returncode, ran.stderr.count("\n"), "--force" in ran.stderr) == (2, 1, True)
    assert "name the output" in run("--unpack", "m.safetensors").stderr
    assert json.loads(run("m.safetensors", "--force", "--json").stdout)["original"] == len(before)


def test_rotated_types_have_words():
    assert set(WORDS) > ROTATED
