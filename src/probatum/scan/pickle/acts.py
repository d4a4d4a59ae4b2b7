"""Opcodes of the stack, the containers, the memo and the framing, apart from the frequent ones in the loop."""

from __future__ import annotations

from struct import unpack_from

from probatum.scan.pickle import opcodes as op
from probatum.scan.pickle.calls import CALLS
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.lines import read_line
from probatum.scan.pickle.numbers import NoNumber, memo_key
from probatum.scan.pickle.values import (
    BUFFER,
    FROZENSET,
    PERSISTENT,
    SET,
    UNKNOWN_LENGTH,
    Dict,
    Global,
    List,
    Made,
    describe,
    is_plain,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.machine import Machine
    from probatum.scan.pickle.values import Value


def pop(m: Machine) -> None:
    """Drop the top; over a mark with nothing on it, drop the mark."""
    if m.stack:
        m.stack.pop()
    else:
        m.stack = m.metastack.pop()


def pop_mark(m: Machine) -> list[Value]:
    """What lies above the last mark; the stack is then the one below it."""
    items, m.stack = m.stack, m.metastack.pop()
    return items


def drop_mark(m: Machine) -> None:
    pop_mark(m)


def dup(m: Machine) -> None:
    m.stack.append(m.stack[-1])


def fill(m: Machine, how: str, opcode: str) -> None:
    """A method call on the top of the stack: harmless on builtin containers and on what the allow-list says."""
    target = m.stack[-1]
    if is_plain(target) or (isinstance(target, Made) and how in target.entry.fills):
        return
    m.called = True
    rule = "PKL018" if isinstance(target, Global) else "PKL008"
    m.log.found(rule, f"{opcode} calls a method of {describe(target)}", m.place, (f"{opcode} at {m.place}",))


def fill_list(m: Machine, items: list[Value]) -> None:
    fill(m, "append", "APPENDS")


def fill_items(m: Machine, items: list[Value]) -> None:
    """Keys and values in turn. Python's loader sets the pairs before it misses the value of an odd last key."""
    target = m.stack[-1]
    if target.__class__ is List:
        target.length = UNKNOWN_LENGTH
    elif target.__class__ is not Dict:
        fill(m, "item", "SETITEMS")
    else:
        if target.closed:
            m.log.found("PKL007", "fills a dict that a dtype already uses", m.place)
        if m.pairs:
            target.put_pairs(items)
        target.put(items)
    if len(items) % 2:
        raise Broken("an odd number of items for a dict")


def append(m: Machine) -> None:
    m.stack.pop()
    fill(m, "append", "APPEND")


def set_item(m: Machine) -> None:
    items = m.stack[-2:]
    del m.stack[-2:]
    fill_items(m, items)


def add_items(m: Machine) -> None:
    pop_mark(m)
    fill(m, "add", "ADDITEMS")


def make_list(m: Machine) -> None:
    items = pop_mark(m)
    m.stack.append(List(len(items)))


def make_dict(m: Machine) -> None:
    items = pop_mark(m)
    m.stack.append(Dict())
    fill_items(m, items)


def empty_set(m: Machine) -> None:
    m.stack.append(SET)


def make_frozenset(m: Machine) -> None:
    pop_mark(m)
    m.stack.append(FROZENSET)


def _key(m: Machine) -> int:
    try:
        return memo_key(read_line(m))
    except NoNumber:
        raise Broken("a memo index that is no number") from None


def get(m: Machine) -> None:
    m.stack.append(m.memo.get(_key(m)))


def put(m: Machine) -> None:
    m.memo.put(_key(m), m.stack[-1])


def proto(m: Machine) -> None:
    m.protocol = m.data[m.pos]
    m.pos += 1
    if m.protocol > 5:
        raise Broken(f"protocol {m.protocol} is not known")


def frame(m: Machine) -> None:
    """Begin a frame. A frame inside another, or one that the data cannot fill, is read by some loaders only."""
    size = unpack_from("<Q", m.data, m.pos)[0]
    m.pos += 8
    if m.framed and m.pos < m.limit:
        m.log.found("PKL011", "a frame begins inside another", m.place)
    elif m.framed and m.pos > m.limit:
        m.cross(m.reached)
    m.framed, m.limit, m.frame_at = True, m.pos + size, m.reached
    if m.limit > m.end:
        m.log.found("PKL013", "a frame is longer than the data", m.place)
        m.framed, m.limit = False, m.end


def persistent_text(m: Machine) -> None:
    m.log.asked(read_line(m).decode("ascii", "replace"), m.place)
    m.stack.append(PERSISTENT)


def persistent(m: Machine) -> None:
    m.log.asked(m.stack[-1], m.place)
    m.stack[-1] = PERSISTENT


def next_buffer(m: Machine) -> None:
    m.log.found("PKL017", "takes a buffer from its loader", m.place)
    m.stack.append(BUFFER)


def readonly(m: Machine) -> None:
    m.stack[-1]  # a view of what lies there; an object without a buffer is an error in every loader


ACTS = {
    op.POP: pop, op.POP_MARK: drop_mark, op.DUP: dup, op.APPEND: append, op.SETITEM: set_item, op.ADDITEMS: add_items,
    op.LIST: make_list, op.DICT: make_dict, op.EMPTY_SET: empty_set, op.FROZENSET: make_frozenset, op.GET: get,
    op.PUT: put, op.PROTO: proto, op.FRAME: frame, op.PERSID: persistent_text, op.BINPERSID: persistent,
    op.NEXT_BUFFER: next_buffer, op.READONLY_BUFFER: readonly, **CALLS,
}  # fmt: skip
