"""From a PyTorch checkpoint to a safetensors file, without unpickling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from probatum.core.errors import BadInput
from probatum.files.outputs import check_free, check_room
from probatum.files.safetensors_write import write
from probatum.files.torch_files import Checkpoint
from probatum.files.torch_views import View
from probatum.scan.finding import printable, quote

#: The output may be this many times as large as the input, and 64 MiB more: views may repeat elements.
GROWTH = 4

Step = Callable[[int, int], None]


@dataclass
class Converted:
    """One file that was written."""

    source: Path
    out: Path
    format: str
    key: str
    tensors: int
    size: int
    tied: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)


def convert(
    source: Path,
    out: Path,
    *,
    key: str | None = None,
    once: bool = False,
    force: bool = False,
    step: Step | None = None,
) -> Converted:
    """Write the tensors of a PyTorch checkpoint as safetensors; every tensor is read back and compared.

    Parameters
    ----------
    key
        Which dict of the checkpoint, such as ``state_dict``; "." is everything, names joined by dots. Not needed
        where one dict holds all the tensors.
    once
        Write tensors that are one and the same under one name only, the first in the alphabet, and note the others
        in the metadata, as the safetensors library does. Without it every name is written, which loads anywhere.

    Raises
    ------
    BadInput
        If the file is not proved inert, its layout is not what it promises, or the output exists.
    """
    check_free(out, force)
    with Checkpoint(source) as checkpoint:
        key = _choose(checkpoint) if key is None else key
        tensors, rest = checkpoint.tensors(key)
        if not tensors:
            raise BadInput(f"{source}: no tensor lies at {quote(key)}; {_candidates(checkpoint)}")
        tied = _tied(tensors)
        kept = {name: t for name, t in tensors.items() if not (once and name in tied)}
        size = sum(t.size for t in kept.values())
        if size > GROWTH * checkpoint.size + (64 << 20):
            raise BadInput(
                f"{source}: {checkpoint.size:,} bytes would become {size:,}, since tensors repeat their elements; "
                "save them without expand()"
            )
        check_room(out, size)
        checkpoint.check_sums()
        digests = write(out, kept, tied if once else None, step)
        return Converted(source, out, checkpoint.format, key, len(kept), size, tied, rest, digests)


def _choose(checkpoint: Checkpoint) -> str:
    """The only dict that holds tensors."""
    groups = checkpoint.groups
    if len(groups) == 1:
        return next(iter(groups))
    if not groups:
        raise BadInput(f"{checkpoint.path}: holds no tensors")
    raise BadInput(f"{checkpoint.path}: holds tensors in several places; {_candidates(checkpoint)}")


def _candidates(checkpoint: Checkpoint) -> str:
    """The dicts to choose from, as few as tell them apart, with the number of tensors at and below each."""
    groups, depth = checkpoint.groups, 1
    if not groups:
        return "it holds none at all"

    def cut(level: int) -> dict[str, int]:
        out: dict[str, int] = {}
        for name, count in groups.items():
            short = ".".join(name.split(".")[:level]) if name != "." else "."
            out[short] = out.get(short, 0) + count
        return out

    while len(cut(depth)) == 1 and cut(depth) != groups:
        depth += 1
    found = sorted(cut(depth).items(), key=lambda item: -item[1])
    shown = ", ".join(f"{printable(name)[:60]} ({count})" for name, count in found[:8])
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return f"choose with --key: {shown}{more}; '.' takes everything"


def _tied(tensors: Mapping[str, View]) -> dict[str, str]:
    """Names that are the same view of the same storage as an earlier name."""
    first: dict[object, str] = {}
    return {
        name: first[t.place]
        for name, t in sorted(tensors.items())
        if t.size and first.setdefault(t.place, name) != name
    }  # fmt: skip
