"""One member as a source: in place if it is stored, else inflated within the budget."""

from __future__ import annotations

import zlib

from probatum.scan.finding import quote
from probatum.scan.inflate import MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source
    from probatum.scan.zip.directory import Header

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
#: Members up to this size are held in memory; larger ones go to a temporary file without a name.
IN_MEMORY = 64 << 20
#: Members up to this size have their checksum looked at; tensors are larger, and reading them is not the business.
CHECKED = 16 << 20


def member_source(member: Header, start: int, source: Source, context: Context) -> Source | None:
    """The content of a member; None where it was not read, which is then reported."""
    name = f"{source.name}/{member.name}".lstrip("/") if source.name else member.name
    if member.flags & 1:
        context.report("ZIP002", f"{quote(member.name)} is marked as encrypted", source, offset=member.local)
        if member.method != STORED:
            return None
    if member.method == STORED:
        if member.size != member.packed:
            context.report("ZIP001", f"{quote(member.name)} is stored in another size", source, offset=member.local)
        inside = source.part(start, member.packed, name)
        whole = inside.read(0, member.packed) if member.packed <= CHECKED and not _is_tensor(member.name) else None
        if whole is not None and zlib.crc32(whole) != member.crc:
            context.report("ZIP006", f"{quote(member.name)} has a wrong checksum", source, offset=member.local)
        return inside
    inflater = _inflater(member.method, source.read(start, 9))
    if inflater is None:
        said = f"{quote(member.name)} is compressed by method {member.method}, in a way that is not read"
        context.report("ZIP007", said, source, offset=member.local)
        return None
    return _inflate(inflater, member, start, source, context, name)


def _is_tensor(name: str) -> bool:
    """Storages of PyTorch, of whose bytes only the first are looked at."""
    folder, _, last = name.rpartition("/")
    return folder.endswith("data") and last.isdigit()


def _inflater(method: int, head: bytes) -> Any:
    if method == DEFLATED:
        return zlib.decompressobj(-15)
    if method == BZIP2:
        import bz2

        return bz2.BZ2Decompressor()
    if method == LZMA and len(head) == 9:
        import lzma

        try:
            filters = [lzma._decode_filter_properties(lzma.FILTER_LZMA1, head[4:9])]  # type: ignore[attr-defined]
            if filters[0]["dict_size"] <= MEMORY:  # a raw decoder knows no limit of its own
                return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        except lzma.LZMAError:
            pass  # no such properties: as unknown as another method
    return None


def _inflate(inflater: Any, member: Header, start: int, source: Source, context: Context, name: str) -> Source | None:
    pos, end = start + (9 if member.method == LZMA else 0), start + member.packed
    out: list[bytes] = []
    file, total, crc, pending = None, 0, 0, b""
    while total <= member.size:
        if not pending and pos < end and getattr(inflater, "needs_input", True):
            pending = source.read(pos, min(1 << 16, end - pos))
            pos += len(pending)
        try:
            block = inflater.decompress(pending, 1 << 20)
        except (zlib.error, OSError, EOFError, ValueError) as error:
            context.report("ZIP006", f"{quote(member.name)} does not inflate ({type(error).__name__})", source)
            return None
        except Exception as error:  # lzma.LZMAError, whose module is loaded only when it is needed
            if type(error).__name__ != "LZMAError":
                raise
            context.report("ZIP006", f"{quote(member.name)} does not inflate", source)
            return None
        pending = getattr(inflater, "unconsumed_tail", b"")
        total += len(block)
        crc = zlib.crc32(block, crc)
        context.budget.spend_inflated(len(block))
        if total > (64 << 20) + context.budget.ratio * member.packed:
            break
        if total > IN_MEMORY and file is None:
            import tempfile

            file = tempfile.TemporaryFile()  # noqa: SIM115
            file.writelines(out)
        if file is None:
            out.append(block)
        else:
            file.write(block)
        if inflater.eof or (not block and not pending and pos >= end):
            break
    if total > member.size or total > (64 << 20) + context.budget.ratio * member.packed:
        context.report("ZIP005", f"{quote(member.name)} inflates beyond what it may", source, offset=member.local)
        return None
    if total != member.size or crc != member.crc:
        context.report("ZIP006", f"{quote(member.name)} has a wrong size or checksum", source, offset=member.local)
    if file is None:
        return source.member(b"".join(out), name)
    file.flush()
    return source.unpacked(file, name)
