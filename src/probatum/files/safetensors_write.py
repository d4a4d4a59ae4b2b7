"""Write a safetensors file tensor by tensor: the header first, since all sizes are known, then the bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from probatum.core.errors import BadInput
from probatum.files.outputs import write_whole
from probatum.files.tensors import Weights
from probatum.scan.finding import quote

#: Longest header that the safetensors library reads.
LONGEST = 100_000_000


class Tensor(Protocol):
    """What is written: a type as safetensors calls it, a shape, the number of bytes, and the bytes in blocks."""

    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def item(self) -> int: ...
    @property
    def size(self) -> int: ...
    def blocks(self) -> Iterable[bytes]: ...


def write(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    step: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Write the file, read it again, and compare; gives the SHA-256 of every tensor's bytes.

    The file appears under its name only when it is complete and every tensor read back is what was written. Wider
    types stand first, so that every tensor is aligned. ``step(done, total)`` hears of bytes.

    Raises
    ------
    BadInput
        If it cannot be written, or what lies on the disk is not what was written.
    """
    order = sorted(tensors, key=lambda name: (-tensors[name].item, name))
    total, done = sum(t.size for t in tensors.values()), 0
    head = _header(order, tensors, {"format": "pt", **(metadata or {})}, path)
    digests: dict[str, str] = {}

    def fill(file: Any) -> None:
        nonlocal done
        file.write(head)
        for name in order:
            digest, start = hashlib.sha256(), done
            for block in tensors[name].blocks():
                file.write(block)
                digest.update(block)
                done += len(block)
                if step is not None:
                    step(done, total)
            if done - start != tensors[name].size:
                raise BadInput(f"{path}: {quote(name)} gave {done - start:,} bytes, not {tensors[name].size:,}")
            digests[name] = digest.hexdigest()
        file.flush()
        _check(Path(file.name), digests, path)

    write_whole(path, fill)
    return digests


def _header(order: list[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for name in order:
        tensor = tensors[name]
        if name == "__metadata__":
            raise BadInput(f"{path}: a tensor is called __metadata__, which safetensors keeps for itself")
        entries[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [at, at + tensor.size]}
        at += tensor.size
    try:
        text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"{path}: a tensor has a name that is no text: {quote(error.object[:80])}") from error
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST:
        raise BadInput(f"{path}: the names of {len(order):,} tensors need a header that safetensors does not read")
    return len(text).to_bytes(8, "little") + text


def _check(partial: Path, digests: Mapping[str, str], path: Path) -> None:
    """Read the file as any user of it would, and compare every tensor with the bytes that came from the source."""
    written = Weights([partial])
    if set(written) != set(digests):
        raise BadInput(f"{path}: what was read back has other tensors than what was written; the disk is not well")
    for name, digest in digests.items():
        if hashlib.sha256(written.raw(name).data).hexdigest() != digest:
            raise BadInput(f"{path}: {quote(name)} was read back with other bytes; the disk is not well")
