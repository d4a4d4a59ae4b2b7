"""gzip, bzip2, xz, LZMA and bare zlib: one compressed file, in one stream or several. joblib writes all of them.

joblib before 0.10 wrote "ZF", the length in hexadecimal digits, filled up to 19 places (or 20), and a stream of zlib.
"""

from __future__ import annotations

import zlib

from probatum.scan.inflate import MEMORY, BadStream, Bomb, Output, Sum, by_library, deflate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "compressed"
EXCLUSIVE = True

ENDS = (".gz", ".bz2", ".xz", ".lzma", ".z", ".zlib", ".tgz", ".tbz2", ".txz")
#: What holds one stream and no more.
ONE = ("zlib", "joblib z-file")
#: Padding behind a stream of gzip or xz that is let pass.
PADDING = 1 << 20


def kind(head: bytes) -> str:
    """The compression that these bytes begin, or ""."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\0":
        return "xz"
    if head[:2] == b"ZF" and _length(head[2:21]) >= 0:
        return "joblib z-file"
    if head[:1] == b"]" and head[1:3] == b"\0\0" and len(head) > 13 and head[13] == 0:
        size = int.from_bytes(head[5:13], "little")
        return "lzma" if size == (1 << 64) - 1 or size < 1 << 40 else ""
    if head[:1] == b"x" and head[1:2] in b"\x01\x5e\x9c\xda" and len(head) > 2 and _inflates(head):
        return "zlib"
    return ""


def _length(digits: bytes) -> int:
    """The length in the header of a z-file, as joblib takes it: whatever ``int`` reads; -1 if that is no length."""
    try:
        return int(digits, 16)
    except ValueError:
        return -1


def _inflates(head: bytes) -> bool:
    """Two bytes are little; the beginning must inflate as well."""
    try:
        zlib.decompressobj(-15).decompress(head[2:], 1 << 16)
    except zlib.error:
        return False
    return True


def sniff(head: bytes, source: Source) -> bool:
    return bool(kind(head))


def scan(source: Source, context: Context) -> str | None:
    """Inflate every stream, then send what came out back to the formats, even if the end was wrong."""
    name, pos, streams = kind(source.head()), 0, 0
    out = Output(source, context.budget)
    try:
        while pos < source.size and (not streams or (name not in ONE and kind(source.read(pos, 4096)) == name)):
            context.budget.spend_steps(64)
            pos = _stream(name, source, pos, out)
            pos += _zeros(source, pos) if name in ("gzip", "xz") else 0
            streams += 1
        _tail(source, pos, context)
    except BadStream as bad:
        context.report("CMP002", f"{name}: {bad.args[0]}", source)
    except Bomb:
        said = f"{source.size:,} bytes of {name} inflate to more than {out.limit:,}; the rest was not read"
        context.report("CMP001", said, source)
    if streams > 1:
        context.report("CMP004", f"{streams:,} streams of {name} in a row, read as one", source)
    inside = out.member(_name(source))
    if inside.size:
        context.scan_member(inside)
    return name


def _stream(name: str, source: Source, pos: int, out: Output) -> int:
    if name == "gzip":
        return _gzip(source, pos, out)
    if name == "zlib":
        return _zlib(source, pos, out)
    if name == "joblib z-file":
        return _z_file(source, out)
    if name == "bzip2":
        import bz2

        return by_library(bz2.BZ2Decompressor, source, pos, out)
    import lzma

    def make() -> Any:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ if name == "xz" else lzma.FORMAT_ALONE, memlimit=MEMORY)

    return by_library(make, source, pos, out)


def _gzip(source: Source, pos: int, out: Output) -> int:
    head = source.read(pos, 10)
    if len(head) < 10 or head[2] != 8 or head[3] & 0xE0:
        raise BadStream("a header that is cut off, or of another method")
    flags, at = head[3], pos + 10
    if flags & 4:
        at += 2 + int.from_bytes(source.read(at, 2), "little")
    for bit in (8, 16):
        if flags & bit:
            text = source.read(at, 1 << 16)
            if b"\0" not in text:
                raise BadStream("a name or comment without an end")
            at += text.index(b"\0") + 1
    at += 2 * bool(flags & 2)
    total = Sum(out, zlib.crc32, 0)
    end = deflate(source, at, total)
    trailer = total.value.to_bytes(4, "little") + (total.size & 0xFFFFFFFF).to_bytes(4, "little")
    if source.read(end, 8) != trailer:
        raise BadStream("checksum or size are wrong")
    return end + 8


def _zlib(source: Source, pos: int, out: Output) -> int:
    head = source.read(pos, 2)
    if len(head) < 2 or head[0] & 15 != 8 or head[1] & 0x20:
        raise BadStream("a header that is cut off, of another method, or with a preset dictionary")
    total = Sum(out, zlib.adler32, 1)
    end = deflate(source, pos + 2, total)
    if source.read(end, 4) != total.value.to_bytes(4, "big"):
        raise BadStream("the checksum is wrong")
    return end + 4


def _z_file(source: Source, out: Output) -> int:
    """The length in the header is that of what comes out; joblib refuses others."""
    length = _length(source.read(2, 19))
    at = 22 if source.read(21, 1) == b" " else 21
    if not source.read(at, 1):
        raise BadStream("the stream breaks off")
    end = _zlib(source, at, out)
    if out.size != length:
        raise BadStream(f"{out.size:,} bytes where {length:,} are declared")
    return end


def _zeros(source: Source, pos: int) -> int:
    """How many zeros stand here: readers skip them, and go on behind them."""
    padding = source.read(pos, PADDING)
    return len(padding) - len(padding.lstrip(b"\0"))


def _tail(source: Source, pos: int, context: Context) -> None:
    """What stands behind the last stream is said, and is scanned as a member."""
    size = source.size - pos
    if size <= 0:
        return
    context.report("CMP003", f"{size:,} bytes behind the last stream", source, offset=pos)
    context.scan_member(source.part(pos, size, f"{source.name}#{pos}"))


def _name(source: Source) -> str:
    """The name of the content: that of the file without its ending."""
    last = (source.name or source.path).replace("\\", "/").rpartition("/")[2]
    for end in ENDS:
        if last.lower().endswith(end) and len(last) > len(end):
            last = last[: -len(end)] + (".tar" if end[1] == "t" else "")
            break
    return f"{source.name}/{last}".lstrip("/")
