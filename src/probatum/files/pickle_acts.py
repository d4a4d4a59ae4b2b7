"""What each opcode does to the records on the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from probatum.files.pickle_records import Asked, Call, Name, Pairs, Unread
from probatum.scan.pickle import opcodes as op
from probatum.scan.pickle.names import renamed
from probatum.scan.pickle.numbers import NoNumber, floating, integer, memo_key

if TYPE_CHECKING:
    from probatum.files.pickle_tree import Reader

Act = Callable[["Reader"], Any]


def _push(make: Callable[[Reader], Any]) -> Act:
    def act(r: Reader) -> None:
        value = make(r)  # may change the stack itself
        r.stack.append(value)

    return act


def _text(width: int) -> Act:
    return _push(lambda r: r.counted(width).decode("utf-8", "surrogatepass"))


def _mark(r: Reader) -> None:
    r.marks.append(r.stack)
    r.stack = []


def _pop(r: Reader) -> None:
    if r.stack:
        r.stack.pop()
    else:
        r.stack = r.marks.pop()


def _tuple(count: int) -> Act:
    def act(r: Reader) -> None:
        items = tuple(r.stack[-count:])
        if len(items) < count:
            raise IndexError("the stack is empty")
        r.stack[-count:] = [items]

    return act


def _set_items(target: Any, items: list[Any]) -> None:
    target.items += list(zip(items[::2], items[1::2], strict=True))


def _old_string(r: Reader) -> Any:
    raw = r.line().strip()[1:-1]
    return Unread("a Python 2 text") if b"\\" in raw else raw.decode("ascii")


def _above_mark(r: Reader) -> list[Any]:
    return r.above_mark()


def _frozen(r: Reader) -> Any:
    r.above_mark()
    return Unread("a set")


def _make_dict(r: Reader) -> None:
    made, items = Pairs(), r.above_mark()
    _set_items(made, items)
    r.stack.append(made)


def _set_item(r: Reader) -> None:
    items = r.stack[-2:]
    del r.stack[-2:]
    _set_items(r.stack[-1], items)


def _many_items(r: Reader) -> None:
    items = r.above_mark()
    _set_items(r.stack[-1], items)


def _append(r: Reader) -> None:
    item = r.stack.pop()
    _extend(r.stack[-1], [item])


def _appends(r: Reader) -> None:
    items = r.above_mark()
    _extend(r.stack[-1], items)


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target += items
    else:
        target.appended += items


def _named(r: Reader, module: str, name: str) -> Name:
    return Name(*renamed(module, name, r.protocol))


def _stack_global(r: Reader) -> None:
    name, module = r.stack.pop(), r.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError("a name that is no text")
    r.stack.append(_named(r, module, name))


def _reduce(r: Reader) -> None:
    args = r.stack.pop()
    r.stack[-1] = Call(r.stack[-1], args)


def _reduce_ex(r: Reader) -> None:
    r.stack.pop()  # keyword arguments: the scanner lets pass none
    _reduce(r)


def _inst(r: Reader) -> None:
    callee = _named(r, r.line().decode(), r.line().decode())
    r.stack.append(Call(callee, tuple(r.above_mark())))


def _obj(r: Reader) -> None:
    items = r.above_mark()
    r.stack.append(Call(items[0], tuple(items[1:])))


def _build(r: Reader) -> None:
    state = r.stack.pop()
    if isinstance(r.stack[-1], Call):
        r.stack[-1].state = state


def _protocol(r: Reader) -> None:
    r.protocol = r.take(1)[0]


def _put(key: Callable[[Reader], int]) -> Act:
    def act(r: Reader) -> None:
        r.memo[key(r)] = r.stack[-1]

    return act


def _ask(r: Reader) -> None:
    r.stack[-1] = Asked(r.stack[-1])


def _value(read: Callable[..., tuple[Any, bool]], **options: bool) -> Act:
    """A number as text; one whose value the scanner does not know is not looked at here either."""

    def make(r: Reader) -> Any:
        try:
            value = read(r.line(), **options)[0]
        except NoNumber as error:
            raise ValueError("not a number") from error
        return value if isinstance(value, int) else Unread("a number")

    return _push(make)


ACTS: dict[int, Act] = {
    op.MARK: _mark, op.POP: _pop, op.POP_MARK: _above_mark, op.DUP: _push(lambda r: r.stack[-1]),
    op.NONE: _push(lambda r: None), op.NEWTRUE: _push(lambda r: True), op.NEWFALSE: _push(lambda r: False),
    op.BININT: _push(lambda r: r.number("<i", 4)), op.BININT1: _push(lambda r: r.take(1)[0]),
    op.BININT2: _push(lambda r: r.number("<H", 2)), op.BINFLOAT: _push(lambda r: r.number(">d", 8)),
    op.LONG1: _push(lambda r: int.from_bytes(r.counted(1), "little", signed=True)),
    op.LONG4: _push(lambda r: int.from_bytes(r.counted(4), "little", signed=True)),
    op.INT: _value(integer), op.LONG: _value(integer, truth=False), op.FLOAT: _value(floating),
    op.BINUNICODE: _text(4), op.SHORT_BINUNICODE: _text(1), op.BINUNICODE8: _text(8),
    op.UNICODE: _push(lambda r: r.line().decode("raw-unicode-escape")),
    op.STRING: _push(_old_string), op.BINSTRING: _push(lambda r: r.counted(4).decode("ascii")),
    op.SHORT_BINSTRING: _push(lambda r: r.counted(1).decode("ascii")),
    op.BINBYTES: _push(lambda r: r.counted(4)), op.SHORT_BINBYTES: _push(lambda r: r.counted(1)),
    op.BINBYTES8: _push(lambda r: r.counted(8)), op.BYTEARRAY8: _push(lambda r: r.counted(8)),
    op.EMPTY_LIST: _push(lambda r: []), op.EMPTY_TUPLE: _push(lambda r: ()), op.EMPTY_DICT: _push(lambda r: Pairs()),
    op.EMPTY_SET: _push(lambda r: Unread("a set")), op.FROZENSET: _push(_frozen), op.ADDITEMS: _above_mark,
    op.LIST: _push(_above_mark), op.TUPLE: _push(lambda r: tuple(r.above_mark())),
    op.TUPLE1: _tuple(1), op.TUPLE2: _tuple(2), op.TUPLE3: _tuple(3),
    op.DICT: _make_dict, op.SETITEM: _set_item, op.SETITEMS: _many_items, op.APPEND: _append, op.APPENDS: _appends,
    op.GLOBAL: _push(lambda r: _named(r, r.line().decode(), r.line().decode())), op.STACK_GLOBAL: _stack_global,
    op.REDUCE: _reduce, op.NEWOBJ: _reduce, op.NEWOBJ_EX: _reduce_ex, op.INST: _inst, op.OBJ: _obj, op.BUILD: _build,
    op.PROTO: _protocol, op.FRAME: lambda r: r.take(8), op.BINPERSID: _ask,
    op.PERSID: _push(lambda r: Asked(r.line().decode("ascii"))),
    op.PUT: _put(lambda r: memo_key(r.line())), op.BINPUT: _put(lambda r: r.take(1)[0]),
    op.LONG_BINPUT: _put(lambda r: r.number("<I", 4)), op.MEMOIZE: _put(lambda r: len(r.memo)),
    op.GET: _push(lambda r: r.memo[memo_key(r.line())]), op.BINGET: _push(lambda r: r.memo[r.take(1)[0]]),
    op.LONG_BINGET: _push(lambda r: r.memo[r.number("<I", 4)]),
}  # fmt: skip
