"""Random pickle streams: by a grammar that keeps the stack mostly in order, and by mutation of real pickles."""

from __future__ import annotations

import collections
import io
import pickle
import random
import struct

import joblib
import numpy as np

ALLOWED = [
    ("collections", "OrderedDict"), ("collections", "deque"), ("collections", "defaultdict"), ("builtins", "set"),
    ("__builtin__", "set"), ("builtins", "bytearray"), ("builtins", "list"), ("builtins", "object"),
    ("_codecs", "encode"), ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"), ("argparse", "Namespace"), ("torch._utils", "_rebuild_tensor_v2"),
    ("torch", "FloatStorage"), ("builtins", "complex"), ("copy_reg", "_reconstructor"), ("datetime", "date"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("torch.jit._pickle", "restore_type_tag"),
    ("torch.jit._pickle", "build_intlist"), ("torch.jit._pickle", "build_tensor_from_id"),
]  # fmt: skip
FORBIDDEN = [
    ("canary_module", "sing"), ("canary_module", ""), ("builtins", "print"), ("builtins", "eval"), ("os", "getcwd"),
    ("builtins", "getattr"), ("operator", "attrgetter"), ("functools", "partial"), ("__builtin__", "apply"),
    ("collections", "OrderedDict.fromkeys"), ("collections", "_sys.modules"), ("numpy", "size"),
    ("string", "Template"),
]  # fmt: skip
WORDS = sorted({w for pair in ALLOWED + FORBIDDEN for w in pair} | {"latin1", "f8", "O8", "b", "<", "x", "__class__"})
NUMBERS = [
    b"I5\n", b"I0x10\n", b"I010\n", b"I 7 \n", b"I00\n", b"I01\n", b"I+0\n", b"L5L\n", b"L0x1L\n", b"F1.5\n", b"F1_0\n",
    b"K\x05", b"M\x00\x01", b"J\xff\xff\xff\xff", b"\x8a\x01\xff", b"G" + bytes(8), b"\x8a\x00", b"I5\0x\n", b"Ix\n",
]  # fmt: skip


def text(word: str, rng: random.Random) -> bytes:
    raw = word.encode()
    return rng.choice([
        b"\x8c" + bytes([len(raw)]) + raw, b"X" + struct.pack("<I", len(raw)) + raw, b"V" + raw + b"\n",
        b"S'" + raw + b"'\n", b"U" + bytes([len(raw)]) + raw, b"\x8d" + struct.pack("<Q", len(raw)) + raw,
    ])  # fmt: skip


def named(rng: random.Random, mild: float) -> bytes:
    """A global, as two lines or through the stack."""
    module, name = rng.choice(ALLOWED if rng.random() < mild else FORBIDDEN)
    if rng.random() < 0.5:
        return f"c{module}\n{name}\n".encode()
    return text(module, rng) + maybe_memo(rng) + text(name, rng) + maybe_memo(rng) + b"\x93"


def maybe_memo(rng: random.Random) -> bytes:
    index = rng.randrange(6)
    return rng.choice([b"", b"", b"\x94", b"q" + bytes([index]), b"p%d\n" % index, b"r" + struct.pack("<I", index)])


def fetch(rng: random.Random) -> bytes:
    index = rng.randrange(6)
    return rng.choice([b"h" + bytes([index]), b"g%d\n" % index, b"j" + struct.pack("<I", index), b"g %d \n" % index])


_DTYPE = b"cnumpy\ndtype\n(V%s\nI00\nI01\ntR"
_STATE, _ORDERED = b"(I3\nV<\nNNNI-1\nI-1\nI0\ntb", b"ccollections\nOrderedDict\n)R"
_EMPTY = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntc_codecs\nencode\n(Vb\nVlatin1\ntRtR"
_WRAPPED = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81(Vsubclass\ncnumpy\nndarray\nVshape\n%sVorder\nVC\n"
_WRAPPED += b"Vdtype\n" + _DTYPE + b"Vallow_mmap\nI%02d\n%sdb"


def wrapped(rng: random.Random) -> bytes:
    """An array as joblib writes it, right or nearly right, with bytes that another loader would run."""
    kind = rng.choice([b"f8", b"f8", b"u1", b"O8", b"V3"])
    count = rng.randrange(3)
    shape = rng.choice([b"(I%d\nt" % count, b"(I%d\nI1\nt" % count, b"(I%d\nt" % (count + 1), b")", b"(I-1\nt", b"N"])
    aligned = rng.random() < 0.5
    more = b"Vnumpy_array_alignment_bytes\nI16\n" if aligned else b""
    head = _WRAPPED % (shape, kind, rng.randrange(2), more)
    if kind == b"O8":
        return head + pickle.dumps(rng.choice([[1], None, "x", {"a": (1, 2)}]), rng.randrange(6))
    size = {b"f8": 8, b"u1": 1, b"V3": 3}[kind] * (1 if shape == b")" else count)
    raw = rng.choice([bytes(size), rng.randbytes(size), (named(rng, 0.5) + b")R.")[:size].ljust(size, b"N")])
    padding = rng.randrange(6)
    return head + (bytes([padding]) + b"\xff" * padding if aligned else b"") + raw


def objects(rng: random.Random) -> bytes:
    """An array of objects, with as many items as its shape says or nearly so; numpy does not count them."""
    count = rng.randrange(4)
    shape = rng.choice([b"(I%d\nt" % count, b"(I%d\nt" % count, b"(I%d\nI1\nt" % count, b"(I%d\nt" % (count + 1), b")"])
    item = rng.choice([b"N", b"K\x01", b"]", b"h\x00", named(rng, 0.9)])
    ways = [b"(" + item * count + b"l", b"](" + item * count + b"e", b"]" + (item + b"a") * count]
    change = rng.choice([b"", b"", b"", b"", b"(e", item + b"a", b"K\x00" + item + b"s", b"(K\x00" + item + b"u"])
    state = rng.choice([b"", b"(I3\nV|\nNNNI-1\nI-1\nI63\ntb"])
    return _EMPTY + b"(I1\n" + shape + _DTYPE % b"O8" + state + b"I00\n" + rng.choice(ways) + change + b"tb"


PHRASES = [
    _ORDERED, _ORDERED + b"}Vx\nK\x01sb", _ORDERED + b"}V__class__\nK\x01sb", b"c_codecs\nencode\n(Vx\nVlatin1\ntR",
    _DTYPE % b"f8", _DTYPE % b"O8", _DTYPE % b"V8", _DTYPE % b"f8" + _STATE, _DTYPE % b"O8" + _STATE, _EMPTY,
    _DTYPE % b"V8" + b"(I3\nV|\nN(Va\nt(dVa\n(" + _DTYPE % b"f4" + b"I0\ntsI8\nI1\nI16\ntb", b"c__builtin__\nset\n(lR",
    _EMPTY + b"(I1\n(I1\nt" + _DTYPE % b"f8" + _STATE + b"I00\nC\x08AAAAAAAAtb",
    _EMPTY + b"(I1\n(I1\nt" + _DTYPE % b"O8" + b"I00\n(NltbN0", b"cargparse\nNamespace\n)\x81", b"Vkey\nQ", b"Pkey\n",
    b"(Vx\nK\x01d", _DTYPE % b"M8" + _STATE, _DTYPE % b"U3" + b"(I3\nV<\nNNNI12\nI4\nI8\ntb",
    _DTYPE % b"M8" + b"(I4\nV<\nNNNI-1\nI-1\nI0\n(N(Vns\nI1\nI1\nI1\ntttb",
    _DTYPE % b"S5" + b"(I3\nV|\nNNNI5\nI1\nI0\ntb",
    b"cnumpy._core.multiarray\nscalar\n(" + _DTYPE % b"f8" + b"C\x08AAAAAAAAtR",
]  # fmt: skip
#: (opcode, items it needs, change of the height)
STACK = [
    (b"0", 1, -1), (b"2", 1, 1), (b"\x85", 1, 0), (b"\x86", 2, -1), (b"\x87", 3, -2), (b"R", 2, -1), (b"\x81", 2, -1),
    (b"b", 2, -1), (b"a", 2, -1), (b"s", 3, -2), (b"\x93", 2, -1), (b"\x92", 3, -2), (b"Q", 1, 0), (b"\x98", 1, 0),
]  # fmt: skip
MARKED = [b"t", b"l", b"d", b"e", b"u", b"\x90", b"\x91", b"o", b"1", b"icollections\nOrderedDict\n",
          b"icanary_module\nsing\n"]  # fmt: skip
EMPTY = [b"N", b"\x88", b"\x89", b")", b"]", b"}", b"\x8f", b"C\x01x", b"B\x01\x00\x00\x00x", b"T\x01\x00\x00\x00x"]


def one(rng: random.Random) -> bytes:
    """One stream of the grammar."""
    mild = rng.choice([1.0, 1.0, 0.97, 0.8])
    out = [rng.choice([b"", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x04", b"\x80\x05"])]
    heights = [0]
    if rng.random() < 0.8:  # so that most fetches find something
        out += [text(rng.choice(WORDS), rng) + b"p%d\n0" % index for index in range(6)]
    for _ in range(rng.randrange(3, 26)):
        roll = rng.random()
        if roll < 0.22:
            out.append(text(rng.choice(WORDS), rng) + maybe_memo(rng))
            heights[-1] += 1
        elif roll < 0.34:
            out.append(named(rng, mild))
            heights[-1] += 1
        elif roll < 0.46:
            made = wrapped(rng) if roll < 0.355 else objects(rng) if roll < 0.37 else rng.choice(PHRASES)
            out.append(made if roll < 0.355 else made + maybe_memo(rng))
            heights[-1] += 1
        elif roll < 0.58:
            out.append(rng.choice(EMPTY + NUMBERS) + maybe_memo(rng))
            heights[-1] += 1
        elif roll < 0.66:
            out.append(fetch(rng))
            heights[-1] += 1
        elif roll < 0.74:
            out.append(b"(")
            heights.append(0)
        elif roll < 0.82 and len(heights) > 1:
            out.append(rng.choice(MARKED))
            heights.pop()
            heights[-1] += 1
        elif roll < 0.823:
            out.append(bytes([rng.randrange(256)]))
        else:
            fitting = [s for s in STACK if s[1] <= heights[-1]]
            if fitting:
                op, _, change = rng.choice(fitting)
                out.append(op)
                heights[-1] += change
    if len(heights) > 1 and heights[-1] == 0:
        out.append(b"N")
    out.append(b".")
    return framed(b"".join(out), rng)


def framed(stream: bytes, rng: random.Random) -> bytes:
    """Sometimes a frame somewhere, of a length that is right, nearly right, or random."""
    if rng.random() < 0.8 or len(stream) < 4:
        return stream
    at = rng.randrange(2, len(stream))
    rest = len(stream) - at
    size = rng.choice([rest, rest, rest, rest - 1, rest + 1, rng.randrange(rest + 1), rng.randrange(rest + 9), 1 << 40])
    return stream[:at] + b"\x95" + struct.pack("<Q", max(0, size)) + stream[at:]


def real() -> list[bytes]:
    """Real pickles, the material of mutations."""
    things = [
        [1, 2.5, "a", b"b", None, True, (1, 2)], {"a": {"b": [1]}, "c": {1, 2}}, collections.OrderedDict(a=1),
        np.arange(3.0), np.float64(1), np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]), np.array(["x", 1], dtype=object),
        np.zeros(2, dtype="M8[ns]"), np.array(["ab", "c"]), np.zeros((2, 2), dtype="S3"), np.datetime64(3, "s"),
        collections.defaultdict(list, a=[1]), bytearray(b"abc"), 2**70, "caf\xe9", collections.deque([1], 3), object(),
    ]  # fmt: skip
    return [pickle.dumps(t, p) for t in things for p in range(6)] + [dumped(t, p) for t in things for p in range(6)]


def dumped(thing: object, protocol: int) -> bytes:
    """As joblib writes it."""
    out = io.BytesIO()
    joblib.dump({"a": thing, "b": np.arange(2.0)}, out, protocol=protocol)
    return out.getvalue()


def mutated(seeds: list[bytes], rng: random.Random) -> bytes:
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data) + 1)
        roll = rng.random()
        if roll < 0.3 and at < len(data):
            data[at] = rng.randrange(256)
        elif roll < 0.5:
            data[at:at] = rng.choice(PHRASES + EMPTY + NUMBERS)
        elif roll < 0.6:
            data[at:at] = named(rng, 0.9)
        elif roll < 0.75:
            del data[at : at + rng.randrange(1, 6)]
        elif roll < 0.9:
            other = rng.choice(seeds)
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.randrange(1, 30)]
        else:
            data[at:at] = rng.choice(STACK)[0]
    return bytes(data)


def streams(count: int, seed: int):
    """``count`` files: single streams, and now and then two in a row."""
    rng = random.Random(seed)
    seeds = real()
    for _ in range(count):
        data = one(rng) if rng.random() < 0.6 else mutated(seeds, rng)
        yield data + one(rng) if rng.random() < 0.1 else data
