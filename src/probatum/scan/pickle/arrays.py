"""Arrays between opcodes: joblib's loader reads them from the file when their wrapper has got its state.

The bytes of an array of numbers are stepped over, exactly as many as the wrapper says; an array of objects is a pickle
of its own. A loader that is not joblib's goes on with the next opcode in these bytes: that view is read as well,
see `streams`.
"""

from __future__ import annotations

from probatum.scan.pickle.allow import ALLOWED
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.values import Made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.allow.joblib_ import Array
    from probatum.scan.pickle.machine import Machine

#: What stands in the place of the wrapper afterwards: an array, on which nothing may be called.
READ = ALLOWED["numpy", "ndarray"]


def read_array(m: Machine, array: Array) -> None:
    """Step over the bytes behind the wrapper on top of the stack, or run the pickle that stands there."""
    m.arrays += 1
    if m.plain:
        return
    if m.framed:
        if m.pos != m.limit:
            m.log.found("PKL011", "a frame goes on where the bytes of an array begin", m.place)
            raise Broken("the bytes of an array inside a frame")
        m.framed, m.limit = False, m.end
    if array.size < 0:
        _objects(m)
    else:
        if array.aligned:
            m.pos += 1 + m.data[m.pos]
        if m.pos + array.size > m.end:
            raise Broken("data ends inside an array")
        if array.size > 24:
            m.log.carried(m.pos, array.size, False)
        m.pos += array.size
    m.stack[-1] = Made(READ)


def _objects(m: Machine) -> None:
    """A pickle inside the pickle, read by an unpickler of its own; its STOP ends it."""
    inner = type(m)(m.data, m.log, m.origin, plain=True)
    try:
        m.pos = inner.run(m.pos, m.end, m.most - m.steps)
    finally:
        m.steps += inner.steps
        m.named, m.called = m.named or inner.named, m.called or inner.called
        m.memo.largest = max(m.memo.largest, inner.memo.largest)
    if inner.crossed or (inner.framed and inner.pos < inner.limit):
        raise Broken("an array of objects whose frames do not end with it")
