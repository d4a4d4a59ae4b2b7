"""How the answers of a target become bytes in the store, and arrays again (read-only views of those bytes)."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.target import RECORD

#: (log-probability f8, tokens i4, bytes i4), one entry per option.
OptionRow = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Codec:
    """One kind of payload. ``tokens`` says how many forward tokens a stored payload stands for."""

    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    tokens: Callable[[Any], int] = lambda payload: 0


def hashed(parts: Sequence[str], whole: Any = None) -> Any:
    """SHA-256 over the parts, going on from ``whole``. Lengths are hashed too, or ("ab", "c") and ("a", "bc") would be
    one."""
    whole = hashlib.sha256() if whole is None else whole
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        whole.update(struct.pack("<Q", len(raw)) + raw)
    return whole


def unanswered(options: int) -> OptionRow:
    """The row of a prompt whose options could not be scored."""
    return np.full(options, np.nan), np.zeros(options, np.int32), np.zeros(options, np.int32)


def _array(dtype: Any) -> dict[str, Any]:
    return {
        # Comparing two equal dtypes of named fields takes longer than writing the array.
        "write": lambda array: (array if array.dtype is dtype else np.asarray(array, dtype)).tobytes(),
        "read": lambda blob: np.frombuffer(blob, dtype),
    }


def _write_options(row: OptionRow) -> bytes:
    return b"".join(np.asarray(a, t).tobytes() for a, t in zip(row, ("<f8", "<i4", "<i4"), strict=True))


def _read_options(blob: bytes) -> OptionRow:
    n = len(blob) // 16
    return np.frombuffer(blob, "<f8", n), np.frombuffer(blob, "<i4", n, 8 * n), np.frombuffer(blob, "<i4", n, 12 * n)


IDS = Codec(**_array("<i4"))
FLOATS = Codec(**_array("<f4"))
RECORDS = Codec(**_array(RECORD), tokens=len)
CHOICES = Codec(_write_options, _read_options, tokens=lambda row: int(row[1].sum()))
#: Token ids (layers, top) of likely, rising and falling, one after the other.
LENS = Codec(**_array("<i4"))
#: JSON [[text, log-probability], …].
BEAMS = Codec(lambda found: json.dumps(found).encode(), lambda blob: [(t, p) for t, p in json.loads(blob)])
TEXT = Codec(lambda text: text.encode("utf-8", "surrogatepass"), lambda blob: blob.decode("utf-8", "surrogatepass"))
