"""Are two models equal in every bit? Read in pieces, so that little of a file is in memory at a time."""

from __future__ import annotations

import numpy as np

from probatum.lineage.model import Model

PIECE = 16 << 20  #: bytes
MOST = 64 << 30  #: bytes beyond which only the sample is compared


def equal_bytes(a: Model, b: Model, pairs: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """``yes``; ``values`` where only stored types differ; ``no`` and the tensor; ``sample`` if there is too much."""
    if sum(len(a.weights.raw(own)) for own, _ in pairs.values()) > MOST:
        return "sample", ""
    wider = False
    for own, other in pairs.values():
        if a.weights.stored(own) == b.weights.stored(other):
            n = min(len(a.weights.raw(own)), len(b.weights.raw(other)))
            for start in range(0, n, PIECE):
                piece = slice(start, min(start + PIECE, n))
                # A map of its own for each piece: what was read is given back.
                if not np.array_equal(a.weights.raw(own)[piece], b.weights.raw(other)[piece]):
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
