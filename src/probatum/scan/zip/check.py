"""Do the two sides of a zip archive say the same, and does it explain all of its bytes?"""

from __future__ import annotations

import re
from struct import unpack_from

from probatum.scan.finding import quote
from probatum.scan.zip.directory import DESCRIPTOR, LOCAL, BadArchive, Directory, Header, read_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

_DRIVE = re.compile(r"[A-Za-z]:")
_LINK, _KIND = 0xA000, 0xF000


def check(directory: Directory, source: Source, context: Context) -> list[tuple[Header, int]]:
    """(member, where its data begins) of every member whose place is known; what is wrong is reported."""
    placed: list[tuple[Header, int]] = []
    seen: set[str] = set()
    spans: list[tuple[int, int, str]] = []
    for member in directory.members:
        _check_name(member, seen, source, context)
        try:
            local = read_local(source, member.local)
        except BadArchive as bad:
            context.report("ZIP006", f"{quote(member.name)}: {bad.args[0]}", source, offset=member.local)
            continue
        _compare(member, local, source, context)
        end = local.after + member.packed
        if end > directory.start:
            context.report("ZIP006", f"{quote(member.name)} goes on behind the directory", source, offset=member.local)
            continue
        placed.append((member, local.after))
        spans.append((member.local, _descriptor_end(member, local, end, source), member.name))
    _check_spans(sorted(spans), directory, source, context)
    return placed


def _check_name(member: Header, seen: set[str], source: Source, context: Context) -> None:
    name = member.name
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts or "\0" in name or "\\" in name:
        context.report("ZIP003", f"a member is called {quote(name)}", source, offset=member.at)
    if member.mode & _KIND == _LINK:
        context.report("ZIP003", f"the member {quote(name)} is a symbolic link", source, offset=member.at)
    if name in seen:
        context.report("ZIP004", f"the name {quote(name)} stands twice", source, offset=member.at)
    seen.add(name)


def _compare(member: Header, local: Header, source: Source, context: Context) -> None:
    """Local and central header of one member. With bit 3, the local one may leave checksum and sizes open."""
    late = local.flags & 8
    wrong = [
        what
        for what, same in (
            ("name", member.raw_name == local.raw_name),
            ("method", member.method == local.method),
            ("flags", member.flags & ~8 == local.flags & ~8),
            ("checksum", member.crc == local.crc or (late and not local.crc)),
            ("size", member.size == local.size or (late and local.size in (0, 0xFFFFFFFF))),
            ("packed size", member.packed == local.packed or (late and local.packed in (0, 0xFFFFFFFF))),
        )
        if not same
    ]
    if wrong:
        said = f"the two headers of {quote(member.name)} disagree in {', '.join(wrong)}"
        if "name" in wrong:
            said += f" (locally {quote(local.name)})"
        context.report("ZIP001", said, source, offset=local.at)


def _descriptor_end(member: Header, local: Header, end: int, source: Source) -> int:
    """Where the member ends, with the record of checksum and sizes that may stand behind its data."""
    if not (local.flags | member.flags) & 8:
        return end
    record = source.read(end, 24)
    signed = 4 if record[:4] == DESCRIPTOR else 0
    for width, code in ((8, "<IQQ"), (4, "<III")):
        whole = len(record) >= signed + 4 + 2 * width
        if whole and unpack_from(code, record, signed) == (member.crc, member.packed, member.size):
            return end + signed + 4 + 2 * width
    return end


def _check_spans(spans: list[tuple[int, int, str]], directory: Directory, source: Source, context: Context) -> None:
    """Members must follow each other without overlap and without bytes that belong to none."""
    pos, hidden = 0, 0
    for start, end, name in [*spans, (directory.start, directory.start, "")]:
        if start < pos:
            context.report("ZIP005", f"{quote(name)} overlaps another member", source, offset=start)
        elif start > pos:
            gap = source.read(pos, min(start - pos, 1 << 20))
            hidden += 1
            if LOCAL in gap:
                context.report("ZIP001", "a local header that the directory does not list", source, offset=pos)
            elif gap.strip(b"\0") or start - pos > 1 << 20:
                context.report("ZIP008", f"{start - pos:,} bytes that belong to no member", source, offset=pos)
        pos = max(pos, end)
    if directory.end < source.size:
        rest = source.size - directory.end
        context.report("ZIP008", f"{rest:,} bytes behind the archive", source, offset=directory.end)
