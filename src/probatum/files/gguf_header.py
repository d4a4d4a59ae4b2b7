"""The header of a GGUF file: keys with values, then name, shape, type and place of every tensor.

Format: ggml/docs/gguf.md of ggml-org/llama.cpp, versions 1 to 3, little endian. Dimensions stand the wrong way round.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.quant.gguf_blocks import TYPES
from probatum.scan.gguf_values import ARRAY, BLOCKS, DEEPEST, STRING

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
KEPT = 4096  #: numbers of an array that are kept; longer ones are vocabularies


class Header:
    """A position in the header of one file; every length is checked against the file before it is believed."""

    def __init__(self, file: Path):
        self.file, self.pos, self.wide = file, 4, "Q"
        self.size = file.stat().st_size

    def read(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """(values by key, entries of tensors by their names in the file), with places counted from its start."""
        if self.size < 24:
            raise BadInput(f"{self.file}: is truncated or no GGUF ({self.size} bytes); copy it again")
        with self.file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as self.data:
            if self.data[:4] != b"GGUF" or (version := self._take("I")) not in (1, 2, 3):
                raise BadInput(f"{self.file}: is no GGUF of version 1, 2 or 3 in little endian")
            self.wide = "I" if version == 1 else "Q"
            tensors, pairs = self._take(self.wide), self._take(self.wide)
            if tensors * 20 + pairs * 9 > self.size:
                raise self._cut(f"{tensors:,} tensors and {pairs:,} keys do not go into {self.size:,} bytes")
            values = {self._text(): self._value(self._take("I"), 0) for _ in range(pairs)}
            entries = dict(self._tensor() for _ in range(tensors))
        if len(entries) < tensors:
            raise BadInput(f"{self.file}: two tensors have one name")
        step = values.get("general.alignment", 32)
        if type(step) is not int or not 0 < step <= 1 << 20:
            raise BadInput(f"{self.file}: has an alignment that is none: {step!r:.40}")
        start = -(-self.pos // step) * step
        for name, entry in entries.items():
            begin, end = (start + n for n in entry["data_offsets"])
            if end > self.size:
                raise self._cut(f"{self.size:,} bytes here, {name} ends at {end:,}")
            entry["data_offsets"] = [begin, end]
        return values, entries

    def _cut(self, why: str) -> BadInput:
        return BadInput(f"{self.file}: is truncated or damaged: {why}; copy it again")

    def _take(self, kind: str) -> Any:
        size = struct.calcsize("<" + kind)
        if self.pos + size > self.size:
            raise self._cut("the header ends in the middle")
        self.pos += size
        return struct.unpack_from("<" + kind, self.data, self.pos - size)[0]

    def _text(self) -> str:
        size = self._take(self.wide)
        if size > self.size - self.pos:
            raise self._cut(f"a text of {size:,} bytes")
        self.pos += size
        return self.data[self.pos - size : self.pos].decode("utf-8", "replace")

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _NUMBERS:
            return self._take(_NUMBERS[kind])
        if kind == STRING:
            return self._text()
        if kind != ARRAY or depth >= DEEPEST:
            raise BadInput(f"{self.file}: holds a value of the unknown type {kind}")
        inner, count = self._take("I"), self._take(self.wide)
        size = struct.calcsize("<" + _NUMBERS.get(inner, self.wide))
        if count * size > self.size - self.pos:
            raise self._cut(f"an array of {count:,}")
        if inner not in _NUMBERS:
            for _ in range(count):  # texts of a vocabulary are passed over
                self._value(inner, depth + 1)
            return None
        self.pos += count * size
        return list(struct.unpack_from(f"<{count}{_NUMBERS[inner]}", self.data, self.pos - count * size)) if (
            count <= KEPT
        ) else None  # fmt: skip

    def _tensor(self) -> tuple[str, dict[str, Any]]:
        name, dims = self._text(), self._take("I")
        if dims > 8:
            raise BadInput(f"{self.file}: {name[:80]} has {dims} dimensions")
        shape = [self._take(self.wide) for _ in range(dims)][::-1]
        kind, offset = self._take("I"), self._take("Q")
        each, size = BLOCKS.get(kind, (1, 0))
        if math.prod(shape) >= 1 << 60 or (shape and shape[-1] % each):
            raise BadInput(f"{self.file}: {name[:80]} has a shape that its type does not allow: {shape[:8]}")
        span = math.prod(shape) // each * size
        return name, {"dtype": TYPES.get(kind, f"type {kind}"), "shape": shape, "data_offsets": [offset, offset + span]}
