"""Bytes that no structure refers to: deleted things in an honest file, and a place to hide others."""

from __future__ import annotations

import json
import re

from probatum.scan.finding import quote
from probatum.scan.pickle.carried import is_pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.hdf5.store import Store
    from probatum.scan.source import Source

#: Most bytes that are searched, and how many at a time, with how many twice.
SEARCHED, WINDOW, TWICE = 1 << 30, 16 << 20, 64
#: Configurations that are tried in a window, and steps for each byte that places like pickles may cost.
TRIED, STEPS = 256, 4
KEY = b"class_name"
_CONFIG = re.compile(rb'\{\s*"(?:class_name|module|config|registered_name|build_config|name|keras_version)"\s*:')
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_GLOBAL = re.compile(rb"c[a-z_][\w.]{0,60}\n[A-Za-z_]\w{0,60}\n")
_PROGRAMS = (b"\x7fELF", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"PK\x03\x04")


def search(store: Store, source: Source, context: Context) -> None:
    """Look through all gaps between the blocks that were read."""
    gaps, twice = store.gaps()
    if twice >= 0:
        context.report("HDF011", "two parts of the file share bytes", source, offset=store.start + twice)
    left = SEARCHED
    for first, last in gaps:
        at = first
        while at < last and left > 0:
            data = source.read(store.start + at, min(WINDOW, last - at, left))
            if not data:
                break
            left -= len(data)
            context.budget.spend_steps(1 + len(data) // 64)
            if data.count(0) != len(data):
                _window(data, store.start + at, source, context)
            at += len(data) if at + len(data) >= last else max(1, len(data) - TWICE)
        if at < last:
            context.report(
                "BUD001", f"more than {SEARCHED:,} bytes that nothing refers to; the rest was not read", source
            )
            return


def _window(data: bytes, start: int, source: Source, context: Context) -> None:
    if KEY in data:
        _configs(data, start, source, context)
    for at in _pickles(data, context):
        said = "bytes that nothing refers to begin like a pickle"
        context.report("HDF009", said, source, offset=start + at)
        context.scan_member(source.part(start + at, len(data) - at, f"{source.name}#{start + at}"))
        break
    for mark in _PROGRAMS:
        at = data.find(mark)
        if at >= 0:
            said = f"bytes that nothing refers to hold the mark {quote(mark.decode('latin-1'))} of a program or archive"
            context.report("HDF009", said, source, offset=start + at)
            context.scan_member(source.part(start + at, len(data) - at, f"{source.name}#{start + at}"))


def _pickles(data: bytes, context: Context) -> list[int]:
    """The first place where a pickle begins, if there is one; each look costs its steps."""
    most = context.budget.steps_used + STEPS * len(data) + 4096
    for mark in _PICKLES:
        at = data.find(mark)
        while at >= 0:
            if context.budget.steps_used > most or is_pickle(data[at : at + 4096], context):
                return [at]
            at = data.find(mark, at + 1)
    for match in _GLOBAL.finditer(data):
        if context.budget.steps_used > most or is_pickle(data[match.start() : match.start() + 4096], context):
            return [match.start()]
    return []


def _configs(data: bytes, start: int, source: Source, context: Context) -> None:
    """Whole configurations are judged; words of one without the whole are told."""
    from probatum.scan.formats import keras_

    pos, tried, rest = 0, 0, []
    while tried < TRIED:
        match = _CONFIG.search(data, pos)
        if match is None:
            break
        tried += 1
        zero = data.find(b"\0", match.start())  # a text is followed by zeros, or by the next block
        raw = data[match.start() : zero if zero >= 0 else len(data)]
        context.budget.spend_steps(len(raw) // 16)
        text = raw.decode("utf-8", "replace")
        try:
            value, size = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            rest.append(data[pos : match.end()])
            pos = match.end()
            continue
        keras_.judge(value, source, context, start + match.start())
        rest.append(data[pos : match.start()])
        pos = match.start() + len(text[:size].encode())
    if KEY in b"".join(rest) or KEY in data[pos:]:
        said = f"the word {quote('class_name')} stands in bytes that nothing refers to, but no whole configuration"
        context.report("HDF002", said, source, offset=start + data.find(KEY))
