"""Formats that are recognized and not analyzed."""

from __future__ import annotations

import re

from probatum.scan.formats import text
from probatum.scan.hdf5.superblock import MAGIC as HDF5
from probatum.scan.wire import VARINT, outline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "opaque"
EXCLUSIVE = True

#: (offset, first bytes, name, rule)
KINDS = (
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "CMP005"),
    (0, b"Rar!\x1a\x07", "rar", "CMP005"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "CMP005"),
    (0, b"\x04\x22\x4d\x18", "lz4", "CMP005"),
    (0, b"\x02\x21\x4c\x18", "lz4 legacy", "CMP005"),
    (0, b"\x1f\x9d", "compress", "CMP005"),
    (0, b"LZIP", "lzip", "CMP005"),
    (0, b"!<arch>\n", "ar", "CMP005"),
    (0, b"MSCF\0\0\0\0", "cab", "CMP005"),
    (32769, b"CD001", "iso", "CMP005"),
    (0, b"hsqs", "squashfs", "CMP005"),
    (4, b"TFL3", "tflite", "FMT001"),
    (4, b"ET12", "executorch", "FMT001"),
    (4, b"ORTM", "ort", "FMT001"),
    (0, b"ftrt", "tensorrt", "FMT001"),
    (0, b"ptrt", "tensorrt", "FMT001"),
    (0, b"lmgg", "ggml", "FMT001"),
    (0, b"fmgg", "ggml", "FMT001"),
    (0, b"tjgg", "ggml", "FMT001"),
    (0, b"PAR1", "parquet", "FMT001"),
    (0, b"ARROW1", "arrow", "FMT001"),
    (0, b"SQLite format 3\0", "sqlite", "FMT001"),
    (0, b"CBM1", "catboost", "FMT001"),
    (0, b"binf", "xgboost", "FMT001"),
    (0, b"\xff\x06\0\0sNaPpY", "snappy", "CMP005"),
    (0, b"\x89LZO\0\r\n\x1a\n", "lzo", "CMP005"),
    (0, b"xar!", "xar", "CMP005"),
    (0, b"\x1f\xa0", "lzh", "CMP005"),
    (0, b"RKNN", "rknn", "FMT001"),
    (0, b"NKNR", "rknn", "FMT001"),
    (0, b"\xdd\x85\x76\0", "ncnn", "FMT001"),
    (0, b"7767517\n", "ncnn", "FMT001"),
    (0, b"\x12\x01\0\0\0\0\0\0", "mxnet", "FMT001"),
    (0, b"B\0C\0N\0", "cntk", "FMT001"),
    (0, b"MATLAB 5.0 MAT-file", "matlab", "FMT001"),
    (0, b"MATLAB 7.0 MAT-file", "matlab", "FMT001"),
    (0, b"FEA1", "feather", "FMT001"),
    (0, b"ORC", "orc", "FMT001"),
    (0, b"Obj\x01", "avro", "FMT001"),
    (8, b"DUCK", "duckdb", "FMT001"),
    (0, b"\x0c\xdb\x3a\x2a", "ocdbt", "FMT001"),
    (64, b"\xef\xbe\xad\xde", "coreml weights", "FMT001"),
    (0, b"fLaC", "flac", "FMT001"),
    (0, b"OggS", "ogg", "FMT001"),
    (0, b"ID3", "mp3", "FMT001"),
    (4, b"ftyp", "mp4", "FMT001"),
    (0, b"%PDF-", "pdf", "FMT001"),
    (0, b"wOFF", "font", "FMT001"),
    (0, b"wOF2", "font", "FMT001"),
)
#: Of these kinds a file may be a text; where it is one, letters alone do not make it another kind.
TEXTS = ("ncnn", "pdf", "matlab")
#: Last bytes of an index of a TensorFlow checkpoint, which is a table.
TABLE = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
#: Frames that readers of zstd and lz4 skip, and what may stand behind them.
SKIPPED = b"\x2a\x4d\x18"
#: How a booster in UBJSON begins.
_UBJSON = re.compile(rb"\{[iUIlL].{1,8}learner", re.S)
#: Fields of a CoreML model: version, description, updatable; and the kinds of models, one of which it has.
COREML, COREML_KINDS = frozenset({1, 2, 10}), frozenset(range(200, 4000))
#: Names of formats without any mark. Names grant nothing: these bytes are unknown, and are called what they seem.
NAMED = {
    ".mnn": "mnn", ".rknn": "rknn", ".pdiparams": "paddle weights", ".pdparams": "paddle weights",
    ".engine": "tensorrt", ".plan": "tensorrt", ".trt": "tensorrt", ".caffemodel": "caffe", ".tfrecord": "tfrecord",
    ".npu": "npu", ".dlc": "dlc", ".om": "ascend", ".xmodel": "xmodel", ".hef": "hailo", ".bmodel": "bmodel",
    ".t7": "torch7", ".lmdb": "lmdb", ".mdb": "lmdb",
}  # fmt: skip


def find(head: bytes, source: Source) -> tuple[str, str] | None:
    """(name, rule) of the first kind that fits."""
    for at, magic, name, rule in KINDS:
        if name == "matlab" and head[512:520] == HDF5:  # the newer kind, which is HDF5 behind these words
            continue
        if (head if at < 4000 else source.read(at, len(magic)))[at if at < 4000 else 0 :].startswith(magic):
            return (name, rule) if name in TEXTS or not (magic.isascii() and text.sniff(head, source)) else None
    if head[1:4] == SKIPPED and 0x50 <= head[0] < 0x60:
        return "zstd or lz4", "CMP005"
    if _UBJSON.match(head):
        return "xgboost", "FMT001"
    if source.size >= 48 and source.read(source.size - 8, 8) == TABLE:
        return "tensorflow index", "FMT001"
    name = _message(head, source)
    return (name, "FMT001") if name else None


def _message(head: bytes, source: Source) -> str:
    """CoreML: a version, a description and one kind of model. Paddle: blocks with an index and a parent."""
    found = outline(source, 8) if head[:1] in (b"\x08", b"\x0a") else None
    kinds = {n for n, _, _, _ in found or ()}
    if not found:
        return ""
    if head[0] == 8 and found[0][1] == VARINT and kinds <= COREML | COREML_KINDS and kinds & COREML_KINDS:
        return "coreml"
    if head[0] == 10 and source.name_ends((".pdmodel", "__model__")):
        return "paddle"
    return ""


def by_name(source: Source) -> str:
    """What bytes that nothing claims are called by their name, or ""."""
    return next((name for end, name in NAMED.items() if source.name_ends((end,))), "")


def sniff(head: bytes, source: Source) -> bool:
    return find(head, source) is not None


def scan(source: Source, context: Context) -> str | None:
    found = find(source.head(), source)
    if found is None:
        return None
    context.report(found[1], f"{found[0]} is recognized, its content was not read", source, offset=0)
    return found[0]
