"""Formats that are recognized and not analyzed."""

from __future__ import annotations

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
)


def find(head: bytes, source: Source) -> tuple[str, str] | None:
    """(name, rule) of the first kind that fits."""
    for at, magic, name, rule in KINDS:
        if (head if at < 4000 else source.read(at, len(magic)))[at if at < 4000 else 0 :].startswith(magic):
            return name, rule
    return None


def sniff(head: bytes, source: Source) -> bool:
    return find(head, source) is not None


def scan(source: Source, context: Context) -> str | None:
    found = find(source.head(), source)
    if found is None:
        return None
    context.report(found[1], f"{found[0]} is recognized, its content was not read", source, offset=0)
    return found[0]
