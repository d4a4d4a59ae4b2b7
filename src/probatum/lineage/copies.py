"""Are two models equal in every bit? Read in pieces, so that little of a file is in memory at a time."""

from __future__ import annotations

import numpy as np

from probatum.lineage.model import Model

PIECE = 16 << 20  #: bytes
MOST = 64 << 30  #: bytes beyond which only the sample is compared


def equal_bytes(a: Model, b: Model, pairs: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """``yes``; ``values`` where only stored types differ; ``no`` and the tensor; ``sample`` if there is too much."""
    if sum(len(a.weights.raw(part)) for own, _ in pairs.values() for part in a.weights.parts(own)) > MOST:
        return "sample", ""
    wider = False
    for own, other in pairs.values():
        parts, others = a.weights.parts(own), b.weights.parts(other)
        if a.weights.stored(own) == b.weights.stored(other) and len(parts) == len(others):
            if not all(_equal(a, part, b, twin) for part, twin in zip(parts, others, strict=True)):
                return "no", own
            continue
        wider = True
        shape = a.shapes[own]
        rows = min(shape[0], b.shapes[other][0]) if shape else 0
        height = max(1, PIECE // max(1, 4 * int(np.prod(shape[1:], dtype=np.int64))))
        for start in range(0, rows, height):
            index = np.arange(start, min(start + height, rows))
            if not np.array_equal(a.weights.rows(own, index), b.weights.rows(other, index), equal_nan=True):
                return "no", own
    return ("values" if wider else "yes"), ""


def _equal(a: Model, part: str, b: Model, twin: str) -> bool:
    """The bytes of two stored tensors, as far as both reach: a vocabulary may have been extended."""
    n = min(len(a.weights.raw(part)), len(b.weights.raw(twin)))
    for start in range(0, n, PIECE):
        piece = slice(start, min(start + PIECE, n))
        # A map of its own for each piece: what was read is given back.
        if not np.array_equal(a.weights.raw(part)[piece], b.weights.raw(twin)[piece]):
            return False
    return True
