"""What a sampler would have drawn: the log-probability of every token after temperature, top-k and top-p.

The order and the ties are those of transformers' generate (temperature, then top-k, then top-p): tokens that tie with
the k-th are all kept, and among equally likely ones top-p cuts the lower ids first. So a text's numbers are the law of
what `generate` with those settings writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.core.target import RECORD
from probatum.engine.encoding import Encoded

if TYPE_CHECKING:
    from probatum.engine.one_pass import RecordCollector

#: (temperature, top_k, top_p); top_k 0 and top_p 1 cut nothing.
Sampler = tuple[float, int, float]
#: Indices, their records, and per sampler the rows of the same texts.
SampledBatch = tuple[Sequence[int], Sequence[np.ndarray], Sequence[Sequence[np.ndarray]]]


def field(number: int) -> str:
    """Where the log-probabilities of a pass's sampler stand in what `RecordCollector.collect` yields."""
    return f"sampling {number}"


def sampler_logprob(torch: Any, logits: Any, targets: Any, sampler: Sampler) -> Any:
    """log p′ of ``targets``, shape (rows,), −inf where cut. ``logits`` (rows, vocabulary) stay as they are."""
    temperature, top_k, top_p = sampler
    z = logits if temperature == 1 else logits / temperature
    true = z.gather(-1, targets[:, None])[:, 0]
    top_k = top_k if top_k < z.shape[1] else 0
    if top_p == 1:
        return _after_top_k(torch, z, true, top_k) if top_k else true - z.logsumexp(-1)
    if top_k:
        z = z.masked_fill(z < z.topk(top_k).values[:, -1:], -torch.inf)
    ordered, place = z.sort(stable=True)
    cut = ordered.softmax(-1).cumsum(-1) <= 1 - top_p
    cut[:, -1] = False  # the likeliest token always stays
    z = z.masked_fill(torch.zeros_like(cut).scatter_(1, place, cut), -torch.inf)
    return z.gather(-1, targets[:, None])[:, 0] - z.logsumexp(-1)


def _after_top_k(torch: Any, z: Any, true: Any, top_k: int) -> Any:
    """Of the kept logits only: a masked copy of all of them would cost four times as much."""
    kept = z.topk(top_k).values
    best, least = kept[:, :1], kept[:, -1:]
    more = torch.ge(z, least, out=torch.empty_like(z)).sum(-1) - top_k  # that tie with the last one
    mass = (kept - best).exp().sum(-1) + more * (least - best)[:, 0].exp()
    return torch.where(true >= least[:, 0], true - best[:, 0] - mass.log(), -torch.inf)


def collect_sampling(
    collector: RecordCollector,
    encoded: Sequence[Encoded],
    temperature: float,
    top_k: int,
    top_p: float,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Rows of log p′, float32, one number per scored token, in a pass of their own; windows as for the record."""
    sampler = (temperature, top_k, top_p)
    batches = collector.collect(encoded, book, count_pass, logprob_only=True, samplers=[sampler])
    for indices, records in batches:
        yield indices, [record[field(0)].copy() for record in records]


def collect_with_records(
    collector: RecordCollector,
    encoded: Sequence[Encoded],
    samplers: Sequence[Sampler],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[SampledBatch]:
    """Records, and the rows of every sampler from the same logits."""
    for indices, wide in collector.collect(encoded, book, count_pass, samplers=samplers):
        records = [np.empty(len(w), RECORD) for w in wide]
        for record, w in zip(records, wide, strict=True):
            for name in RECORD.names or ():
                record[name] = w[name]
        yield indices, records, [[w[field(n)].copy() for w in wide] for n in range(len(samplers))]
