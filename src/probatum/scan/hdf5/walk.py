"""The walk over all objects that a reader can reach: by links, and by references to objects."""

from __future__ import annotations

from probatum.scan.finding import quote
from probatum.scan.hdf5 import attributes, groups, headers, outside, soft, superblock, types
from probatum.scan.hdf5.attributes import SHOWN
from probatum.scan.hdf5.datasets import Dataset
from probatum.scan.hdf5.store import Bad, Cursor, Lost, Store
from probatum.scan.hdf5.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.hdf5.headers import Message
    from probatum.scan.hdf5.judge import Judge
    from probatum.scan.hdf5.types import Type


class Walk:
    """Visits every object once, in the order in which they are found; a group is left before its members are read."""

    def __init__(self, store: Store, judge: Judge) -> None:
        self.store, self.judge = store, judge
        self.values = Values(store, judge, self._follow)
        self.groups: dict[int, dict[bytes, int | bytes | None]] = {}
        self._todo: list[tuple[int, str]] = []
        self._read: dict[int, list[Message]] = {}
        self._types: dict[int, Type] = {}  # those that are objects of their own
        self._seen: set[int] = set()
        self._referred: set[int] = set()

    def run(self) -> None:
        """The whole file; what cannot be followed is reported. Only a spent budget is raised."""
        try:
            self._start()
            while self._todo:
                address, where = self._todo.pop()
                if address not in self._seen:
                    self._seen.add(address)
                    self._object(address, where)
            for where, target in soft.dangling(self.groups, self._root, self.store.context.budget.spend_steps):
                self._report("HDF010", f"a soft link to {outside.shown(target)}, which is not there", where)
        except Bad as bad:
            self._report(bad.rule, bad.args[0], "")

    def _start(self) -> None:
        (self._root, tree, heap), extension = superblock.read(self.store)
        if extension >= 0:
            for message in headers.messages(self.store, extension):
                if message.type == headers.DRIVER:
                    self._report("HDF004", "a driver that spreads the file over several files", "")
                elif message.type in (headers.SHARED_TABLE, headers.IMAGE):
                    self._report("HDF001", "messages or blocks that are kept in a place of the whole file", "")
        self._todo.append((self._root, ""))
        if tree >= 0:
            wide = self.store.wide
            told = [m.data[: 2 * wide] for m in self._messages(self._root) if m.type == headers.SYMBOLS]
            if told and told != [tree.to_bytes(wide, "little") + heap.to_bytes(wide, "little")]:
                self._report("HDF001", "the superblock and the root group name different members", "")

    def _report(self, rule: str, sentence: str, where: str) -> None:
        self.judge.report(rule, f"{quote(where or '/')}: {sentence}" if where else sentence)

    def _follow(self, address: int, where: str) -> None:
        if address not in self._seen:
            self._referred.add(address)
            self._todo.append((address, f"{where} (by reference)"[-SHOWN:]))

    def _messages(self, address: int) -> list[Message]:
        if address not in self._read:
            self._read[address] = headers.messages(self.store, address)
        return self._read[address]

    def type_of(self, cursor: Cursor, shared: bool) -> Type:
        """A datatype that stands here, or in an object of its own."""
        step = self.store.context.budget.spend_steps
        if not shared:
            return types.read(cursor, self.store.wide, step)
        address = headers.shared_at(self.store, cursor)
        for message in self._messages(address) if address not in self._types else ():
            if message.type == headers.TYPE and not message.flags & headers.SHARED:
                self._types[address] = types.read(Cursor(message.data, "a datatype"), self.store.wide, step)
        if address not in self._types:
            raise Bad("a datatype that should stand in an object, but does not")
        return self._types[address]

    def _object(self, address: int, where: str) -> None:
        try:
            found = self._messages(address)
        except Lost:
            raise
        except Bad as bad:
            gone = address in self._referred
            said = "a reference to an object that is not there" if gone else bad.args[0]
            self._report("HDF010" if gone else bad.rule, said, where or "/")
            return
        kinds = {message.type for message in found}
        for message in found:
            if message.type > headers.IMAGE or message.type == headers.BOGUS:
                fails = ", which readers must know" if message.flags & headers.FAILS else ""
                self._report("HDF007", f"a message of type {message.type}{fails}", where or "/")
            elif message.type == headers.COMMENT:
                self.judge.text(message.data, where, message.address)
        self._read[address] = [m for m in found if m.type == headers.TYPE]  # others may refer to it
        steps = [self._attributes]
        if headers.LAYOUT in kinds:
            steps.append(self._dataset)
        if kinds & {headers.SYMBOLS, headers.LINK, headers.LINK_INFO}:
            self.groups[address] = {}
            steps.append(self._group)
        for step in steps:
            try:
                step(address, found, where)
            except Lost:
                raise
            except Bad as bad:
                self._report(bad.rule, bad.args[0], where or "/")

    def _attributes(self, address: int, found: list[Message], where: str) -> None:
        def report(bad: Bad) -> None:
            self._report(bad.rule, bad.args[0], where or "/")

        attributes.visit(self.values, found, where, self.type_of, report)

    def _dataset(self, address: int, found: list[Message], where: str) -> None:
        data = Dataset(self.store, self.values, where, lambda rule, said: self._report(rule, said, where))
        data.read(found, self.type_of)

    def _group(self, address: int, found: list[Message], where: str) -> None:
        below: list[tuple[int, str]] = []
        try:
            for name, kind, target in groups.links(self.store, found):
                path = f"{where}/{name[:SHOWN].decode('utf-8', 'replace')}"[-SHOWN:]
                self._link(address, name, kind, target, path)
                if isinstance(target, int):
                    below.append((target, path))
        finally:  # what was found before a fault is read all the same
            self._todo += reversed(below)

    def _link(self, group: int, name: bytes, kind: int, target: int | bytes, path: str) -> None:
        members = self.groups[group]
        if name in members:
            self._report("HDF011", "two links of one name", path)
        members[name] = target if kind in (groups.HARD, groups.SOFT) else None
        if kind == groups.EXTERNAL and isinstance(target, bytes):
            file, inside = outside.linked(target)
            self._report(outside.rule(file), f"a link to {outside.shown(inside)} in {outside.shown(file)}", path)
        elif kind not in (groups.HARD, groups.SOFT):
            self._report("HDF005", f"a link of kind {kind}, which a program defines", path)
