"""Texts and bytes inside a pickle that are payloads themselves: pickles, archives, in base64 or hex as well."""

from __future__ import annotations

import binascii

from probatum.scan.pickle.errors import Broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.pickle.values import Value
    from probatum.scan.source import Buffer, Source

#: How payloads begin: archives and compressed streams; pickles begin with PROTO and are tried.
MAGIC = (b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"x\x9c", b"x\xda", b"x\x01", b"x^")
BASE64 = (b"UEsD", b"H4sI", b"QlpoO", b"/Td6WF", *(b"gA" + bytes([c]) for c in range(65, 89)),
          *(b"eJ" + bytes([c]) for c in b"wxyz"), *(b"eN" + bytes([c]) for c in b"opqr"),
          *(b"eA" + bytes([c]) for c in b"EFGH"), *(b"eF" + bytes([c]) for c in b"4567"))  # fmt: skip
HEX = (
    b"504b0304",
    b"1f8b08",
    b"789c",
    b"78da",
    b"7801",
    b"785e",
    b"425a68",
    b"fd377a58",
    *(b"800%d" % n for n in range(6)),
)
#: Most payloads of one pickle that are looked at, and the longest one that is decoded.
MOST = 4096
#: Shortest compressed stream that can hold a call.
SHORTEST = 16
LONGEST = 64 << 20
WINDOW = 4096


class Silent:
    """A log that keeps nothing."""

    def found(self, rule: str, message: str, offset: int, trace: tuple[str, ...] = ()) -> None: ...
    def carried(self, start: int, size: int, text: bool) -> None: ...
    def asked(self, pid: Value, offset: int) -> None: ...


def probe(data: bytes, context: Context, size: int = 1 << 62) -> tuple[bool, bool, bool]:
    """(does it parse? does it name a global? does it call?), silently. Costs its steps.

    To parse is to reach STOP; or, in a window of at least 4 KiB of something longer, its end without an error. ``size``
    is that of the whole, as far as it is known: an argument that does not fit into it is an error of every loader.
    """
    from probatum.scan.pickle.machine import Machine

    machine, parsed = Machine(data, Silent()), True
    try:
        machine.run(0, len(data), context.budget.steps_left)
    except Broken:
        cut = len(data) >= WINDOW and len(data) < size and machine.pos <= size
        parsed = cut and machine.pos > len(data) - 600  # longer than any short argument
    finally:
        context.budget.spend_steps(machine.steps)
    likely = data[:1] == b"\x80" or any(map(_is_module, machine.globals))
    # A text whose lines begin with c names what are no modules, and calls nothing.
    text = machine.globals and not likely and not machine.called and len(data) < 1 << 20
    return parsed and not text, machine.named and likely, machine.called


def _is_module(place: tuple[str, str]) -> bool:
    """Does the module of (module, name) look like one, and not like a line of prose?"""
    return all(part and all(c.isalnum() or c in "_-" for c in part) for part in place[0].split("."))


def is_pickle(data: bytes, context: Context) -> bool:
    """Does this parse to its STOP, or reach code before it fails?"""
    return any(probe(data, context))


def looks_like(data: Buffer, start: int, size: int, text: bool) -> bool:
    """A cheap look at the first bytes."""
    head = data[start : start + min(size, 8)]
    if text and (head.startswith(BASE64) or head.lower().startswith(HEX)):
        return True
    return size > 3 and ((head[0] == 0x80 and head[1] <= 5) or head.startswith(MAGIC))


def payload(raw: bytes, text: bool) -> bytes | None:
    """The bytes of a payload, decoded if it is written in base64 or hex."""
    if raw[:1] == b"\x80" or raw.startswith(MAGIC):
        return raw
    if not text:
        return None
    for decode in (binascii.unhexlify, binascii.a2b_base64):
        try:
            decoded = decode(raw)
        except ValueError:
            continue
        if decoded[:1] == b"\x80" or decoded.startswith(MAGIC):
            return decoded
    return None


def _is_payload(data: bytes, context: Context) -> bool:
    from probatum.scan.formats.compressed import kind

    if data[:1] == b"\x80":
        return is_pickle(data, context)
    return len(data) >= SHORTEST and (data[:2] == b"PK" or bool(kind(data[:4096])))


def scan_carried(found: list[tuple[int, int, bool]], source: Source, context: Context) -> None:
    """Send the payloads back to the formats; (offset in the source, size, is text) each."""
    for offset, size, text in found[:MOST]:
        data = payload(source.read(offset, min(size, LONGEST)), text) if size <= LONGEST else None
        if data is None or not _is_payload(data, context):
            continue  # a few bytes like those of an archive are no archive
        context.budget.spend_inflated(len(data))
        context.report("PKL015", "carries a payload as data; it was scanned on its own", source, offset=offset)
        context.scan_member(source.member(data, f"{source.name}#{offset}"))
    if len(found) > MOST:
        context.report("BUD001", f"more than {MOST} payloads in one pickle; the rest was not read", source)
