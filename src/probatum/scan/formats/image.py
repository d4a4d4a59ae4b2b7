"""PNG, JPEG, GIF, WebP and WAV: walked block by block to their end. A card has pictures, and what hides behind them.

Pixels and samples are not decoded. A picture that is also a zip, a pickle or a program is claimed by that format, too.
"""

from __future__ import annotations

import re
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source

NAME = "image"
EXCLUSIVE = True

PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
#: Forms of RIFF that are known.
RIFF = {b"WEBP": "webp", b"WAVE": "wav"}
CUT = "it ends in the middle"
_NEXT = re.compile(rb"\xff+([^\xff])", re.DOTALL)  # a marker of a JPEG, behind any filling
#: What ends the coded data of a JPEG: a marker that is no stuffing, no restart and no filling.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


class Bad(ValueError):
    """Not as the format says; ``args`` are the sentence and the offset."""


def sniff(head: bytes, source: Source) -> bool:
    return bool(_kind(head))


def _kind(head: bytes) -> str:
    if head.startswith(PNG):
        return "png"
    if head.startswith(JPEG):
        return "jpeg"
    if head.startswith(GIF):
        return "gif"
    return RIFF.get(head[8:12], "") if head.startswith(b"RIFF") else ""


def scan(source: Source, context: Context) -> str:
    """Report where the structure breaks, and what stands behind its end."""
    kind = _kind(source.head())
    data, start, end = source.view()
    try:
        stop = WALKS[kind](data, start, end, context.budget.spend_steps)
    except Bad as bad:
        context.report("IMG001", f"no whole {kind}: {bad.args[0]}", source, offset=bad.args[1] - start)
        return kind
    if stop < end:
        size = end - stop
        context.report("IMG002", f"{size:,} bytes after the end of the {kind}", source, offset=stop - start)
        context.scan_member(source.part(stop - start, size, f"{source.name}#{stop - start}"))
    return kind


def png(data: Buffer, pos: int, end: int, spend: Callable[[int], None]) -> int:
    """Chunks of length, type, data and checksum, from IHDR to IEND."""
    pos, first = pos + 8, True
    while True:
        spend(1)
        size, name = int.from_bytes(data[pos : pos + 4], "big"), bytes(data[pos + 4 : pos + 8])
        if pos + 12 + size > end or size >= 1 << 31:
            raise Bad("a chunk goes beyond the end", pos)
        if not (name.isalpha() and name.isascii()) or first != (name == b"IHDR"):
            raise Bad("a chunk that does not belong here", pos)
        spend(size // 64)
        checksum = 0
        for at in range(pos + 4, pos + 8 + size, 1 << 20):
            checksum = zlib.crc32(data[at : min(at + (1 << 20), pos + 8 + size)], checksum)
        if checksum != int.from_bytes(data[pos + 8 + size : pos + 12 + size], "big"):
            raise Bad("a checksum does not hold", pos)
        pos, first = pos + 12 + size, False
        if name == b"IEND":
            return pos


def jpeg(data: Buffer, pos: int, end: int, spend: Callable[[int], None]) -> int:
    """Segments that begin with a marker and say their length; after a start of scan, coded data up to a marker."""
    pos += 2
    while True:
        found = _NEXT.match(data, pos, end)
        if found is None:
            raise Bad("no marker where one must stand", pos)
        spend(1 + (found.end() - pos) // 64)
        marker, pos = found[1][0], found.end()
        if marker == 0xD9:
            return pos
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        size = int.from_bytes(data[pos : pos + 2], "big")
        if marker in (0x00, 0xD8) or size < 2 or pos + size > end:
            raise Bad("a segment that does not belong here", pos - 2)
        pos += size
        if marker == 0xDA:
            found = _MARKER.search(data, pos, end)
            if found is None:
                raise Bad(CUT, pos)
            spend((found.start() - pos) // 64)
            pos = found.start()


def gif(data: Buffer, pos: int, end: int, spend: Callable[[int], None]) -> int:
    """Screen, colors, then images and extensions in blocks of at most 255 bytes, up to the trailer."""
    if pos + 13 > end:
        raise Bad(CUT, pos)
    flags = data[pos + 10]
    pos += 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while True:
        spend(1)
        if pos >= end:
            raise Bad(CUT, pos)
        kind = data[pos]
        if kind == 0x3B:
            return pos + 1
        if kind == 0x2C:
            if pos + 10 > end:
                raise Bad(CUT, pos)
            flags = data[pos + 9]
            pos += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif kind == 0x21:
            pos += 2
        else:
            raise Bad("a block that does not belong here", pos)
        while True:  # blocks of data, the last one empty
            spend(1)
            if pos >= end:
                raise Bad(CUT, pos)
            size = data[pos]
            pos += 1 + size
            if not size:
                break


def riff(data: Buffer, pos: int, end: int, spend: Callable[[int], None]) -> int:
    """Chunks of name, length and data, filled up to an even length, as many as the outer length holds."""
    stop = pos + 8 + int.from_bytes(data[pos + 4 : pos + 8], "little")
    if stop > end:
        raise Bad(CUT, end)
    pos += 12
    while pos < stop:
        spend(1)
        size = int.from_bytes(data[pos + 4 : pos + 8], "little")
        if pos + 8 + size > stop or not bytes(data[pos : pos + 4]).isascii():
            raise Bad("a chunk goes beyond the end", pos)
        pos += 8 + size + size % 2
    return stop


WALKS = {"png": png, "jpeg": jpeg, "gif": gif, "webp": riff, "wav": riff}
