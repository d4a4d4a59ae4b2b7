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
MAGIC = (b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"x\x9c", b"x\xda", b"x\x01")
BASE64 = (b"gA", b"UEsD", b"H4sI", b"QlpoO", b"/Td6WF", b"eJ", b"eN", b"eA")
HEX = (b"80", b"504b0304", b"1f8b08")
#: Most payloads of one pickle that are looked at, and the longest one that is decoded.
MOST = 256
LONGEST = 64 << 20
WINDOW = 4096


class Silent:
    """A log that keeps nothing."""

    def found(self, rule: str, message: str, offset: int, trace: tuple[str, ...] = ()) -> None: ...
    def carried(self, start: int, size: int, text: bool) -> None: ...
    def asked(self, pid: Value, offset: int) -> None: ...


def probe(data: bytes, context: Context) -> tuple[bool, bool, bool]:
    """(does it parse? does it name a global? does it call?), silently. Costs its steps.

    To parse is to reach STOP; or, in a window of at least 4 KiB of something longer, its end without an error.
    """
    from probatum.scan.pickle.machine import Machine

    machine = Machine(data, Silent())
    try:
        machine.run(0, len(data), context.budget.steps_left)
    except Broken:
        named = machine.named and (data[0] == 0x80 or any(map(_is_module, machine.globals)))
        survived = len(data) >= WINDOW and machine.pos > len(data) - 600  # longer than any short argument
        return survived, named, machine.called
    finally:
        context.budget.spend_steps(machine.steps)
    return True, machine.named, machine.called


def _is_module(place: tuple[str, str]) -> bool:
    """Does the module of (module, name) look like one, and not like a line of prose?"""
    return all(part.isidentifier() for part in place[0].split("."))


def is_pickle(data: bytes, context: Context) -> bool:
    """Does this parse to its STOP, or reach code before it fails?"""
    return any(probe(data, context))


def looks_like(data: Buffer, start: int, size: int, text: bool) -> bool:
    """A cheap look at the first bytes."""
    head = data[start : start + min(size, 8)]
    if text and head.startswith(BASE64 + HEX):
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


def scan_carried(found: list[tuple[int, int, bool]], source: Source, context: Context) -> None:
    """Send the payloads back to the formats; (offset in the source, size, is text) each."""
    for offset, size, text in found[:MOST]:
        data = payload(source.read(offset, min(size, LONGEST)), text) if size <= LONGEST else None
        if data is None or (data[:1] == b"\x80" and not is_pickle(data, context)):
            continue
        context.budget.spend_inflated(len(data))
        context.report("PKL015", "carries a payload as data; it was scanned on its own", source, offset=offset)
        context.scan_member(source.member(data, f"{source.name}#{offset}"))
    if len(found) > MOST:
        context.report("BUD001", f"more than {MOST} payloads in one pickle; the rest was not read", source)
