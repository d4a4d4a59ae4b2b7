"""The abstract unpickler: every opcode acts on kinds of values instead of values; nothing is imported or called.

The frequent opcodes stand in the loop of `run`; the others are functions in `acts` and `literals`. The stack and the
marks are two lists, as in Python's own loader, and behave like the C loader's stack with its marks and fence. Where
a loader would raise an error, the machine may go on: then it follows more than any loader does, never less.

The loop reads across the end of a frame and looks afterwards: `limit` is where the frame (or the data) ends, and an
opcode that ends beyond it is where loaders part, see `frames`.
"""

from __future__ import annotations

from struct import error as StructError
from struct import unpack_from

from probatum.scan.budget import Spent
from probatum.scan.pickle.acts import ACTS, fill_items, fill_list
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.literals import LITERALS
from probatum.scan.pickle.memo import Memo
from probatum.scan.pickle.opcodes import (
    APPEND,
    APPENDS,
    BINFLOAT,
    BINGET,
    BININT,
    BININT1,
    BININT2,
    BINPUT,
    BINUNICODE,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    LONG_BINGET,
    LONG_BINPUT,
    MARK,
    MEMOIZE,
    NEWFALSE,
    NEWTRUE,
    NONE,
    SETITEM,
    SETITEMS,
    SHORT_BINUNICODE,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    TUPLE3,
)
from probatum.scan.pickle.values import KEPT, KEPT_ITEMS, LONG_TUPLE, NUMBER, TEXT, Dict, List

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from probatum.scan.pickle.values import Global, Value
    from probatum.scan.source import Buffer

    class Log(Protocol):
        """Where the machine says what it sees; offsets are those of the buffer."""

        def found(self, rule: str, message: str, offset: int, trace: tuple[str, ...] = ()) -> None: ...
        def carried(self, start: int, size: int, text: bool) -> None: ...
        def asked(self, pid: Value, offset: int) -> None: ...


#: Bytes after which the steps are counted and compared with the budget.
STRETCH = 1 << 16

OTHERS: list[Callable[[Machine], None] | None] = [None] * 256
for _op, _act in {**ACTS, **LITERALS}.items():
    OTHERS[_op] = _act


