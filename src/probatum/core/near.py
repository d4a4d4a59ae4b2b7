"""Which texts stand, as a whole or in great part, in other texts: near-duplicates by their runs of characters.

What a method learns from, or puts before the texts that it judges, must hold nothing of those texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Characters of a run, a power of two; about three words, so that two texts of one kind share few of them.
WIDTH = 16
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no character is lost in the arithmetic modulo 2^64


def near_duplicates(pool: Sequence[str], texts: Sequence[str], *, share: float = 0.5) -> np.ndarray:
    """Boolean mask, shape (len(pool),): does a text of the pool hold ``share`` of any of ``texts``, or any of it?

    Notes
    -----
    Compared are the distinct runs of `WIDTH` characters, in lower case and with every white space as one space: two
    texts are near-duplicates if they share ``share`` of the runs of the shorter one (containment, so that a quoted
    paragraph counts whatever stands around it). A text shorter than a run is one run by itself. Runs are compared by
    64-bit hashes. Work is linear in the characters of both, and 10,000 texts of a thousand characters take seconds.
    """
    own = [hashed_runs(text) for text in pool]
    found = np.zeros(len(pool), bool)
    if not own:
        return found
    table, number = np.unique(np.concatenate(own), return_inverse=True)
    order = np.argsort(number, kind="stable")
    holder = np.repeat(np.arange(len(own)), [len(runs) for runs in own])[order]
    begin = np.searchsorted(number[order], np.arange(len(table) + 1))
    size = np.array([len(runs) for runs in own])
    for text in texts:
        runs = hashed_runs(text)
        if not len(runs) or not len(table):
            continue
        place = np.searchsorted(table, runs).clip(max=len(table) - 1)
        shared = place[table[place] == runs]
        if len(shared):
            holders = np.concatenate([holder[begin[i] : begin[i + 1]] for i in shared])
            common = np.bincount(holders, minlength=len(own))
            found |= (common > 0) & (common >= share * np.minimum(size, len(runs)))
    return found


def hashed_runs(text: str, width: int = WIDTH) -> np.ndarray:
    """Hashes of the distinct runs of ``width`` characters (a power of two), sorted, shape (r,); none without any."""
    plain = " ".join(text.casefold().split())
    if not plain:
        return np.zeros(0, np.uint64)
    letters = np.frombuffer(plain.ljust(width, "\0").encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes, span = letters.astype(np.uint64) * _BASE, 1
    while span < width:  # of runs twice as long, from those of their halves; modulo 2^64 by overflow
        hashes = (hashes[:-span] * _BASE) + hashes[span:]
        hashes ^= hashes >> np.uint64(29)
        span *= 2
    return np.unique(hashes)
