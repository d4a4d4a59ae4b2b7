"""Native programs and libraries, and formats whose loader is an interpreter: whoever opens them runs them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "executable"
EXCLUSIVE = True

#: First bytes and names of native code.
NATIVE = (
    (b"\x7fELF", "ELF"),
    (b"\xfe\xed\xfa\xce", "Mach-O"),
    (b"\xfe\xed\xfa\xcf", "Mach-O"),
    (b"\xce\xfa\xed\xfe", "Mach-O"),
    (b"\xcf\xfa\xed\xfe", "Mach-O"),
    (b"\xca\xfe\xba\xbf", "Mach-O"),
    (b"\0asm", "wasm"),
    (b"dex\n", "dex"),
)
#: First bytes and names of what an interpreter runs or rebuilds objects from.
INTERPRETED = (
    (b"\x1bLua", "lua bytecode"),
    (b"\x1bLJ", "lua bytecode"),
    (b"\xac\xed\0\x05", "java objects"),
    (b"RDX2\n", "R data"),
    (b"RDX3\n", "R data"),
    (b"RDA2\n", "R data"),
    (b"RDA3\n", "R data"),
    (b"X\n\0\0\0\x02\0", "R data"),
    (b"X\n\0\0\0\x03\0", "R data"),
    (b"BC\xc0\xde", "llvm bitcode"),
)
#: Torch7: an object, or a table whose first key or value is one, with a version; in binary and as text.
_TORCH7 = re.compile(rb"(?:\x04\0{3}|\x03\0{3}[\0-\xff]{8,200}?\x04\0{3})[\0-\xff]{4}\x03\0{3}V 1|4\n\d+\n3\nV 1\n")
#: R data as text: version of the format, version of R.
_R_TEXT = re.compile(rb"A\n[23]\n\d{5,6}\n\d{5,6}\n")
#: Python's compiled files: two bytes of version, then these; the flags behind them are 0 to 3.
PYC = b"\r\n"


def kind(head: bytes, source: Source) -> tuple[str, str]:
    """(rule, name), or two empty texts."""
    for magic, name in NATIVE:
        if head.startswith(magic):
            return "EXE001", name
    if head[:4] == b"\xca\xfe\xba\xbe" and len(head) >= 8:  # a fat Mach-O has few parts, Java a version above 40
        return ("EXE001", "Mach-O") if int.from_bytes(head[4:8], "big") < 40 else ("EXE002", "java class")
    if head[:2] == b"MZ" and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if source.read(at, 4) == b"PE\0\0" or head[2:8].strip(b"\0") == b"" or head[2:8] == b"qFpD='":
            return "EXE001", "PE"
        if int.from_bytes(head[8:10], "little") <= 0x1000 and b"\0" in head[:64]:
            return "EXE001", "MZ"
    for magic, name in INTERPRETED:
        if head.startswith(magic):
            return "EXE002", name
    if _TORCH7.match(head):
        return "EXE002", "torch7"
    if _R_TEXT.match(head):
        return "EXE002", "R data"
    if head[2:4] == PYC and len(head) >= 16 and 0x0C < head[1] < 0x10 and head[4] < 4 and head[5:8] == b"\0\0\0":
        return "EXE002", "python bytecode"
    return "", ""


def sniff(head: bytes, source: Source) -> bool:
    return bool(kind(head, source)[0])


def scan(source: Source, context: Context) -> str | None:
    rule, name = kind(source.head(), source)
    what = "compiled code" if rule == "EXE001" else "a format whose loader runs what is in it"
    context.report(rule, f"{name}: {what}", source, offset=0)
    return name
