"""Opcodes that push a number, a text or bytes, apart from the frequent ones in the loop."""

from __future__ import annotations

import codecs
from struct import unpack_from

from probatum.scan.pickle import opcodes as op
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.lines import read_line
from probatum.scan.pickle.numbers import NoNumber, floating, integer
from probatum.scan.pickle.values import BYTEARRAY, BYTES, KEPT, NUMBER, TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from probatum.scan.pickle.machine import Machine
    from probatum.scan.pickle.values import Value


def _number(m: Machine, read: Callable[[bytes], tuple[Value, bool]]) -> None:
    try:
        value, agreed = read(read_line(m))
    except NoNumber:
        raise Broken("a number that no loader reads") from None
    if not agreed:
        m.log.found("PKL012", "a number that loaders read differently", m.place)
    m.stack.append(value)


def integer_line(m: Machine) -> None:
    _number(m, integer)


def long_line(m: Machine) -> None:
    _number(m, lambda line: integer(line, truth=False))


def float_line(m: Machine) -> None:
    _number(m, floating)


def _counted(m: Machine, code: str) -> tuple[int, int]:
    """(start, size) of a counted argument; the position moves behind it."""
    size = unpack_from(code, m.data, m.pos)[0]
    start = m.pos + {"B": 1, "I": 4, "i": 4, "Q": 8}[code[1]]
    if size < 0:
        raise Broken("a negative count")
    m.pos = start + size
    return start, size


def _long(m: Machine, code: str) -> None:
    start, size = _counted(m, code)
    m.stack.append(int.from_bytes(m.data[start : start + size], "little", signed=True) if size <= 16 else NUMBER)


def _old_text(m: Machine, raw: bytes, size: int) -> None:
    """A Python 2 string: text or bytes, as the caller of the loader chose; ASCII is the same in all encodings."""
    if not raw.isascii():
        m.log.found("PKL012", "a Python 2 string outside ASCII, which only some encodings read", m.place)
        m.stack.append(TEXT)
    else:
        m.stack.append(raw.decode("ascii") if size <= KEPT else TEXT)


def string_line(m: Machine) -> None:
    start = m.pos
    raw = read_line(m).rstrip()
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in b"'\"":
        raise Broken("a string without quotes")
    raw = raw[1:-1]
    if b"\\" in raw:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                raw = codecs.escape_decode(raw)[0]
            except ValueError:
                raise Broken("a string with a wrong escape") from None
    m.log.carried(start + 1, len(raw), True)
    _old_text(m, raw, len(raw))


def _old_string(m: Machine, code: str) -> None:
    start, size = _counted(m, code)
    m.log.carried(start, size, False)
    _old_text(m, m.data[start : start + min(size, 1 << 16)], size)


def unicode_line(m: Machine) -> None:
    start = m.pos
    raw = read_line(m)
    m.log.carried(start, len(raw), True)
    m.stack.append(raw.decode("raw-unicode-escape") if len(raw) <= KEPT else TEXT)


def unicode8(m: Machine) -> None:
    start, size = _counted(m, "<Q")
    m.log.carried(start, size, True)
    text = TEXT if size > KEPT else str(m.data[start : start + size], "utf-8", "surrogatepass")
    m.stack.append(text)


def _bytes(m: Machine, code: str) -> None:
    start, size = _counted(m, code)
    m.log.carried(start, size, False)
    m.stack.append(m.data[start : start + size] if size <= KEPT else BYTES)


def bytearray8(m: Machine) -> None:
    start, size = _counted(m, "<Q")
    m.log.carried(start, size, False)
    m.stack.append(BYTEARRAY)


LITERALS: dict[int, Callable[[Machine], None]] = {
    op.INT: integer_line, op.LONG: long_line, op.FLOAT: float_line, op.STRING: string_line,
    op.UNICODE: unicode_line, op.BINUNICODE8: unicode8, op.BYTEARRAY8: bytearray8,
    op.LONG1: lambda m: _long(m, "<B"), op.LONG4: lambda m: _long(m, "<i"),
    op.BINSTRING: lambda m: _old_string(m, "<i"), op.SHORT_BINSTRING: lambda m: _old_string(m, "<B"),
    op.BINBYTES: lambda m: _bytes(m, "<I"), op.SHORT_BINBYTES: lambda m: _bytes(m, "<B"),
    op.BINBYTES8: lambda m: _bytes(m, "<Q"),
}  # fmt: skip