class Machine:
    """One unpickler. ``run(start, end)`` reads one stream and returns the offset behind its STOP.

    A machine that is run again keeps its memo, as one Unpickler object does. ``origin`` is where the source
    begins in ``data``. ``plain``: read the bytes of joblib's arrays as opcodes, as loaders that are not joblib's do.
    """

    __slots__ = (
        "arrays", "called", "crossed", "data", "end", "frame_at", "framed", "globals", "limit", "log", "memo",
        "metastack", "most", "named", "origin", "pairs", "plain", "pos", "protocol", "reached", "stack", "start",
        "steps",
    )  # fmt: skip

    def __init__(self, data: Buffer, log: Log, origin: int = 0, plain: bool = False) -> None:
        self.data, self.log, self.memo, self.origin, self.plain = data, log, Memo(), origin, plain
        self.globals: dict[tuple[str, str], Global] = {}
        self.steps = 0
        self.pairs = False  # does a check want to know the values of dicts?
        self.most = 0
        self._reset(0, 0)

    def _reset(self, start: int, end: int) -> None:
        self.pos = self.start = self.reached = start
        self.end = self.limit = end
        self.framed = False  # is `limit` the end of a frame?
        self.stack: list[Value] = []
        self.metastack: list[list[Value]] = []
        self.protocol = 0
        self.frame_at = start
        self.crossed: list[tuple[int, int, int]] = []  # opcode, end and begin of a frame, where they cross
        self.arrays = 0  # of joblib, between opcodes
        self.named = self.called = False  # has a global been named; has anything been called or filled?

    @property
    def place(self) -> int:
        """Offset of the present opcode within the source."""
        return self.reached - self.origin

    def run(self, start: int, end: int, most: int) -> int:
        """Read one stream from ``start``, at most ``most`` steps. Raises `Broken` where every loader would stop."""
        self._reset(start, end)
        self.most = self.steps + most
        try:
            return self._loop(most)
        except (IndexError, KeyError, ValueError, StructError, Broken) as error:
            if self.framed and self.pos > self.limit:
                self.cross(self.reached)
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> Broken:
        """The error as every loader would say it."""
        if isinstance(error, Broken):
            return error
        if isinstance(error, IndexError):
            return Broken("data ends" if self.pos >= self.end else "the stack is empty")
        if isinstance(error, KeyError):
            return Broken("a memo index that was never set")
        return Broken(f"cannot read it ({type(error).__name__})")

    def _loop(self, most: int) -> int:
        data, pos, limit, stack, meta = self.data, self.start, self.limit, self.stack, self.metastack
        memo, steps = self.memo, 0
        dense = memo.dense
        at = first = pos
        try:
            while True:
                # A step is counted for each byte on which an opcode may begin, a stretch at a time
                first = pos
                stretch = first + min(STRETCH, most - steps + 1)
                end = limit if limit < stretch else stretch
                while pos < end:
                    at = pos
                    op = data[pos]
                    pos += 1
                    if op >= 0x80:
                        if op == MEMOIZE:
                            if memo.sparse:
                                memo.put(memo.count(), stack[-1])
                            else:
                                dense.append(stack[-1])
                            continue
                        if op == SHORT_BINUNICODE:
                            size = data[pos]
                            pos += 1 + size
                            stack.append(str(data[pos - size : pos], "utf-8", "surrogatepass"))
                            if size > 24:
                                self.log.carried(pos - size, size, True)
                            continue
                        if op == TUPLE2:
                            last = stack.pop()
                            stack[-1] = (stack[-1], last)
                            continue
                        if op == TUPLE3:
                            last = stack.pop()
                            middle = stack.pop()
                            stack[-1] = (stack[-1], middle, last)
                            continue
                        if op == TUPLE1:
                            stack[-1] = (stack[-1],)
                            continue
                        if op == NEWTRUE:
                            stack.append(True)
                            continue
                        if op == NEWFALSE:
                            stack.append(False)
                            continue
                    elif op >= 0x60:
                        if op == BINGET:
                            index = data[pos]
                            stack.append(dense[index] if index < len(dense) else memo.get(index))
                            pos += 1
                            continue
                        if op == BINPUT:
                            if data[pos] == len(dense) and not memo.sparse:
                                dense.append(stack[-1])
                            else:
                                memo.put(data[pos], stack[-1])
                            pos += 1
                            continue
                        if op == LONG_BINGET:
                            stack.append(memo.get(int.from_bytes(data[pos : pos + 4], "little")))
                            pos += 4
                            continue
                        if op == LONG_BINPUT:
                            index = int.from_bytes(data[pos : pos + 4], "little")
                            if index == len(dense) and not memo.sparse:
                                dense.append(stack[-1])
                            else:
                                memo.put(index, stack[-1])
                            pos += 4
                            continue
                        if op == EMPTY_DICT:
                            stack.append(Dict())
                            continue
                        if op == SETITEMS:
                            items, stack = stack, meta.pop()
                            target = stack[-1]
                            if target.__class__ is Dict and not (target.closed or self.pairs or len(items) % 2):
                                target.put(items)
                            else:
                                self.pos, self.stack, self.reached = pos, stack, at
                                fill_items(self, items)
                            continue
                        if op == APPENDS:
                            items, stack = stack, meta.pop()
                            if stack[-1].__class__ is List:
                                stack[-1].length += len(items)
                            else:
                                self.pos, self.stack, self.reached = pos, stack, at
                                fill_list(self, items)
                            continue
                        if op == TUPLE:
                            items, stack = stack, meta.pop()
                            stack.append(tuple(items) if len(items) <= KEPT_ITEMS else LONG_TUPLE)
                            continue
                        if op == APPEND and stack[-2].__class__ is List:
                            stack.pop()
                            stack[-1].length += 1
                            continue
                        if op == SETITEM and stack[-3].__class__ is Dict and not (stack[-3].closed or self.pairs):
                            stack[-3].put(stack[-2:])
                            del stack[-2:]
                            continue
                    elif op == BININT1:
                        stack.append(data[pos])
                        pos += 1
                        continue
                    elif op == BINFLOAT:
                        stack.append(NUMBER)
                        pos += 8
                        continue
                    elif op == BININT:
                        stack.append(unpack_from("<i", data, pos)[0])
                        pos += 4
                        continue
                    elif op == BININT2:
                        stack.append(data[pos] | data[pos + 1] << 8)
                        pos += 2
                        continue
                    elif op == MARK:
                        meta.append(stack)
                        stack = []
                        continue
                    elif op == BINUNICODE:
                        size = int.from_bytes(data[pos : pos + 4], "little")
                        pos += 4 + size
                        text = str(data[pos - size : pos], "utf-8", "surrogatepass") if size <= KEPT else TEXT
                        stack.append(text)
                        if size > 24:
                            self.log.carried(pos - size, size, True)
                        continue
                    elif op == EMPTY_LIST:
                        stack.append(List())
                        continue
                    elif op == NONE:
                        stack.append(None)
                        continue
                    elif op == EMPTY_TUPLE:
                        stack.append(())
                        continue
                    elif op == STOP:
                        stack[-1]  # a loader that finds nothing here raises, as this does
                        self.pos, self.stack, self.reached = pos, stack, at
                        return pos
                    act = OTHERS[op]
                    if act is None:
                        raise Broken(f"0x{op:02x} is no opcode")
                    self.pos, self.stack, self.reached = pos, stack, at
                    act(self)
                    pos, stack, limit = self.pos, self.stack, self.limit
                    end = limit if limit < stretch else stretch
                steps += min(at + 1, stretch) - first
                first = pos
                if steps > most:
                    raise Spent(f"the budget of {most:,} steps is spent")
                if pos >= limit:
                    limit = self._leave_frame(pos, at)
        finally:
            self.pos, self.reached = max(self.pos, pos), at  # an act that raised may have read further
            self.steps += steps + max(0, min(at + 1, self.end) - first)

    def _leave_frame(self, pos: int, at: int) -> int:
        """The next limit, at the end of a frame or of the data."""
        if not self.framed:
            raise Broken("data ends before STOP")
        if pos > self.limit:
            self.cross(at)
        self.framed, self.limit = False, self.end
        return self.end

    def cross(self, at: int) -> None:
        """The opcode at ``at`` reads across the end of its frame: from here, loaders differ."""
        self.crossed.append((at, self.limit, self.frame_at))
        self.log.found("PKL011", "an opcode reads across the end of its frame", at - self.origin)
