"""Continuing prompts with continuous refill: a row that is over leaves, and a new one enters while the others go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from probatum.engine.batches import CACHED_FACTOR, BatchSize, CacheMisleads, OutOfMemory, unless_out_of_memory
from probatum.engine.network import Network
from probatum.engine.slots import Slots
from probatum.engine.waiting import Hands, Row, in_order

#: Slots are filled when this share of them is free, since reading prompts is a pass of its own.
_WAVE = 1 / 4
#: Rows move to shorter slots when there are this many times as many of them.
_WORTH = 1.25
#: Bytes of keys and values that may be more than what a forward pass takes.
_ROOM = 512 << 20


def refill(network: Network, rows: Sequence[Row], size: BatchSize, hands: Hands) -> Iterator[list[Row]]:
    """Yield rows as they are over, with their new tokens (without the end token), in any order.

    Raises
    ------
    CacheMisleads
        The first row that is over is scored otherwise when read whole; nothing that hung on that was yielded.
    OutOfMemory
        Memory runs out even for a single row.
    """
    work = _Work(network, rows, size, hands)
    while work.pending or work.rows:
        over = unless_out_of_memory(work.go)
        if over is None:
            work.start_over()
        elif over:
            yield over


class _Work:
    def __init__(self, network: Network, rows: Sequence[Row], size: BatchSize, hands: Hands):
        self.network, self.size, self.hands = network, size, hands
        plain = network.plain_cache or ()
        self.bytes = sum(heads * (key + value) * dtype.itemsize for heads, key, value, dtype in plain)  # of a token
        self.pending = deque(in_order(rows))
        self.rows: list[Row] = []  # by slot
        self.slots: Slots | None = None
        self.head: tuple[bytes, Any] = (b"", None)  # the tokens and the cache of what rows begin with

    def go(self) -> list[Row]:
        """One forward pass, which reads new rows or one more token of all; the rows that are over with it."""
        if self.pending and (self.slots is None or not self.rows or self._free() >= max(1, _WAVE * self.slots.count)):
            self.slots = self._fitting()
            begun = len(self.rows)
            return self._choose(self.slots, begun, self._enter(self.slots))
        assert self.slots is not None
        self.hands.book(len(self.rows))
        self.hands.count_pass()
        return self._choose(self.slots, 0, self.slots.step(np.array([row.new[-1] for row in self.rows], np.int64)))

    def start_over(self) -> None:
        """After memory ran out: everything that is under way waits again, for half as much room."""
        count, width = self._layout()
        if count == 1:
            raise OutOfMemory(width)
        self.size.tokens = max(1, self.size.tokens // 2)
        self.slots, self.head = None, (b"", None)
        for row in sorted(self.rows, key=lambda row: row.order, reverse=True):
            row.new.clear()
            self.pending.appendleft(row)
        self.rows = []

    def _free(self) -> int:
        return self.slots.count - len(self.rows) if self.slots is not None else 0

    def _layout(self) -> tuple[int, int]:
        """(slots, tokens of each) for what is under way and what waits."""
        waiting = self.pending[0].widest if self.pending else 0
        width = max([waiting, *(row.whole for row in self.rows)])
        room = max(self.size.tokens, min(CACHED_FACTOR * self.size.tokens, _ROOM // self.bytes))
        return max(1, min(room // width, len(self.rows) + len(self.pending))), width

    def _fitting(self) -> Slots:
        """The longest rows come first, so that slots can become shorter, and more, on the way."""
        count, width = self._layout()
        if self.slots is None:
            return Slots(self.network, count, width)
        return self.slots.moved(count, width) if count >= _WORTH * self.slots.count else self.slots

    def _enter(self, slots: Slots) -> Any:
        """Read the next rows, as many as are free and begin alike; the features of their ends."""
        first = self.pending[0]
        wave: list[Row] = []
        height = min(self._free(), max(1, self.size.tokens // first.tail))  # the first of a group is the longest
        while self.pending and len(wave) < height and self.pending[0].group == first.group:
            wave.append(self.pending.popleft())
        self.rows += wave
        self.hands.book(sum(row.tail for row in wave))
        head = self._head(first.sequence[: first.shared]) if first.shared else None
        self.hands.count_pass()
        return slots.enter([row.sequence[row.shared :] for row in wave], head)

    def _head(self, tokens: np.ndarray) -> Any:
        """The model's own cache of the common start, read once."""
        if self.head[0] != tokens.tobytes():
            self.hands.book(len(tokens))
            self.hands.count_pass()
            ids = self.network.torch.from_numpy(tokens[None].astype(np.int64)).to(self.network.device)
            self.head = tokens.tobytes(), self.network.features(ids, keep=True)[1]
        return self.head[1]

    def _choose(self, slots: Slots, begun: int, last: Any) -> list[Row]:
        """Choose the next token of the rows from slot ``begun`` on; those that are over leave their slots."""
        rows = self.rows[begun:]
        over = []
        tokens = self.hands.pick(last, rows).tolist()
        for at, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            if token in self.hands.ends:
                over.append(at)
            else:
                row.new.append(token)
                if self.hands.over(row):
                    over.append(at)
        if len(self.network.slots_checked) < 2:
            for shared in (False, True):
                own = [begun + at for at in over if (rows[at].shared > 0) == shared]
                self._check(slots, shared, own, tokens, last, begun)
        for at in reversed(over):
            slots.leave(begun + at)
            self.rows[begun + at] = self.rows[-1]
            self.rows.pop()
        return [rows[at] for at in over]

    def _check(
        self, slots: Slots, shared: bool, over: Sequence[int], tokens: Sequence[int], last: Any, begun: int
    ) -> None:
        """Once per model: read whole, a row must give its last token the log-probability that it has over the cache."""
        torch, network = self.network.torch, self.network
        cached = [slot for slot in over if shared or slots.at[slot] > len(self.rows[slot].sequence)]
        if not cached or shared in network.slots_checked:
            return
        slot = min(cached, key=lambda slot: int(slots.at[slot]))  # it has the most that is masked
        row = self.rows[slot]
        whole = np.array([*row.sequence, *row.new], np.int64)[None, : slots.at[slot]]
        self.hands.book(whole.size)
        self.hands.count_pass()
        features, _ = network.features(torch.from_numpy(whole).to(network.device))
        pair = torch.stack([features[0, -1], last[slot - begun]])
        joint, own = network.logits(pair).log_softmax(-1)[:, tokens[slot - begun]].tolist()
        if not network.same_sum(joint, own):
            network.plain_cache = None
            raise CacheMisleads
        network.slots_checked.add(shared)
