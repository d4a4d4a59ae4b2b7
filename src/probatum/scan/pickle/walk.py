"""Step over opcodes without running them; only for streams that the machine has read before."""

from __future__ import annotations

from probatum.scan.pickle.opcodes import BINUNICODE, COUNTED, FIXED, LINES, SHORT_BINUNICODE, STOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.source import Buffer


def walk(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(opcode, start and end of its content) up to STOP."""
    pos = start
    while pos < end:
        op, at = data[pos], pos + 1
        if op in COUNTED:
            at += COUNTED[op]
            pos = at + int.from_bytes(data[at - COUNTED[op] : at], "little")
        else:
            pos = at + FIXED.get(op, 0)
            for _ in range(LINES.get(op, 0)):
                pos = data.find(b"\n", pos, end) + 1 or end
        yield op, at, pos
        if op == STOP:
            return


def texts(data: Buffer, start: int, end: int) -> list[str]:
    """The texts of a stream in order: the keys of a legacy checkpoint."""
    kinds = (BINUNICODE, SHORT_BINUNICODE)
    return [str(data[a:b], "utf-8", "replace") for op, a, b in walk(data, start, end) if op in kinds]
