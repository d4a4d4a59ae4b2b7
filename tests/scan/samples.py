"""Small honest files of every binary format, built byte by byte; and the writers that build them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

import hdf5_bytes
import numpy as np

PLAIN = pickle.dumps({"a": [1, 2, 3], "b": "text"}, 4)


def npy(array: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def minimal(members: dict[str, bytes]) -> bytes:
    """A tar archive with the two blocks of zeros at its end, and no more."""
    data = tarred(members).rstrip(b"\0")
    return data + bytes(-len(data) % 512 + 1024)


# Protocol Buffers


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes((value & 127 | 128,)), value >> 7
    return out + bytes((value,))


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def onnx_node(op: str, domain: str = "", *attributes: bytes) -> bytes:
    parts = block(1, "x") + block(2, "y") + block(4, op) + (block(7, domain) if domain else b"")
    return block(1, parts + b"".join(block(5, a) for a in attributes))


def onnx_tensor(name: str = "w", shape: tuple[int, ...] = (2, 2), raw: bytes | None = None, more: bytes = b"") -> bytes:
    dims = block(1, b"".join(varint(n) for n in shape))
    return block(5, dims + number(2, 1) + block(8, name) + (block(9, raw) if raw is not None else b"") + more)


def onnx(*parts: bytes, more: bytes = b"") -> bytes:
    graph = b"".join(parts) + block(2, "graph") + block(11, block(1, "x")) + block(12, block(1, "y"))
    return number(1, 8) + block(2, "test") + block(7, graph) + block(8, number(2, 18)) + more


def tf_node(op: str, *attributes: bytes) -> bytes:
    return block(1, f"node/{op}") + block(2, op) + block(3, "x") + b"".join(block(5, a) for a in attributes)


def saved_model(*ops: str, library: bytes = b"", more: bytes = b"") -> bytes:
    graph = b"".join(block(1, tf_node(op)) for op in ops) + (block(2, library) if library else b"")
    return number(1, 1) + block(2, block(1, block(4, "serve")) + block(2, graph) + more)


# GGUF


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(pairs: list[bytes] | None = None, tensors: list[tuple[str, list[int], int, int]] | None = None) -> bytes:
    """Tensors are (name, shape, type, offset); 4 bytes of data are written for each element."""
    if pairs is None:
        pairs = [
            text("general.name") + struct.pack("<I", 8) + text("tiny"),
            text("general.alignment") + struct.pack("<II", 4, 32),
            text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc"),
            text("scores") + struct.pack("<IIQ", 9, 6, 2) + bytes(8),
        ]
    tensors = [("w", [4, 2], 0, 0), ("b", [8], 0, 32)] if tensors is None else tensors
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs)
    for name, shape, kind, offset in tensors:
        out += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return out + bytes(-len(out) % 32) + bytes(range(64))


def template(value: str, key: str = "tokenizer.chat_template") -> bytes:
    return text(key) + struct.pack("<I", 8) + text(value)


# MessagePack, as Flax writes it


def mtext(value: str) -> bytes:
    return bytes((0xA0 | len(value),)) + value.encode()


def marray(shape: tuple[int, ...] = (2, 3), dtype: str = "float32", data: bytes | None = None) -> bytes:
    data = bytes(4 * int(np.prod(shape))) if data is None else data
    inner = b"\x93" + bytes((0x90 | len(shape), *shape)) + mtext(dtype) + b"\xc4" + bytes((len(data),)) + data
    return b"\xc7" + bytes((len(inner), 1)) + inner


def flax(leaf: bytes | None = None) -> bytes:
    layer = b"\x82" + mtext("kernel") + marray() + mtext("bias") + (marray((3,)) if leaf is None else leaf)
    return b"\x82" + mtext("params") + b"\x81" + mtext("Dense_0") + layer + mtext("step") + b"\xcd\x01\x00"


# Keras and HDF5


def keras_config(*layers: dict[str, object]) -> dict[str, object]:
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "in"}, "registered_name": None}
    dense = {
        "module": "keras.layers", "class_name": "Dense", "registered_name": None,
        "config": {"units": 3, "activation": "relu", "kernel_initializer": {
            "module": "keras.initializers", "class_name": "GlorotUniform", "config": {}, "registered_name": None}},
    }  # fmt: skip
    config = {"name": "sequential", "layers": [first, dense, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": "Sequential"}


def keras(*layers: dict[str, object]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.4.1"}))
        archive.writestr("config.json", json.dumps(keras_config(*layers)))
    return out.getvalue()


def hdf5(*layers: dict[str, object]) -> bytes:
    """A model as Keras saves it, with its configuration and two arrays."""
    return hdf5_bytes.keras_file(json.dumps(keras_config(*layers)))


def elf() -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(100)


def benign() -> dict[str, bytes]:
    """Files that are inert."""
    objects = npy(np.arange(6).reshape(2, 3))
    table = np.zeros(3, dtype=[("a", "<f4"), ("b", "<i8", (2,)), ("c", [("d", "U4")])])
    out = {
        "gzip": gzip.compress(PLAIN * 9, mtime=0),
        "bzip2": bz2.compress(PLAIN * 9),
        "xz": lzma.compress(PLAIN * 9),
        "lzma": lzma.compress(PLAIN * 9, lzma.FORMAT_ALONE),
        "zlib": zlib.compress(PLAIN * 9),
        "tar": minimal({"a.pkl": PLAIN, "dir/" + "long" * 40 + "/b.npy": objects, "readme.txt": b"hello\n"}),
        "npy": objects,
        "npy with fields": npy(table),
        "gguf": gguf(),
        "onnx": onnx(onnx_node("MatMul"), onnx_node("Relu"), onnx_tensor(raw=bytes(16))),
        "saved model": saved_model("Placeholder", "MatMul", "Relu"),
        "msgpack": flax(),
        "keras": keras(),
        "hdf5": hdf5(),
    }
    arrays = io.BytesIO()
    np.savez_compressed(arrays, a=np.arange(9.0), b=np.array(["x", "yz"]))
    out["npz"] = arrays.getvalue()
    return out
