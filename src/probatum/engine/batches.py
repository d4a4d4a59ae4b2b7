"""Which texts go through the model together: windows, batches, and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from probatum.core.errors import ProbatumError

T = TypeVar("T")


#: Rows over a cache hold keys and values but few activations, so more of them fit than in `BatchSize`.
CACHED_FACTOR = 4


#: Tokens that are worth a pass of their own, and the least share of the longest item that is padded to it even so.
_WORTH = 1024
_ALIKE = 0.9


class CacheMisleads(Exception):
    """The model scores a text over a shared cache otherwise than the joint text."""


class OutOfMemory(ProbatumError):
    """Memory ran out even for a single item, of ``tokens`` tokens."""

    def __init__(self, tokens: int):
        super().__init__(
            f"memory ran out for a single text of {tokens} tokens; use --device cpu, a smaller --dtype, "
            "or shorter texts"
        )


@dataclass
class BatchSize:
    """Padded tokens per forward pass; shared by all calls of a target, so that memory runs out only once."""

    tokens: int


def windows(inputs: int, context: int) -> list[tuple[int, int, int]]:
    """(start, stop, first) of each window over ``inputs`` input tokens; rows from ``first`` on are scored.

    Windows advance by half the context, so every token is scored exactly once, with at least half the context
    before it (or all there is).
    """
    stride = max(1, context // 2)
    out = [(0, min(context, inputs), 0)]
    while out[-1][1] < inputs:
        start, stop, _ = out[-1]
        out.append((start + stride, min(start + stride + context, inputs), stop - start - stride))
    return out


def in_batches(
    lengths: Sequence[int],
    size: BatchSize,
    run: Callable[[list[int]], T],
    book: Callable[[int], None],
    *,
    rows: Sequence[int] | None = None,
    tokens: Sequence[int] | None = None,
    read: Sequence[int] | None = None,
    together: Callable[[int, int], bool] = lambda first, other: True,
) -> Iterator[tuple[list[int], T]]:
    """Run items sorted by length in batches of at most ``size.tokens`` padded tokens; yield (items, answer).

    Parameters
    ----------
    lengths
        Per item, what it is padded to.
    run, book
        ``run(items)`` computes a batch; ``book(tokens)`` is called before it, once for each item.
    rows, tokens
        Rows that an item takes in the batch (default 1) and tokens to book for it (default its length).
    read
        Per item, the tokens that the pass computes for it. With it, a batch that is worth its pass ends before an item
        that is much shorter than its longest, since padding costs as much as text.
    together
        Whether an item may share a batch with the first one of the batch.

    Raises
    ------
    OutOfMemory
        Memory runs out even for a single item.
    """
    booked = set[int]()
    # Longest first: if memory runs out at all it does so at once, and the time left is never underestimated.
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    at = 0
    while at < len(order):
        longest = max(1, lengths[order[at]])
        batch, height = [order[at]], rows[order[at]] if rows else 1
        for item in order[at + 1 :]:
            height += rows[item] if rows else 1
            if height * longest > size.tokens or not together(batch[0], item):
                break
            if read and len(batch) * (widest := read[order[at]]) >= _WORTH and read[item] < _ALIKE * widest:
                break
            batch.append(item)
        new = [i for i in batch if i not in booked]
        book(sum(tokens[i] if tokens else lengths[i] for i in new))
        booked.update(new)
        answer = unless_out_of_memory(partial(run, batch))
        if answer is None:
            if len(batch) == 1:
                raise OutOfMemory(longest)
            size.tokens = max(1, sum(rows[i] if rows else 1 for i in batch) * longest // 2)
            continue
        yield batch, answer
        at += len(batch)


def unless_out_of_memory(run: Callable[[], T]) -> T | None:
    """None when memory ran out. The exception ends here, and with it the tensors that its traceback holds."""
    try:
        return run()
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        text = str(error).lower()
        if not (isinstance(error, MemoryError) or "out of memory" in text or "can't allocate" in text):
            raise
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def padded(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(ids int64 padded on the right with 0, where they are real), both (rows, longest or 1)."""
    ids = np.zeros((len(rows), max([1, *map(len, rows)])), np.int64)
    real = np.zeros(ids.shape, bool)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        real[at, : len(row)] = True
    return ids, real


def common_start(rows: Sequence[np.ndarray]) -> int:
    """How many tokens all rows begin with."""
    first, common = rows[0], len(rows[0])
    for row in rows[1:]:
        common = min(common, len(row))
        differ = np.flatnonzero(first[:common] != row[:common])
        common = int(differ[0]) if len(differ) else common
    return common
