"""Streams that get past scanners, one generator per bypass class. Their commands are harmless: they would print.

Every entry is (name, bytes, worst verdict that is too good). Built from opcodes, so that no live payload is stored.
"""

from __future__ import annotations

import base64
import io
import pickle
import struct
import zipfile

UNKNOWN, DANGER = "executes unknown code", "dangerous"


def text(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def unicode4(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def frame(size: int) -> bytes:
    return b"\x95" + struct.pack("<Q", size)


def stack_global(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


#: Calls print("x") when it is loaded: outside the allow-list, and harmless.
CALL = b"cbuiltins\nprint\n(X\x01\x00\x00\x00xtR."
#: The same of a name on the list of dangers.
EVAL = b"cbuiltins\neval\n(X\x01\x00\x00\x001tR."


def computed_names() -> list[tuple[str, bytes, str]]:
    """Classes 1 and 2: names by way of the memo, the stack or calls."""
    head = b"\x80\x04"
    joined = text("") + text("e") + b"0" + b"]" + text("val") + b"a"
    return [
        ("memo", head + text("builtins") + b"\x940" + text("eval") + b"\x940h\x00h\x01\x93(K\x01tR.", DANGER),
        ("overwritten memo", head + text("math") + b"q\x050" + text("builtins") + b"q\x050h\x05" + text("eval")
         + b"\x93(K\x01tR.", DANGER),
        ("dup and pop", head + text("builtins") + text("x") + b"20" + b"0" + text("eval") + b"\x93(K\x01tR.", DANGER),
        ("pop mark", head + text("builtins") + b"(" + text("floor") + b"1" + text("eval") + b"\x93(K\x01tR.", DANGER),
        ("pop of a mark", head + text("builtins") + b"(0" + text("eval") + b"\x93(K\x01tR.", DANGER),
        ("sparse memo", head + text("builtins") + b"r\x00\x10\x00\x000" + text("eval") + b"\x940j\x00\x10\x00\x00"
         + b"h\x01\x93(K\x01tR.", DANGER),
        ("joined name", head + text("builtins") + stack_global("builtins", "str") + joined + b"\x86R\x93.", UNKNOWN),
        ("computed name", head + text("builtins") + stack_global("operator", "add") + text("ev") + text("al")
         + b"\x86R\x93K\x01\x85R.", DANGER),
        ("import_module", b"cimportlib\nimport_module\n(X\x04\x00\x00\x00mathtR.", DANGER),
        ("resolve_name", b"cpkgutil\nresolve_name\n(X\x04\x00\x00\x00mathtR.", DANGER),
    ]  # fmt: skip


def planted() -> list[tuple[str, bytes, str]]:
    """Class 3: BUILD, SETITEM and APPEND on globals and results."""
    return [
        ("build on a function", b"\x80\x02cnumpy\ndtype\n}X\x01\x00\x00\x00xK\x01sb.", DANGER),
        ("build on a result", b"\x80\x02ccollections\nOrderedDict\n)R}X\x09\x00\x00\x00__class__K\x01sb.", UNKNOWN),
        ("slot state", b"\x80\x02ccollections\nOrderedDict\n)RN}X\x01\x00\x00\x00xK\x01s\x86b.", UNKNOWN),
        ("setitem on a global", b"\x80\x04" + stack_global("sys", "modules") + text("x") + b"K\x01s.", DANGER),
        ("append on a global", b"\x80\x04" + stack_global("sys", "path") + text("x") + b"a.", DANGER),
        ("empty appends", b"\x80\x04" + stack_global("site", "x") + b"(e.", DANGER),
        ("additems", b"\x80\x04" + stack_global("mymodule", "THINGS") + b"(K\x01\x90.", UNKNOWN),
        ("setitem on an array", pickle_of_array()[:-1] + b"K\x00K\x01s.", UNKNOWN),
    ]


def pickle_of_array() -> bytes:
    """An empty array as NumPy writes it before BUILD."""
    return (
        b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\n"
        b"X\x01\x00\x00\x00bX\x06\x00\x00\x00latin1\x86R\x87R."
    )


def names() -> list[tuple[str, bytes, str]]:
    """Classes 4, 8, 12, 13: dotted names, the registry, indirect loaders, gadgets on no list."""
    head = b"\x80\x04"
    return [
        ("dotted", head + stack_global("pathlib", "os.system") + text("true") + b"\x85R.", DANGER),
        ("dotted through an allowed module", head + stack_global("collections", "_sys.modules") + b".", DANGER),
        ("dotted with GLOBAL", head + b"ccollections\nOrderedDict.fromkeys\n.", UNKNOWN),
        ("renamed", b"c__builtin__\nreduce\n.", DANGER),
        ("renamed without a protocol", b"ccommands\ngetoutput\n.", DANGER),
        ("extension", head + b"\x82\x07.", UNKNOWN),
        ("extension 4", head + b"\x84\x07\x00\x00\x00.", UNKNOWN),
        ("registry", head + stack_global("copyreg", "add_extension") + b"(K\x01K\x02K\x03tR.", DANGER),
        ("load from bytes", head + stack_global("torch.storage", "_load_from_bytes") + b"C\x01x\x85R.", DANGER),
        ("gadget", head + stack_global("multiprocessing.util", "spawnv_passfds") + b"(K\x01tR.", DANGER),
        ("unlisted gadget", head + stack_global("some.package", "helper") + b")R.", UNKNOWN),
        ("module only", head + stack_global("some.package", "") + b".", UNKNOWN),
    ]


def opcodes() -> list[tuple[str, bytes, str]]:
    """Every opcode that calls; and calls whose result is thrown away, or that stand before an error (11)."""
    return [
        ("reduce", CALL, UNKNOWN),
        ("inst", b"(X\x01\x00\x00\x00xibuiltins\nprint\n.", UNKNOWN),
        ("obj", b"(cbuiltins\nprint\nX\x01\x00\x00\x00xo.", UNKNOWN),
        ("obj and pop", b"N(cbuiltins\nprint\nX\x01\x00\x00\x00xo0.", UNKNOWN),
        ("newobj", b"\x80\x02cmymodule\nThing\n)\x81.", UNKNOWN),
        ("newobj_ex", b"\x80\x04cmymodule\nThing\n)}\x92.", UNKNOWN),
        ("keywords", b"\x80\x04ccollections\nOrderedDict\n)}X\x01\x00\x00\x00xK\x01s\x92.", UNKNOWN),
        ("arguments from a list", b"\x80\x02ccollections\nOrderedDict\n]R.", UNKNOWN),
        ("call of a result", b"\x80\x02ccollections\nOrderedDict\n)R)R.", DANGER),
        ("before an error", CALL[:-1] + b"\xff", UNKNOWN),
        ("before the end", CALL[:-1], UNKNOWN),
        ("reference at the end, without a line feed", b"cmymodule\nthingX", UNKNOWN),
        ("second module at the end", b"\x80\x02cmymodule\n", UNKNOWN),
        ("codec", b"c_codecs\nencode\n(X\x01\x00\x00\x00xX\x03\x00\x00\x00ziptR.", UNKNOWN),
        ("defaultdict of a function", b"\x80\x02ccollections\ndefaultdict\nc_codecs\nencode\n\x85R.", UNKNOWN),
        ("memory", b"\x80\x02N" + b"r\xff\xff\xff\x7f.", DANGER),
        ("bytearray of a terabyte", b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x7f\x85R.", UNKNOWN),
    ]


def frames() -> list[tuple[str, bytes, str]]:
    """Class 5: what a C loader on a file reads and others do not."""
    hidden = stack_global("builtins", "eval") + text("1") + b"\x85R."
    cover = b"X" + struct.pack("<I", 4 + len(hidden))  # other loaders see a text that holds the code
    short = b"\x80\x04" + frame(len(cover) + 4) + cover + b"AAAA"
    return [
        ("argument behind the frame", short[:2] + frame(3) + text("abcdef") + b".", DANGER),
        ("code behind the frame", b"\x80\x04" + frame(6) + b"X\x04\x00\x00\x00A" + b"BBBB" + hidden, DANGER),
        ("line behind the frame", b"\x80\x04" + frame(4) + b"Vab" + b"c" + b"x\n0" + hidden, DANGER),
        (
            "line that is no text, behind the frame",
            b"\x80\x04" + frame(8) + b"cos\nab\xe0" + b"c" + b"system\n.",
            DANGER,
        ),
        ("frame in a frame", b"\x80\x04" + frame(20) + frame(2) + b"N." + b"." * 9, DANGER),
        ("frame behind STOP", b"\x80\x04" + frame(6) + b"N." + b"\x80\x04N." + EVAL, DANGER),
    ]


def number_text() -> list[tuple[str, bytes, str]]:
    """Classes 6 and 7: text that one loader takes and another refuses, in front of a call."""
    odd = (
        b"I0x10\n",
        b"L0x10L\n",
        b"I010\n",
        b"I 5 \n",
        b"I1_0\n",
        b"I+0\n",
        b"I5\0x\n",
        b"F1_0.5\n",
        b"F1e5\0\n",
        b"I\0x\n",
    )
    out = [(f"number {line!r}", line + b"0" + CALL, UNKNOWN) for line in odd]
    out += [
        ("memo key with blanks", b"Vbuiltins\np 1 \n0\x80\x04g1\nVeval\n\x93.", DANGER),
        ("memo key with a NUL", b"Vbuiltins\np1\0x\n0\x80\x04g1\nVeval\n\x93.", DANGER),
        ("latin text", b"S'\xe9'\n0" + CALL, UNKNOWN),
        ("latin string", b"U\x01\xe90" + CALL, UNKNOWN),
        ("escaped name", b"\x80\x04S'b\\x75iltins'\nS'ev\\x61l'\n\x93.", DANGER),
        ("unicode escape", b"\x80\x04Vb\\u0075iltins\nVeval\n\x93.", DANGER),
    ]
    return out


def several() -> list[tuple[str, bytes, str]]:
    """Class 10: code in a later stream, behind padding, behind other bytes, or through the memo of an earlier one."""
    plain = pickle.dumps([1, 2], 4)
    names = b"\x80\x04" + text("builtins") + b"\x940" + text("eval") + b"\x94."
    user = b"\x80\x04" + text("a") + b"\x940" + text("b") + b"\x940h\x00h\x01\x93."
    return [
        ("second stream", plain + EVAL, DANGER),
        ("tenth stream", plain * 9 + EVAL, DANGER),
        ("second without PROTO", plain + CALL, UNKNOWN),
        ("behind other bytes", plain + b"\xff\xfe\x00garbage" + b"\x80\x04" + CALL, UNKNOWN),
        ("memo of another stream", names + user, UNKNOWN),
    ]


def nested() -> list[tuple[str, bytes, str]]:
    """Payloads as data: bytes, base64, hex, and two levels deep."""
    evil = b"\x80\x04" + EVAL
    return [
        ("bytes", pickle.dumps({"model": evil}, 4), DANGER),
        ("bytes in protocol 0 style", pickle.dumps({"model": evil * 20}, 5), DANGER),
        ("base64", pickle.dumps({"model": base64.b64encode(evil).decode()}, 4), DANGER),
        ("hex", pickle.dumps([evil.hex()], 2), DANGER),
        ("twice", pickle.dumps([pickle.dumps([evil], 4)], 4), DANGER),
        ("an archive", pickle.dumps([zipped({"data.pkl": evil})], 4), DANGER),
    ]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def streams() -> list[tuple[str, bytes, str]]:
    """All of them."""
    families = (computed_names, planted, names, opcodes, frames, number_text, several, nested)
    return [(f"{f.__name__}: {name}", data, verdict) for f in families for name, data, verdict in f()]
