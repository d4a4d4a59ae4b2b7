"""Records of many texts after one prefix, with the prefix computed once for all of them.

``prefix + text`` is cut into tokens as a whole, as everywhere; the tokens that all texts of a prefix begin with are
read once, and every text runs over their keys and values. Where the network cannot share a cache, where memory runs
out, or where a text with its prefix exceeds the context, the joint texts are read in the ordinary one pass.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.target import RECORD
from probatum.engine.batches import (
    CACHED_FACTOR,
    BatchSize,
    CacheMisleads,
    OutOfMemory,
    common_start,
    in_batches,
    padded,
)
from probatum.engine.encoding import Encoded, Encoder
from probatum.engine.network import Network
from probatum.engine.one_pass import COLUMNS, RecordCollector, token_moments

#: Texts of one prefix from which on it is worth a cache, and characters from which on a prefix is long.
TEXTS = 4
CHARACTERS = 200
#: Joint characters must exceed those that are read over a cache by this factor.
_WORTH = 1.5
_TOLERANCE = 1e-4  # over a cache against jointly, in float32


@dataclass(frozen=True)
class _Joint:
    """A text with its prefix; ``begin`` is the first token of the text in the joint sequence."""

    encoded: Encoded
    begin: int

    @property
    def ids(self) -> np.ndarray:
        return self.encoded.sequence

    def record(self) -> np.ndarray:
        """The record of the text's tokens, without the model's numbers."""
        record = np.zeros(max(0, len(self.ids) - self.begin), RECORD)
        record["id"], record["end"] = self.ids[self.begin :], self.encoded.ends[self.begin :]
        return record


def shared_prefixes(texts: Sequence[str], prefixes: Sequence[str]) -> set[str]:
    """The prefixes that are long and stand before so many texts that they are worth being computed once.

    Told from characters alone, since a full store is read without a tokenizer.
    """
    after: dict[str, set[str]] = {}
    for prefix, text in zip(prefixes, texts, strict=True):
        if len(prefix) >= CHARACTERS:
            after.setdefault(prefix, set()).add(text)
    return {
        prefix
        for prefix, own in after.items()
        if len(own) >= TEXTS and len(prefix) * len(own) + (size := sum(map(len, own))) > _WORTH * (len(prefix) + size)
    }


def collect_after(
    encoder: Encoder,
    collector: RecordCollector,
    pairs: Sequence[tuple[str, str]],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Yield (pairs, records of the tokens that end after the prefix), batch by batch, of (prefix, text) pairs.

    One text of every call is read jointly too: if it scores otherwise, the cache is not used again.
    """
    joints = [
        # Without a start token the very first token has nothing before it and cannot be scored.
        _Joint(encoded, max(1, int(np.searchsorted(encoded.ends, len(prefix), side="right"))))
        for encoded, (prefix, _) in zip(encoder([p + t for p, t in pairs]), pairs, strict=True)
    ]
    left = dict.fromkeys(range(len(pairs)))
    silent = [i for i in left if len(joints[i].ids) <= joints[i].begin]
    if silent:
        yield silent, [joints[i].record() for i in silent]
    for i in silent:
        del left[i]
    groups: dict[str, list[int]] = {}
    for i in left:
        if len(joints[i].ids) - 1 <= collector.context:
            groups.setdefault(pairs[i][0], []).append(i)
    try:
        for number, group in enumerate(groups.values()):
            if not collector.network.shares_cache:
                break
            for done, records in _over_prefix(collector, joints, group, book, count_pass, check=number == 0):
                for i in done:
                    del left[i]
                yield done, records
    except (OutOfMemory, CacheMisleads):  # a prefix too long for a batch, or a cache unlike others
        pass
    rest = list(left)
    for places, records in collector.collect([joints[i].encoded for i in rest], book, count_pass):
        done = [rest[p] for p in places]
        yield done, [record[joints[i].begin - 1 :] for i, record in zip(done, records, strict=True)]


def _over_prefix(
    collector: RecordCollector,
    joints: Sequence[_Joint],
    group: Sequence[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
    *,
    check: bool,
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Records of the texts of one prefix. What is read once ends a token early: the last common one is predicted
    from by every row itself, so that all rows give their numbers in one pass."""
    network = collector.network
    once = min(common_start([joints[i].ids for i in group]), *(joints[i].begin for i in group)) - 1
    if once < 1 or len(group) < 2:
        return
    head: list[Any] = []  # the cache of the prefix, once it is there

    def run(batch: list[int]) -> np.ndarray:
        if not head:
            count_pass()
            ids = network.torch.from_numpy(joints[group[0]].ids[None, :once].astype(np.int64)).to(network.device)
            head.append(network.features(ids, keep=True)[1])
        count_pass()
        return _run(network, head[0], once, [joints[group[b]] for b in batch])

    book(once)
    size = BatchSize(CACHED_FACTOR * collector.size.tokens)
    lengths = [len(joints[i].ids) - 1 for i in group]
    new = [n - once for n in lengths]
    for batch, numbers in in_batches(lengths, size, run, book, tokens=new, read=new):
        done = [group[b] for b in batch]
        records, at = [joints[i].record() for i in done], 0
        for record in records:
            for name, column in zip(COLUMNS, numbers, strict=True):
                record[name] = column[at : at + len(record)]
            at += len(record)
        if check:
            _check(collector, joints[done[-1]], records[-1], book, count_pass)
            check = False
        yield done, records


def _run(network: Network, head: Any, once: int, batch: Sequence[_Joint]) -> np.ndarray:
    """Numbers (columns, tokens of the batch) of the texts' tokens, over the ``once`` tokens of the cache."""
    torch, device = network.torch, network.device
    cache = copy.deepcopy(head)  # the pass appends to it
    cache.batch_select_indices(torch.zeros(len(batch), dtype=torch.long, device=device))
    ids, _ = padded([joint.ids[once:-1] for joint in batch])
    positions = np.broadcast_to(once + np.arange(ids.shape[1]), ids.shape)
    features, _ = network.features(
        torch.from_numpy(ids).to(device),
        positions=torch.from_numpy(positions.copy()).to(device),
        cache=cache,
        keep=True,
    )
    width = ids.shape[1]
    rows = [np.arange(r * width + j.begin - 1 - once, r * width + len(j.ids) - 1 - once) for r, j in enumerate(batch)]
    scored = torch.from_numpy(np.concatenate(rows)).to(device)
    targets = torch.from_numpy(np.concatenate([j.ids[j.begin :] for j in batch]).astype(np.int64)).to(device)
    real = features.flatten(0, 1).index_select(0, scored)
    del features, cache
    numbers: np.ndarray = token_moments(network, real, targets).cpu().numpy()
    return numbers


def _check(
    collector: RecordCollector,
    joint: _Joint,
    record: np.ndarray,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> None:
    """The shortest text of the first batch has the most padding: read jointly it must score the same."""
    network = collector.network
    (_, (whole,)) = next(collector.collect([joint.encoded], book, count_pass, logprob_only=True))
    own, other = record["logprob"].astype(np.float64), whole["logprob"][joint.begin - 1 :].astype(np.float64)
    if network.model.dtype == network.torch.float32:
        same = bool(np.all(np.abs(own - other) <= _TOLERANCE + 1e-5 * np.abs(other)))
    else:  # half precision rounds every token by itself: their sum is what must agree
        same = bool(abs((own - other).sum()) <= 0.02 * max(1.0, abs(other.sum())))
    if not same:  # NaN too
        network.shares_cache = False
        raise CacheMisleads
