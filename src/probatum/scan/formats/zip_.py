"""Zip archives and what is built on them; PyTorch's checkpoints are recognized by their data.pkl."""

from __future__ import annotations

from probatum.scan.formats import torch_zip
from probatum.scan.zip.check import check
from probatum.scan.zip.directory import LOCAL, BadArchive, find_end, read_directory
from probatum.scan.zip.unpack import member_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "zip"
EXCLUSIVE = True


def sniff(head: bytes, source: Source) -> bool:
    """A local header at the start, or an end record at the end (which is what most readers look for)."""
    return head[:4] in (LOCAL, b"PK\x05\x06") or find_end(source) is not None


def scan(source: Source, context: Context) -> str | None:
    """Compare the headers, then send every member to the formats. Gives "torch zip" for a checkpoint."""
    try:
        directory = read_directory(source, context.budget.members - context.budget.members_used)
    except BadArchive as bad:
        context.report("ZIP006", f"{bad.args[0]}; nothing was read", source)
        return None
    placed = check(directory, source, context)
    root = torch_zip.root_of([member.name for member, _ in placed])
    if root is not None:
        torch_zip.scan_members(root, placed, source, context)
        return torch_zip.NAME
    for member, start in placed:
        if member.name.endswith("/") and not member.size:
            continue
        inside = member_source(member, start, source, context)
        if inside is not None:
            context.scan_member(inside)
    return None
