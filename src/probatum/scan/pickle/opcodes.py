"""The 68 opcodes and the layout of their arguments.

Protocols 0 to 5 as `pickle` of Python 3.8 and later has them; checked against `pickletools` by a test.
"""

from __future__ import annotations

MARK, STOP, POP, POP_MARK, DUP = b"(.012"
FLOAT, INT, BININT, BININT1, LONG, BININT2, NONE = b"FIJKLMN"
PERSID, BINPERSID, REDUCE, STRING, BINSTRING, SHORT_BINSTRING = b"PQRSTU"
UNICODE, BINUNICODE, APPEND, BUILD, GLOBAL, DICT, EMPTY_DICT, APPENDS = b"VXabcd}e"
GET, BINGET, INST, LONG_BINGET, LIST, EMPTY_LIST, OBJ = b"ghijl]o"
PUT, BINPUT, LONG_BINPUT, SETITEM, TUPLE, EMPTY_TUPLE, SETITEMS, BINFLOAT = b"pqrst)uG"
PROTO, NEWOBJ, EXT1, EXT2, EXT4, TUPLE1, TUPLE2, TUPLE3 = range(0x80, 0x88)
NEWTRUE, NEWFALSE, LONG1, LONG4 = range(0x88, 0x8C)
BINBYTES, SHORT_BINBYTES = b"BC"
SHORT_BINUNICODE, BINUNICODE8, BINBYTES8, EMPTY_SET, ADDITEMS, FROZENSET = range(0x8C, 0x92)
NEWOBJ_EX, STACK_GLOBAL, MEMOIZE, FRAME = range(0x92, 0x96)
BYTEARRAY8, NEXT_BUFFER, READONLY_BUFFER = range(0x96, 0x99)

NAMES = {value: name for name, value in list(globals().items()) if name.isupper() and isinstance(value, int)}

#: Opcodes with a count of this many bytes and then so many bytes of content.
COUNTED = {
    BINSTRING: 4, SHORT_BINSTRING: 1, BINUNICODE: 4, SHORT_BINUNICODE: 1, BINUNICODE8: 8, LONG1: 1, LONG4: 4,
    BINBYTES: 4, SHORT_BINBYTES: 1, BINBYTES8: 8, BYTEARRAY8: 8,
}  # fmt: skip
#: Opcodes with so many bytes of argument.
FIXED = {
    BININT: 4, BININT1: 1, BININT2: 2, BINFLOAT: 8, BINGET: 1, LONG_BINGET: 4, BINPUT: 1, LONG_BINPUT: 4,
    PROTO: 1, EXT1: 1, EXT2: 2, EXT4: 4, FRAME: 8,
}  # fmt: skip
#: Opcodes with so many lines of argument.
LINES = {
    FLOAT: 1, INT: 1, LONG: 1, PERSID: 1, STRING: 1, UNICODE: 1, GLOBAL: 2, GET: 1, INST: 2, PUT: 1,
}  # fmt: skip
#: Contents that the C loader copies across the end of a frame instead of dropping what is left of it.
STRADDLES = {BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8}
