"""Activations of chosen layers: at the last token, or their mean over the tokens of the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize, in_batches, padded, windows
from probatum.engine.encoding import Encoder
from probatum.engine.network import Network
from probatum.engine.stored import Batch, Failure


def collect_hidden(
    encoder: Encoder,
    network: Network,
    context: int,
    size: BatchSize,
    texts: Sequence[str],
    layers: Sequence[int],
    pool: str,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[Batch]:
    """Yield (texts, float32 arrays (len(layers), width)) batch by batch.

    Layer 0 is the embedding, layer n the output of block n, -1 the last (after the final norm where the model has
    one, as transformers gives it). The start token counts as no token of the text. Long texts are read in windows:
    the mean takes every token once, the last token is that of the last window.
    """
    torch = network.torch
    encoded = encoder(texts)
    skip = 0 if encoder.start is None else 1  # at the start token many models park huge activations
    empty = [i for i, e in enumerate(encoded) if len(e.sequence) <= skip]
    if empty:
        yield empty, [Failure("has no tokens")] * len(empty)
    pieces = []
    for i, e in enumerate(encoded):
        if len(e.sequence) > skip:
            parts = windows(len(e.sequence), context)
            pieces += [(i, *w) for w in (parts[-1:] if pool == "last" else parts)]
    left = np.bincount([p[0] for p in pieces], minlength=len(encoded))
    sums: dict[int, np.ndarray] = {}

    def run(batch: list[int]) -> np.ndarray:
        count_pass()
        ids, real = padded([encoded[i].sequence[a:b] for i, a, b, _ in (pieces[p] for p in batch)])
        wanted = real.copy()
        for row, (_, start, stop, first) in enumerate(pieces[p] for p in batch):
            wanted[row, : stop - start - 1 if pool == "last" else first + (skip if start == 0 else 0)] = False
        states = network.layers(torch.from_numpy(ids).to(network.device))
        if any(not -len(states) <= layer < len(states) for layer in layers):
            raise BadInput(f"layers go from 0 to {len(states) - 1} in {network.name}, got {list(layers)}")
        weight = torch.from_numpy(wanted).to(network.device)[..., None]
        pooled = [(states[layer].float() * weight).sum(1) for layer in layers]
        answer: np.ndarray = torch.stack(pooled, 1).cpu().numpy()
        return answer

    def together(a: int, b: int) -> bool:
        return network.head == "chunked"

    lengths = [stop - start for _, start, stop, _ in pieces]
    for batch, numbers in in_batches(lengths, size, run, book, together=together):
        done = []
        for p, number in zip(batch, numbers, strict=True):
            i = pieces[p][0]
            sums[i] = sums.get(i, 0) + number
            left[i] -= 1
            if left[i] == 0:
                done.append(i)
        counts = [1 if pool == "last" else len(encoded[i].sequence) - skip for i in done]
        yield done, [sums.pop(i) / np.float32(n) for i, n in zip(done, counts, strict=True)]
