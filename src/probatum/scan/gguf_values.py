"""Values of GGUF: numbers, texts and arrays, read from a buffer with every length checked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

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
DEEPEST = 4


class Bad(ValueError):
    """The file does not follow the format; ``args`` are the rule and the sentence."""


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
