"""Small HDF5 files, written byte by byte: superblock 0 with old groups, superblock 2 with link messages."""

from __future__ import annotations

import struct
import zlib

NONE = 0xFFFFFFFFFFFFFFFF
MAGIC = b"\x89HDF\r\n\x1a\n"


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def fixed(size: int) -> bytes:
    """The datatype of a text of so many bytes, filled up with zeros."""
    return struct.pack("<BBHI", 0x13, 1, 0, size)


BYTE = struct.pack("<BBHIHH", 0x10, 0, 0, 1, 0, 8)
FLOAT = struct.pack("<BBBBIHHBBBBI", 0x11, 0x20, 31, 0, 4, 0, 32, 23, 8, 0, 23, 127)
VARIABLE = struct.pack("<BBHI", 0x19, 1, 0, 16) + struct.pack("<BBHI", 0x13, 0, 0, 1)
OBJECT_REFERENCE = struct.pack("<BBHI", 0x17, 0, 0, 8)


def space(*sizes: int) -> bytes:
    return struct.pack("<BBBxI", 1, len(sizes), 0, 0) + struct.pack(f"<{len(sizes)}Q", *sizes)


def attribute(name: str, type: bytes, data: bytes, *sizes: int) -> tuple[int, bytes]:
    """A message of an attribute, version 1."""
    raw = name.encode() + b"\0"
    head = struct.pack("<BxHHH", 1, len(raw), len(type), len(space(*sizes)))
    return 0x0C, head + pad(raw) + pad(type) + pad(space(*sizes)) + data


def text_attribute(name: str, text: str) -> tuple[int, bytes]:
    return attribute(name, fixed(len(text.encode())), text.encode())


def link(name: str, kind: int, data: bytes) -> tuple[int, bytes]:
    """A link message of any kind: 0 hard, 1 soft, 64 external."""
    info = data if kind == 0 else struct.pack("<H", len(data)) + data
    return 0x06, struct.pack("<BBBB", 1, 8, kind, len(name.encode())) + name.encode() + info


def external(name: str, file: str, path: str) -> tuple[int, bytes]:
    return link(name, 64, b"\0" + file.encode() + b"\0" + path.encode() + b"\0")


