"""GGUF: counts, pairs of key and value, the list of tensors, then their data. Chat templates are programs."""

from __future__ import annotations

import math

from probatum.scan.finding import quote
from probatum.scan.gguf_values import BLOCKS, STRING, Bad, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source

NAME = "gguf"
EXCLUSIVE = True

TEMPLATE = "tokenizer.chat_template"


def sniff(head: bytes, source: Source) -> bool:
    return head[:4] == b"GGUF"


def scan(source: Source, context: Context) -> None:
    reader = Model(source, context)
    try:
        reader.read()
    except Bad as bad:
        context.report(bad.args[0], bad.args[1], source, offset=reader.pos - reader.start)


class Model(Reader):
    """Pairs, then tensors."""

    def read(self) -> None:
        version = self.number(4)
        if version not in (1, 2, 3):
            raise Bad("GGF001", f"version {version}, which is not 1, 2 or 3 in little endian")
        self.wide = 4 if version == 1 else 8
        tensors, pairs = self.number(self.wide), self.number(self.wide)
        if tensors * 20 + pairs * 9 > self.source.size:
            raise Bad("GGF001", f"{tensors:,} tensors and {pairs:,} pairs do not fit into the file")
        for _ in range(pairs):
            self.context.budget.spend_steps(4)
            self.pair()
        self.tensors([self.tensor() for _ in range(tensors)])

    def pair(self) -> None:
        key = self.name()
        if key in self.keys:
            raise Bad("GGF001", f"the key {quote(key)} stands twice")
        self.keys.add(key)
        kind, at = self.number(4), self.pos
        self.value(kind, 0)
        if key == "general.alignment":
            self.alignment = int.from_bytes(self.data[at : self.pos], "little")
            if kind != 4 or not self.alignment or self.alignment & (self.alignment - 1) or self.alignment > 1 << 20:
                raise Bad("GGF001", "an alignment that is no power of two")
        if key.startswith(TEMPLATE):
            self.template(key, kind, at)

    def template(self, key: str, kind: int, at: int) -> None:
        """Hand a template on as a member; where no format for templates claims it, it was not covered."""
        if kind == STRING:
            inside = self.source.part(at + self.wide - self.start, self.pos - at - self.wide, self._member(key))
            if inside.size and self.context.scan_member(inside) != "jinja":
                self.context.report("CFG002", "holds a chat template", inside)
        elif not key.startswith(TEMPLATE + "s"):
            raise Bad("GGF001", f"{quote(key)} is no text")

    def _member(self, key: str) -> str:
        key = TEMPLATE if key == TEMPLATE else f"{key[:80]}/{TEMPLATE}"
        return f"{self.source.name}/{key}".lstrip("/") if self.source.name else key

    def tensor(self) -> tuple[int, int, str]:
        """(offset, size, name) of one tensor."""
        self.context.budget.spend_steps(4)
        name, dims = self.name(), self.number(4)
        if dims > 8:
            raise Bad("GGF002", f"the tensor {quote(name)} has {dims} dimensions")
        shape = [self.number(self.wide) for _ in range(dims)]
        kind, offset = self.number(4), self.number(8)
        if kind not in BLOCKS:
            raise Bad("GGF002", f"the tensor {quote(name)} has the unknown type {kind}")
        elements, size = BLOCKS[kind]
        count = math.prod(shape)
        if count >= 1 << 63 or (shape and shape[0] % elements):
            raise Bad("GGF002", f"the tensor {quote(name)} has a shape that its type does not allow")
        return offset, count // elements * size, name

    def tensors(self, infos: list[tuple[int, int, str]]) -> None:
        """They lie one behind the other, each on a multiple of the alignment, filled up with zeros."""
        if len({name for _, _, name in infos}) != len(infos):
            raise Bad("GGF002", "two tensors have the same name")
        start = self.start + self._up(self.pos - self.start)
        self.zeros(self.pos, start if infos else min(start, self.end))
        end = start if infos else self.end if start >= self.end else start
        for offset, size, name in sorted(infos):
            at = start + offset
            if offset % self.alignment or at < end:
                raise Bad("GGF002", f"the tensor {quote(name)} is not aligned, or overlaps another")
            if at + size > self.end:
                raise Bad("GGF002", f"the tensor {quote(name)} ends behind the file")
            self.zeros(end, at)
            end = at + size
        last = min(self.start + self._up(end - self.start), self.end)
        self.zeros(end, last)
        if last < self.end:
            size = self.end - last
            self.context.report(
                "GGF003", f"{size:,} bytes after the last tensor", self.source, offset=last - self.start
            )
            self.context.scan_member(
                self.source.part(last - self.start, size, f"{self.source.name}#{last - self.start}")
            )

    def _up(self, size: int) -> int:
        return -(-size // self.alignment) * self.alignment

    def zeros(self, first: int, last: int) -> None:
        data: Buffer = self.data
        if last - first >= self.alignment or last > self.end or bytes(data[first:last]).strip(b"\0"):
            self.pos = first
            raise Bad("GGF002", "a gap between tensors, or padding that is not zero")
