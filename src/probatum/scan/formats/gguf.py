"""GGUF: counts, pairs of key and value, the list of tensors, then their data. Chat templates are programs."""

from __future__ import annotations

import math

from probatum.scan.finding import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Buffer, Source

NAME = "gguf"
EXCLUSIVE = True

#: Bytes of the plain types of values: u8 i8 u16 i16 u32 i32 f32 bool; string and array; u64 i64 f64.
PLAIN = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9
#: (elements, bytes) of one block of each type of tensor.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
TEMPLATE = "tokenizer.chat_template"
DEEPEST = 4


class Bad(ValueError):
    """The file does not follow the format; ``args`` are the rule and the sentence."""


def sniff(head: bytes, source: Source) -> bool:
    return head[:4] == b"GGUF"


def scan(source: Source, context: Context) -> None:
    reader = Reader(source, context)
    try:
        reader.read()
    except Bad as bad:
        context.report(bad.args[0], bad.args[1], source, offset=reader.pos - reader.start)


class Reader:
    """A position in the buffer, and what was read so far."""

    def __init__(self, source: Source, context: Context) -> None:
        self.source, self.context = source, context
        self.data, self.start, self.end = source.view()
        self.pos, self.wide, self.alignment = self.start + 4, 8, 32
        self.keys: set[str] = set()

    def number(self, size: int) -> int:
        if self.pos + size > self.end:
            raise Bad("GGF001", "the header is cut off")
        self.pos += size
        return int.from_bytes(self.data[self.pos - size : self.pos], "little")

    def text(self) -> tuple[int, int]:
        """(start, end) of a text."""
        size = self.number(self.wide)
        if size > self.end - self.pos:
            raise Bad("GGF001", f"a text of {size:,} bytes in a file of {self.source.size:,}")
        self.pos += size
        return self.pos - size, self.pos

    def name(self) -> str:
        first, last = self.text()
        if last - first > 1 << 16:
            raise Bad("GGF001", "a name longer than 64 KiB")
        try:
            return bytes(self.data[first:last]).decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("GGF001", "a name that is no UTF-8") from None

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

    def value(self, kind: int, depth: int) -> None:
        if kind in PLAIN:
            if self.pos + PLAIN[kind] > self.end:
                raise Bad("GGF001", "the header is cut off")
            self.pos += PLAIN[kind]
        elif kind == STRING:
            self.text()
        elif kind == ARRAY and depth < DEEPEST:
            inner, count = self.number(4), self.number(self.wide)
            size = PLAIN.get(inner, self.wide)
            if count * size > self.end - self.pos:
                raise Bad("GGF001", f"an array of {count:,} in a file of {self.source.size:,} bytes")
            self.context.budget.spend_steps(1 if inner in PLAIN else count)
            if inner in PLAIN:
                self.pos += count * size
                return
            for _ in range(count):
                self.value(inner, depth + 1)
        else:
            raise Bad("GGF001", f"a value of the unknown type {kind}, or nested too deeply")

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
