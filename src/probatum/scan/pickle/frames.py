"""The second view of a stream whose frames lie: that of the C loader on a file.

A C loader that reads a file keeps the frame in a buffer. An argument that does not fit into what is left of it is
read from the file behind the frame, and the rest of the frame is dropped (bytes are the exception: they are copied
across). To see what such a loader sees, the dropped bytes are cut out, the FRAME that caused it is blanked, and the
stream is read again.
"""

from __future__ import annotations

from probatum.scan.pickle.opcodes import BININT1, COUNTED, FIXED, LINES, POP, STRADDLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.source import Buffer

#: Nine bytes that do nothing, in place of FRAME and its length.
BLANK = bytes([BININT1, 0, POP]) * 3
#: Largest stream that is copied for this view.
LARGEST = 64 << 20


def first_dropped(data: Buffer, at: int, frame_end: int) -> int | None:
    """Where the bytes begin that the loader drops, for the opcode at ``at``; None if it drops none."""
    op, pos = data[at], at + 1
    if op in COUNTED:
        if pos + COUNTED[op] > frame_end:
            return pos
        return None if op in STRADDLES else pos + COUNTED[op]
    if op in FIXED:
        return pos
    for _ in range(LINES.get(op, 0)):
        line_end = data.find(b"\n", pos)
        if line_end < 0 or line_end >= frame_end:
            return pos
        pos = line_end + 1
    return None


def without_dropped(data: Buffer, start: int, end: int, crossed: tuple[int, int, int]) -> bytes | None:
    """The stream as the C loader on a file reads it past the first crossing; None if it is the same or too large."""
    at, frame_end, frame_at = crossed
    cut = first_dropped(data, at, frame_end)
    if cut is None or cut >= frame_end or end - start > LARGEST:
        return None
    return data[start:frame_at] + BLANK + data[frame_at + 9 : cut] + data[frame_end:end]
