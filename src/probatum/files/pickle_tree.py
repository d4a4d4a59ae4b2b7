"""What a pickle describes, as a tree of plain records: which function is named with which arguments. Nothing is run.

The scanner's machine keeps only the kind of a value, so that a scan costs nothing; here every value is kept. This
reader is for streams that the scanner has proved inert: there no two loaders differ, so one reading is enough, and
what it cannot read is an error of the file.
"""

from __future__ import annotations

from struct import error as StructError
from struct import unpack_from
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.pickle_acts import ACTS
from probatum.scan.pickle.opcodes import STOP

#: Most opcodes that are read: a checkpoint needs about sixty for each tensor.
MOST_STEPS = 20_000_000
#: Largest stream. Tensors lie outside of it, so that a large one holds something else.
LARGEST = 256 << 20


def read_tree(data: Any, start: int, end: int, where: str) -> tuple[Any, int]:
    """The object that the stream from ``start`` describes, and the offset behind its STOP.

    Parameters
    ----------
    data
        Bytes, or a map of a file.
    where
        Name of the stream, for the sentence of an error.

    Raises
    ------
    BadInput
        If the stream breaks off, is no pickle, or is larger than any checkpoint needs.
    """
    reader = Reader(data, start, end)
    try:
        return reader.run(), reader.pos
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, StructError, RecursionError) as error:
        raise BadInput(f"{where}: cannot be read at byte {reader.pos - start:,} ({type(error).__name__})") from error
    except _TooMuch as error:
        raise BadInput(f"{where}: {error}; it holds more than tensors, so convert refuses it") from error


class _TooMuch(Exception):
    pass


class Reader:
    """One stream on its way: position, stack, marks, memo. What the opcodes do stands in `pickle_acts`."""

    def __init__(self, data: Any, start: int, end: int):
        self.data, self.pos, self.start, self.end = data, start, start, end
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.protocol = 0

    def run(self) -> Any:
        """The object on the stack at STOP."""
        data = self.data
        for _ in range(MOST_STEPS):
            code = data[self.pos]
            self.pos += 1
            if code == STOP:
                return self.stack[-1]
            ACTS[code](self)
            if self.pos > self.end:
                raise IndexError("the stream ends")
            if self.pos - self.start > LARGEST:
                raise _TooMuch(f"the pickle is longer than {LARGEST >> 20} MiB")
        raise _TooMuch(f"the pickle has more than {MOST_STEPS:,} opcodes")

    def take(self, size: int) -> bytes:
        self.pos += size
        return bytes(self.data[self.pos - size : self.pos])

    def number(self, code: str, size: int) -> Any:
        return unpack_from(code, self.take(size))[0]

    def line(self) -> bytes:
        stop = self.data.find(b"\n", self.pos, self.end)
        if stop < 0:
            raise IndexError("the stream ends")
        out = bytes(self.data[self.pos : stop])
        self.pos = stop + 1
        return out

    def counted(self, width: int) -> bytes:
        size = int.from_bytes(self.take(width), "little")
        if size > self.end - self.pos:
            raise IndexError("the stream ends")
        return self.take(size)

    def above_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items
