"""Random numbers that depend on the seed and on what they are for, never on position or on what ran before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from probatum.core.data import digest_of


def keyed(*parts: object) -> np.random.Generator:
    """A generator whose stream is fixed by the parts."""
    return np.random.default_rng(int(digest_of(*(str(p) for p in parts))[:32], 16))


def per_record(rng: np.random.Generator, ids: Iterable[str]) -> Iterator[np.random.Generator]:
    """One generator a record, fixed by ``rng`` and the record's id, so that reordering records reorders the draws."""
    base = int(rng.integers(2**63))
    for name in ids:
        yield keyed(base, name)
