"""Tensors of a PyTorch checkpoint (zip or legacy), found without unpickling and without PyTorch.

Only a file that the scanner proves inert is read. Its pickle is read as a tree of records (`pickle_tree`); where the
tree says "rebuild a tensor over storage 3, offset 0, shape (2, 4), strides (4, 1)", that is resolved to bytes of
the file.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.pickle_records import Call
from probatum.files.pickle_tree import read_tree
from probatum.files.torch_tree import (
    MAKERS,
    PARAMETER,
    REFUSED,
    Nameless,
    asked,
    inside,
    is_tensor,
    is_true,
    plain_shape,
    storage_id,
)
from probatum.files.torch_views import BLOCK, CLASSES, Storage, View, make_view
from probatum.scan.budget import Budget
from probatum.scan.context import Context
from probatum.scan.dispatch import scan_source
from probatum.scan.finding import INERT, VERDICTS, printable, quote, worst
from probatum.scan.pickle.allow.torch_ import STORAGES
from probatum.scan.source import Source
from probatum.scan.zip.directory import read_directory, read_local
from probatum.scan.zip.unpack import member_source

FORMATS = ("torch zip", "torch legacy")
#: Values of the tree that are looked at, so that a dict which holds itself twice, and again, comes to an end.
MOST_VALUES = 2_000_000
DEEPEST = 64


class Checkpoint:
    """An open checkpoint. ``groups`` are its dicts with tensors; ``tensors(key)`` gives those at or below a key.

    Raises
    ------
    BadInput
        If the scanner does not prove the file inert, or it is no checkpoint; the sentence says what was found.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
        try:
            self._open()
        except BaseException:
            os.close(self._file)
            raise

    def _open(self) -> None:
        source = Source(str(self.path), file=self._file)
        self.size, self.swapped = source.size, False
        self.format = _prove_inert(source, self.path)
        self._places: dict[str, tuple[int, int]] = {}
        self._sums: dict[str, int] = {}
        if self.format == "torch zip":
            self.root = self._zip(source)
        else:
            self.root = self._legacy()
        self.leaves = list(self._walk())

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def _zip(self, source: Source) -> Any:
        """Members by name; the pickle is read, the storages are only placed."""
        directory = read_directory(source, 1 << 20)
        root = next(m.name[: -len("data.pkl")] for m in directory.members if m.name.split("/")[-1] == "data.pkl")
        tree = None
        for member in directory.members:
            path = member.name.removeprefix(root)
            start = read_local(source, member.local).after
            if path.startswith("data/"):
                self._places[path[5:]] = start, member.size
                self._sums[path[5:]] = member.crc
            elif path in ("data.pkl", "byteorder"):
                inside = member_source(member, start, source, Context(Budget()))
                if inside is None:
                    raise BadInput(f"{self.path}: {quote(member.name)} cannot be unpacked")
                data, first, end = inside.view()
                if path == "byteorder":
                    self.swapped = bytes(data[first:end]).strip() == b"big"
                else:
                    tree = read_tree(data, first, end, f"{self.path}: data.pkl")[0]
        return tree

    def _legacy(self) -> Any:
        """Five pickles, then the storages in the order of the fifth; their bytes are little-endian on any machine."""
        found, pos = [], 0
        with mmap.mmap(self._file, 0, access=mmap.ACCESS_READ) as data:
            for _ in range(5):
                tree, pos = read_tree(data, pos, self.size, str(self.path))
                found.append(tree)
        ids = {id[2]: id for id in map(storage_id, asked(found[3])) if id}
        for key in found[4]:
            if not isinstance(key, str) or key not in ids:
                raise BadInput(f"{self.path}: the storage {quote(str(key))} belongs to no tensor")
            size = ids[key][4] * STORAGES[ids[key][1].name]
            self._places[key] = pos + 8, size
            pos += 8 + size
        return found[3]

    def _walk(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """(path, value) of everything that is no container; tensors are calls."""
        todo: list[tuple[tuple[str, ...], Any]] = [((), self.root)]
        seen = 0
        while todo:
            path, value = todo.pop()
            seen += 1
            if seen > MOST_VALUES or len(path) > DEEPEST:
                raise BadInput(f"{self.path}: its dicts are nested too deeply or contain themselves")
            items = inside(value, self.path)
            if items is None:
                yield path, value
            else:
                todo += [((*path, key), item) for key, item in reversed(items.items())]

    def check_sums(self) -> None:
        """Compare the bytes of every storage with its checksum in the zip, which PyTorch does not look at."""
        for key, wanted in self._sums.items():
            start, size = self._places[key]
            found = 0
            for at in range(start, start + size, BLOCK):
                found = zlib.crc32(os.pread(self._file, min(BLOCK, start + size - at), at), found)
            if found != wanted:
                raise BadInput(f"{self.path}: is damaged: the checksum of storage {quote(key)} is wrong; copy it again")

    @property
    def groups(self) -> dict[str, int]:
        """Dicts that hold tensors themselves, by path ("." is the whole), and how many each holds."""
        out: dict[str, int] = {}
        for path, value in self.leaves:
            if is_tensor(value):
                name = ".".join(path[:-1]) or "."
                out[name] = out.get(name, 0) + 1
        return out

    def tensors(self, key: str) -> tuple[dict[str, View], list[str]]:
        """Tensors at or below ``key``, named by what follows it, joined by dots; and the rest that is there."""
        out: dict[str, View] = {}
        rest: list[str] = []
        prefix = "" if key == "." else key + "."
        for path, value in self.leaves:
            whole = ".".join(path)
            if not (whole + ".").startswith(prefix):
                continue
            name = whole[len(prefix) :] or path[-1] if path else "tensor"
            if not is_tensor(value):
                rest.append(name)
            elif any(isinstance(part, Nameless) for part in path):
                raise BadInput(f"{self.path}: a tensor lies under a key that is neither a text nor a whole number")
            elif name in out:
                raise BadInput(f"{self.path}: two tensors would be called {quote(name)}; choose one dict with --key")
            else:
                where = f"{self.path}: {quote(name)}"
                try:
                    out[name] = self._view(value, where)
                except (IndexError, TypeError, AttributeError, ValueError) as error:
                    raise BadInput(f"{where} is made from arguments that PyTorch does not write") from error
        return out, rest

    def _view(self, call: Call, where: str) -> View:
        for _ in range(DEEPEST):
            if call.name == "torch._tensor._rebuild_from_type_v2":
                call = Call(call.args[0], call.args[2])
            elif call.name in PARAMETER and call.args and isinstance(call.args[0], Call):
                call = call.args[0]
            else:
                break
        if call.name in REFUSED:
            raise BadInput(f"{where} {REFUSED[call.name]}; convert it in PyTorch first")
        if call.name not in MAKERS:
            raise BadInput(f"{where} is made by {quote(call.name)}, which convert does not know")
        v3 = call.name.endswith("v3")
        if any(is_true(option) for option in call.args[7 if v3 else 6 :]):
            raise BadInput(f"{where} is stored as a lazy conjugate or negative; save it after resolve_conj()")
        wanted, offset, shape, stride = call.args[:4]
        storage = self._storage(wanted, where)
        dtype = call.args[6].name if v3 else CLASSES.get(storage.kind, storage.kind)
        shape, stride = plain_shape(shape), plain_shape(stride)
        return make_view(self._file, storage, dtype, offset, shape, stride, self.swapped, where)

    def _storage(self, wanted: Any, where: str) -> Storage:
        """The bytes behind a persistent id: ("storage", class, key, device, elements[, view])."""
        id = storage_id(wanted)
        if not id:
            raise BadInput(f"{where} lies over no storage that this file holds")
        if len(id) > 5 and id[5] is not None:
            raise BadInput(f"{where} lies over a part of a storage, as PyTorch wrote before 0.4; save it again")
        key, kind, said = id[2], id[1].name, id[4]
        start, size = self._places.get(key, (0, -1))
        if said * STORAGES[kind] != size:
            raise BadInput(f"{where} wants a storage of {said:,} elements of {kind}, the file has {size:,} bytes")
        return Storage(key, kind, start, size)


def _prove_inert(source: Source, path: Path) -> str:
    """The format of the checkpoint, if the scan of this very file handle finds nothing."""
    context = Context(Budget())
    format = scan_source(source, context)
    verdict = worst(f.verdict for f in context.findings)
    if verdict != INERT:
        first = max(context.findings, key=lambda f: VERDICTS.index(f.verdict))
        at = f" ({printable(first.member)})" if first.member else ""
        raise BadInput(f"{path}: is not converted: {verdict}: {first.message}{at} [{first.rule}]; see `probatum scan`")
    if format not in FORMATS:
        raise BadInput(f"{path}: expected a PyTorch checkpoint, got {format}; convert reads what torch.save wrote")
    return format
