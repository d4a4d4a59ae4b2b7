"""What the texts and bytes of an HDF5 file are: configurations of Keras, payloads of their own, or nothing."""

from __future__ import annotations

import json
import re

from probatum.scan.finding import quote
from probatum.scan.pickle.carried import SHORTEST, is_pickle, looks_like, payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

KEY = b"class_name"
#: Longest configuration that is read.
LONGEST = 16 << 20
#: Attributes that Keras reads as JSON.
CONFIGS = ("@model_config", "@training_config", "@optimizer_config", "@config")
#: First bytes of payloads: as they are, in base64 or hex; and of pickles of protocol 0 and 1.
STARTS = frozenset(
    b"\x80P\x1fB\xfdxUHQ/ge517489fF" + b"c(]})ILSVNKMJGXTC" + bytes((*range(0x82, 0x85), *range(0x88, 0x91)))
)
_ESCAPED = re.compile(rb"\\u00([0-9a-fA-F]{2})")
#: A text with its place: (number in its series, bytes, where, address).
Part = tuple[int, bytes, str, int]


class Judge:
    """Gets every text of a file. ``start`` is where the superblock stands, from which addresses count."""

    def __init__(self, source: Source, context: Context, start: int) -> None:
        self.source, self.context, self.start = source, context, start

    def report(self, rule: str, said: str, address: int = -1) -> None:
        self.context.report(rule, said, self.source, offset=self.start + address if address >= 0 else None)

    def promising(self, head: bytes) -> bool:
        """May a run of bytes that begins so be more than numbers?"""
        return looks_like(head, 0, len(head), False)

    def text(self, raw: bytes, where: str, address: int) -> None:
        """One text, opaque value or run of bytes."""
        self.context.budget.spend_steps(1 + len(raw) // 16)
        if len(raw) < 3:
            return
        if raw[0] in STARTS:
            self._payload(raw, where, address)
        if is_config(raw, where):
            for piece in raw.split(b"\0"):  # readers in C stop at the first zero, others do not
                if is_config(piece, where) and not self._config(piece, where, address):
                    said = f"{quote(where)}: the word 'class_name' stands in it, but it is no whole configuration"
                    self.report("HDF002", said, address)

    def series(self, parts: list[Part]) -> None:
        """Texts whose names count up (``name0``, ``name1`` ...): one configuration in parts, or texts of their own."""
        whole = b"".join(raw.rstrip(b"\0") for _, raw, _, _ in parts)
        if len(parts) > 1 and is_config(whole, parts[0][2]) and self._config(whole, parts[0][2], parts[0][3]):
            for _, raw, where, address in parts:
                self._payload(raw, where, address)
            return
        for _, raw, where, address in parts:
            self.text(raw, where, address)

    def _config(self, raw: bytes, where: str, address: int) -> bool:
        """Judge a text of JSON; is it one?"""
        from probatum.scan.formats import keras_

        if len(raw) > LONGEST:
            return False
        self.context.budget.spend_steps(len(raw) // 4)
        try:
            value: Any = json.loads(raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return KEY not in _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), raw)
        keras_.judge(value, self.source, self.context, self.start + address if address >= 0 else None)
        return True

    def _payload(self, raw: bytes, where: str, address: int) -> None:
        """PyTables opens a pickle that it finds in an attribute, so texts may be pickles of any protocol."""
        found: bytes | None = None
        if looks_like(raw, 0, len(raw), True):
            found = payload(raw.rstrip(b"\0") if raw[:1] != b"\x80" else raw, True)
            if found is not None and not self._is_payload(found):
                found = None
        if found is None:
            bare = raw.rstrip(b"\0")
            found = bare if bare[-1:] == b"." and len(bare) > 2 and self._early(bare) else None
        if found is not None:
            self.context.budget.spend_inflated(len(found))
            self.report("PKL015", f"{quote(where)}: carries a payload as data; it was scanned on its own", address)
            self.context.scan_member(self.source.member(found, f"{self.source.name}#{where}"))

    def _is_payload(self, data: bytes) -> bool:
        from probatum.scan.formats.compressed import kind

        if data[:1] == b"\x80":
            return is_pickle(data, self.context)
        return len(data) >= SHORTEST and (data[:2] == b"PK" or bool(kind(data[:4096])))

    def _early(self, raw: bytes) -> bool:
        """A pickle of protocol 0 or 1."""
        from probatum.scan.formats import pickle_

        return raw[:1] != b"\x80" and pickle_.sniff(raw[:4096], self.source.member(raw, ""))


def is_config(raw: bytes, where: str) -> bool:
    """May Keras read this text as a configuration? The key may be written with escapes."""
    if KEY in raw or where.endswith(CONFIGS):
        return True
    return b"\\u00" in raw and KEY in _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), raw)
