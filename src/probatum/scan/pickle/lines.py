"""Arguments that end with a line feed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.machine import Machine


def read_line(m: Machine) -> bytes:
    """The line at the present position, without its end.

    Where the data has no further line feed the C loader stops, but Python's takes what is left without its last
    byte; so does this, and the run ends after the opcode because the data does.
    """
    end = m.data.find(b"\n", m.pos, m.end)
    if end < 0:
        line = m.data[m.pos : max(m.pos, m.end - 1)]
        m.pos = m.end
        return line
    line = m.data[m.pos : end]
    m.pos = end + 1
    return line
