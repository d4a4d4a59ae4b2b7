"""PyTorch checkpoints since 1.6: a zip with data.pkl, and one member for each storage, which is measured, not read."""

from __future__ import annotations

from probatum.scan.finding import quote
from probatum.scan.pickle import is_pickle, read_streams
from probatum.scan.pickle.allow.torch_ import STORAGES
from probatum.scan.zip.unpack import member_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.pickle import Streams
    from probatum.scan.source import Source
    from probatum.scan.zip.directory import Header

NAME = "torch zip"


def root_of(names: list[str]) -> str | None:
    """The folder of data.pkl, with its slash; None if this is no checkpoint."""
    for name in names:
        if name == "data.pkl" or name.endswith("/data.pkl"):
            return name[: -len("data.pkl")]
    return None


def scan_members(root: str, placed: list[tuple[Header, int]], source: Source, context: Context) -> None:
    """data.pkl by the machine, storages by their size, everything else by the formats."""
    storages: dict[str, tuple[str, object]] = {}
    blocks: list[tuple[str, Header, int]] = []
    program = False
    for member, start in placed:
        path = member.name.removeprefix(root)
        if path.startswith("data/") and member.name.startswith(root) and not member.method and not member.flags & 1:
            context.budget.spend_member()
            blocks.append((path[len("data/") :], member, start))
            continue
        program = program or path == "constants.pkl" or path.startswith("code/")
        inside = member_source(member, start, source, context)
        if inside is not None and path == "data.pkl" and inside.read(0, 1) == b"\x80":
            context.budget.check_depth(context.depth + 1)
            storages.update(_objects(inside, context).storages)
        elif inside is not None and inside.size:
            context.scan_member(inside)
    if program:
        context.report("TOR002", "a TorchScript program", source)
    for key, member, start in blocks:
        _block(key, member, start, storages, source, context)


def _objects(source: Source, context: Context) -> Streams:
    streams = read_streams(source, context)
    if not streams.broken and streams.end < source.size:
        rest = source.size - streams.end
        context.report("PKL014", f"{rest:,} bytes after the last stream", source, offset=streams.end)
    return streams


def _block(
    key: str, member: Header, start: int, storages: dict[str, tuple[str, object]], source: Source, context: Context
) -> None:
    """One storage: of the size that its tensor asks for, and no pickle."""
    inside = source.part(start, member.packed, f"{source.name}/{member.name}".lstrip("/"))
    if inside.read(0, 1) == b"\x80" and is_pickle(inside.read(0, 1 << 16), context):
        context.scan_member(inside)
    kind, elements = storages.get(key, ("", 0))
    if not kind:
        context.report("TOR001", f"no tensor refers to {quote(member.name)}", source, offset=start)
    elif not isinstance(elements, int) or elements * STORAGES[kind] != member.size:
        said = f"{quote(member.name)} has {member.size:,} bytes, its tensors ask for {elements} of {kind}"
        context.report("TOR001", said, source, offset=start)
