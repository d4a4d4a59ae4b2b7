"""A key/value cache of fixed slots, which rows enter and leave while the others go on.

A row keeps its tokens at the first places of its slot, without holes: what stands behind them is left from earlier
rows and masked. Rows stand in the first slots; when one leaves, the last one takes its slot. So nothing is ever
concatenated, and a pass reads one slice of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers.cache_utils import Cache, DynamicLayer

from probatum.engine.batches import padded
from probatum.engine.network import Network


class _Span:
    """Which slots and places the pass under way writes and reads; shared by all layers."""

    first = 0  # slot of the first row of the pass
    count = 0  # rows of the pass
    before = 0  # tokens that all its rows have in the cache already, where it reads prompts
    stop = 0  # places that it reads
    rows: Any = None  # slots and places to be written, where it reads one token of every row
    places: Any = None


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values, (slots, heads, places, width)."""

    keys: Any
    values: Any

    def __init__(self, span: _Span, keys: Any, values: Any):
        super().__init__()  # type: ignore[no-untyped-call]
        self.span, self.keys, self.values = span, keys, values
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

    def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Write what is new; give all that the rows of the pass may look at."""
        span = self.span
        here = slice(span.first, span.first + span.count)
        for kept, new in ((self.keys, key_states), (self.values, value_states)):
            if span.rows is None:
                kept[here, :, span.before : span.stop] = new
            else:
                kept[span.rows, :, span.places] = new[:, :, 0]
        return self.keys[here, :, : span.stop], self.values[here, :, : span.stop]

    def get_seq_length(self) -> int:
        return self.span.stop - 1 if self.span.rows is not None else self.span.before

    def get_mask_sizes(self, *args: Any) -> tuple[int, int]:
        return self.span.stop, 0


class Slots:
    """``count`` slots of ``width`` tokens each, over a network that `Network.plain_cache` describes.

    Attributes
    ----------
    at
        How many tokens each row has in the cache, in the order of the slots, int64.
    """

    def __init__(self, network: Network, count: int, width: int):
        torch = network.torch
        self.network, self.count, self.width = network, count, width
        self.at = np.zeros(0, np.int64)
        self._span = _Span()
        # Zeros, since what is masked still is multiplied by nought, and nought times NaN is NaN.
        pairs = [
            [torch.zeros(count, heads, width, size, dtype=dtype, device=network.device) for size in sizes]
            for heads, *sizes, dtype in network.plain_cache or ()
        ]
        self._layers = [_Layer(self._span, keys, values) for keys, values in pairs]
        self._cache = Cache(layers=list(self._layers))

    def enter(self, tails: Sequence[np.ndarray], head: Any = None) -> Any:
        """Read rows into the next free slots; (rows, width) features of their last tokens.

        ``head`` is the cache of a single row, as the model itself keeps it, which all the rows begin with.
        """
        torch, device, span = self.network.torch, self.network.device, self._span
        ids, real = padded(tails)  # on the right: what comes later is not seen, and later overwritten
        span.rows, span.first, span.count = None, len(self.at), len(ids)
        span.before = 0 if head is None else head.get_seq_length()
        span.stop = span.before + ids.shape[1]
        here = slice(span.first, span.first + span.count)
        positions = None
        if head is not None:
            for own, other in zip(self._layers, head.layers, strict=True):
                own.keys[here, :, : span.before] = other.keys
                own.values[here, :, : span.before] = other.values
            positions = torch.arange(span.before, span.stop, device=device).expand(len(ids), -1)
        given = torch.from_numpy(ids).to(device)
        features, _ = self.network.features(given, positions=positions, cache=self._cache, keep=True)
        length = real.sum(1)
        self.at = np.concatenate([self.at, span.before + length])
        return features[torch.arange(len(ids), device=device), torch.from_numpy(length - 1).to(device)]

    def step(self, tokens: np.ndarray) -> Any:
        """Read one more token of every row; (rows, width) features."""
        torch, device, span = self.network.torch, self.network.device, self._span
        places = torch.from_numpy(self.at).to(device)
        span.first, span.count, span.stop = 0, len(self.at), int(self.at.max()) + 1
        span.rows, span.places = torch.arange(span.count, device=device), places
        mask = None
        if int(self.at.min()) + 1 < span.stop:
            mask = (torch.arange(span.stop, device=device) <= places[:, None]).long()
        column = torch.from_numpy(tokens).to(device)[:, None]
        features, _ = self.network.features(column, mask=mask, positions=places[:, None], cache=self._cache, keep=True)
        self.at = self.at + 1
        return features[:, -1]

    def leave(self, slot: int) -> None:
        """Give a slot back; the row of the last slot, if it is another one, moves there."""
        last = len(self.at) - 1
        if slot < last:
            length = int(self.at[last])
            for layer in self._layers:
                for kept in (layer.keys, layer.values):
                    kept[slot, :, :length] = kept[last, :, :length]
            self.at[slot] = self.at[last]
        self.at = self.at[:last]

    def moved(self, count: int, width: int) -> Slots:
        """The same rows in other slots."""
        other = Slots(self.network, count, width)
        other.at = self.at
        rows, places = len(self.at), int(self.at.max(initial=0))
        for new, old in zip(other._layers, self._layers, strict=True):
            new.keys[:rows, :, :places] = old.keys[:rows, :, :places]
            new.values[:rows, :, :places] = old.values[:rows, :, :places]
        return other