class File:
    """Blocks are put one behind the other; an address is what `put` gives."""

    def __init__(self, before: bytes = b"") -> None:
        self.before, self.data = before, bytearray(96)

    def put(self, block: bytes) -> int:
        self.data += bytes(-len(self.data) % 8)
        self.data += block
        return len(self.data) - len(block)

    def header(self, *messages: tuple[int, bytes], flags: int = 0) -> int:
        """An object header of version 1."""
        body = b"".join(struct.pack("<HHBxxx", k, len(pad(d)), flags) + pad(d) for k, d in messages)
        return self.put(struct.pack("<BxHIIxxxx", 1, len(messages), 1, len(body)) + body)

    def new_header(self, *messages: tuple[int, bytes]) -> int:
        """An object header of version 2; its checksum is not read."""
        body = b"".join(struct.pack("<BHB", k, len(d), 0) + d for k, d in messages)
        return self.put(b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body + b"sum!")

    def group(self, members: dict[str, int | bytes], *messages: tuple[int, bytes]) -> int:
        """A group with a symbol table. Members are addresses, or the paths of soft links."""
        heap, places, targets = bytearray(8), {}, {}
        for name in sorted(members):
            places[name] = len(heap)
            heap += pad(name.encode() + b"\0")
            if isinstance(members[name], bytes):
                targets[name] = len(heap)
                heap += pad(members[name] + b"\0")
        data = self.put(bytes(heap))
        local = self.put(struct.pack("<4sBxxxQQQ", b"HEAP", 0, len(heap), 1, data))
        node = struct.pack("<4sBxH", b"SNOD", 1, len(members))
        for name in sorted(members):
            target = members[name]
            node += struct.pack("<QQ", places[name], NONE if isinstance(target, bytes) else target)
            node += struct.pack("<IIQQ", 2 if name in targets else 0, 0, targets.get(name, 0), 0)
        node += bytes((8 - len(members)) * 40)
        last = places[max(members)] if members else 0
        if members:
            leaf = self.put(node)
            tree = struct.pack("<4sBBHQQQQQ", b"TREE", 0, 0, 1, NONE, NONE, 0, leaf, last)
        else:
            tree = struct.pack("<4sBBHQQQ", b"TREE", 0, 0, 0, NONE, NONE, 0)
        return self.header((0x11, struct.pack("<QQ", self.put(tree.ljust(544, b"\0")), local)), *messages)

    def collection(self, *objects: bytes) -> int:
        """A global heap; the first object has the index 1."""
        body = b"".join(struct.pack("<HHIQ", n + 1, 0, 0, len(o)) + pad(o) for n, o in enumerate(objects))
        size = max(4096, len(body) + 32)
        free = size - 16 - len(body)
        return self.put(
            struct.pack("<4sBxxxQ", b"GCOL", 1, size) + body + struct.pack("<HHIQ", 0, 0, 0, free).ljust(free, b"\0")
        )

    def variable_attribute(self, name: str, *texts: bytes) -> tuple[int, bytes]:
        """An attribute of texts of variable length, in a global heap of its own."""
        heap = self.collection(*texts)
        data = b"".join(struct.pack("<IQI", len(t), heap, n + 1) for n, t in enumerate(texts))
        return attribute(name, VARIABLE, data, *([len(texts)] if len(texts) > 1 else []))

    def contiguous(self, type: bytes, data: bytes, count: int, *more: tuple[int, bytes]) -> int:
        layout = struct.pack("<BBQQ", 3, 1, self.put(data), len(data))
        return self.header((1, space(count)), (3, type), (5, b"\x02\x02\x02\0"), (8, layout), *more)

    def chunked(self, type: bytes, size: int, data: bytes, chunk: int, ids: tuple[int, ...] = (2, 1)) -> int:
        """One dimension, in chunks of so many elements, through shuffle and deflate (or filters of other ids)."""
        count = len(data) // size
        keys = b""
        starts = range(0, count, chunk)
        for n in starts:
            raw = data[n * size : (n + chunk) * size].ljust(chunk * size, b"\0")
            raw = b"".join(raw[i::size] for i in range(size)) if 2 in ids else raw
            raw = zlib.compress(raw) if 1 in ids else raw
            keys += struct.pack("<IIQQQ", len(raw), 0, n, 0, self.put(raw))
        tree = struct.pack("<4sBBHQQ", b"TREE", 1, 0, len(starts), NONE, NONE) + keys
        tree += struct.pack("<IIQQ", 0, 0, -(-count // chunk) * chunk, 0)
        layout = struct.pack("<BBBQII", 3, 2, 2, self.put(tree.ljust(2096, b"\0")), chunk, size)
        filters = b"".join(struct.pack("<HHHHI4x", id, 0, 0, 1, size if id == 2 else 6) for id in ids)
        pipeline = struct.pack("<BB6x", 1, len(ids)) + filters
        return self.header((1, space(count)), (3, type), (5, b"\x02\x02\x02\0"), (8, layout), (11, pipeline))

    def done(self, root: int) -> bytes:
        """With superblock 0."""
        self.data += bytes(-len(self.data) % 8)
        head = MAGIC + struct.pack("<BBBxBBBxHHI", 0, 0, 0, 0, 8, 8, 4, 16, 0)
        base = len(self.before)
        head += struct.pack("<QQQQ", base, NONE, base + len(self.data), NONE) + struct.pack(
            "<QQIIQQ", 0, root, 0, 0, 0, 0
        )
        self.data[:96] = head
        return self.before + bytes(self.data)

    def done_new(self, root: int) -> bytes:
        """With superblock 2."""
        head = MAGIC + struct.pack("<BBBBQQQQ", 2, 8, 8, 0, 0, NONE, len(self.data), root) + b"sum!"
        self.data[:96] = head.ljust(96, b"\0")
        return bytes(self.data)


def keras_file(config: str) -> bytes:
    """As Keras writes it: the configuration in an attribute, weights in groups of layers."""
    file = File()
    kernel = file.contiguous(FLOAT, bytes(48), 12)
    bias = file.chunked(FLOAT, 4, struct.pack("<6f", *range(6)), 4)
    layer = file.group({"kernel": kernel, "bias": bias})
    names = attribute("layer_names", fixed(5), b"dense", 1)
    weights = file.group({"dense": layer, "again": b"/model_weights/dense"}, names)
    config_ = file.variable_attribute("model_config", config.encode())
    return file.done(file.group({"model_weights": weights}, config_, text_attribute("backend", "jax")))
