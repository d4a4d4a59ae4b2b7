"""One forward pass that keeps the whole record of every token, and never the logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from probatum.core.errors import BadInput, ProbatumError
from probatum.core.target import RECORD
from probatum.engine.batches import BatchSize, in_batches, windows
from probatum.engine.encoding import Encoded
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.sampling import Sampler, field, sampler_logprob

#: What `token_moments` gives per row, in this order.
COLUMNS = ("logprob", "mean", "std", "rank", "argmax", "argmax_logprob", "logsumexp")
_TOLERANCE = 1e-4  # padded against unpadded, in float32
_SAMPLES = 3  # batches of a run that are checked
_BLOCK = 128


def token_moments(
    network: Network, features: Any, targets: Any, *, logprob_only: bool = False, samplers: Sequence[Sampler] = ()
) -> Any:
    """The numbers of `COLUMNS` for every row of features (rows, width), as float32 on the device.

    Below them stand the log-probabilities under each sampler, of the same logits.
    Ranks and token ids are whole numbers below 2**24, which float32 holds exactly; so one array is one transfer.
    Moments are taken about the largest logit, where the probability mass is: about zero, the variance of a nearly
    uniform row would drown in rounding.
    """
    torch = network.torch
    columns = 1 if logprob_only else len(COLUMNS)
    out = torch.empty(columns + len(samplers), len(targets), device=features.device)
    for start in range(0, len(targets), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        z = network.logits(features[part])  # ours: overwritten below
        true = z.gather(-1, targets[part, None])
        for n, sampler in enumerate(samplers):
            out[columns + n, part] = sampler_logprob(torch, z, targets[part], sampler)
        if logprob_only:
            out[0, part] = true[:, 0] - z.logsumexp(-1)
            continue
        highest, argmax = _highest(torch, z)
        p = torch.empty_like(z)
        torch.gt(z, true, out=p)  # as 0.0 and 1.0: summing booleans is five times slower on a CPU
        out[3, part] = p.sum(-1)
        # Forbidden tokens have logit -inf; 0 · -inf would be NaN where 0 · -1e4 is the 0 that is meant.
        z.sub_(highest[:, None]).clamp_(min=-1e4)
        torch.exp(z, out=p)
        total = p.sum(-1)
        first = torch.linalg.vecdot(p, z) / total
        second = torch.linalg.vecdot(p.mul_(z), z) / total
        log_total = total.log()
        out[0, part] = (true[:, 0] - highest) - log_total
        out[1, part] = first - log_total
        out[2, part] = (second - first * first).clamp_(min=0).sqrt()
        out[4, part] = argmax.to(out.dtype)
        out[5, part] = -log_total
        out[6, part] = highest + log_total
    return out


def _highest(torch: Any, z: Any) -> tuple[Any, Any]:
    """Maximum and its (first) place per row, block by block: seven times faster than torch.max on a CPU."""
    whole = z.shape[1] // _BLOCK * _BLOCK
    if z.device.type != "cpu" or whole < 4 * _BLOCK:
        found = z.max(-1)
        return found.values, found.indices
    blocks = z[:, :whole].unflatten(1, (-1, _BLOCK))
    best = blocks.amax(-1).max(-1)
    inside = blocks[torch.arange(len(z)), best.indices].argmax(-1)
    highest, place = best.values, best.indices * _BLOCK + inside
    if whole < z.shape[1]:
        rest = z[:, whole:].max(-1)
        later = rest.values > highest
        highest = torch.where(later, rest.values, highest)
        place = torch.where(later, rest.indices + whole, place)
    return highest, place


class RecordCollector:
    """Reads encoded texts and yields (indices, records) batch by batch.

    Attributes
    ----------
    windowed
        Texts so far that were longer than the context and were read in windows.
    padding_difference
        Largest difference so far between a log-probability computed in a padded batch and the same text alone.
    """

    def __init__(self, network: Network, context: int, size: BatchSize):
        self.network = network
        self.context = context
        self.size = size
        self.windowed = 0
        self.padding_difference = 0.0

    def collect(
        self,
        encoded: Sequence[Encoded],
        book: Callable[[int], None],
        count_pass: Callable[[], None],
        *,
        logprob_only: bool = False,
        samples: int = _SAMPLES,
        samplers: Sequence[Sampler] = (),
    ) -> Iterator[tuple[list[int], list[np.ndarray]]]:
        """Records, batch by batch. With ``logprob_only`` the other numbers stay zero, and it costs less.

        With ``samplers`` the records have further fields, named by `sampling.field`, from the same logits.
        ``samples`` batches are checked: padded against alone.

        Raises
        ------
        BadInput
            The model gives NaN.
        ProbatumError
            A text scores differently in a padded batch than alone (float32 only): nothing of it may be believed.
        """
        extras = [field(n) for n in range(len(samplers))]
        records = [_empty_record(e, extras) for e in encoded]
        silent = [i for i, r in enumerate(records) if len(r) == 0]
        if silent:
            yield silent, [records[i] for i in silent]
        pieces = [(i, *w) for i, r in enumerate(records) if len(r) for w in windows(len(r), self.context)]
        left = np.bincount([p[0] for p in pieces], minlength=len(records))
        self.windowed += int((left > 1).sum())
        columns = [*(COLUMNS[:1] if logprob_only else COLUMNS), *extras]
        checked = 0

        def run(batch: list[int]) -> np.ndarray:
            count_pass()
            cut = [(encoded[pieces[b][0]].sequence, *pieces[b][1:]) for b in batch]
            return self._run(cut, logprob_only, samplers)

        lengths = [stop - start for _, start, stop, _ in pieces]
        # A model that keeps its head to itself gives logits of whole rows: one text at a time.
        together = (lambda a, b: False) if self.network.head == "model" else (lambda a, b: True)
        for batch, numbers in in_batches(lengths, self.size, run, book, read=lengths, together=together):
            if np.isnan(numbers).any():
                raise BadInput(f"{self.network.name}: the model gives NaN; try --dtype float32, or mend its weights")
            if checked < samples and lengths[batch[0]] > lengths[batch[-1]]:
                book(lengths[batch[-1]])
                self._check_padding(numbers, run(batch[-1:]))
                checked += 1
            done, at = [], 0
            for i, start, stop, first in (pieces[b] for b in batch):
                n = stop - start - first
                for name, column in zip(columns, numbers, strict=True):
                    records[i][name][start + first : stop] = column[at : at + n]
                at += n
                left[i] -= 1
                if left[i] == 0:
                    done.append(i)
            yield done, [records[i] for i in done]

    def _run(
        self, batch: Sequence[tuple[np.ndarray, int, int, int]], logprob_only: bool, samplers: Sequence[Sampler]
    ) -> np.ndarray:
        """Numbers (columns, scored tokens of the batch) of pieces (sequence, start, stop, first)."""
        torch = self.network.torch
        width = max(stop - start for _, start, stop, _ in batch)
        ids = np.zeros((len(batch), width), np.int64)
        rows, targets = [], []
        for r, (sequence, start, stop, first) in enumerate(batch):
            ids[r, : stop - start] = sequence[start:stop]
            rows.append(np.arange(r * width + first, r * width + stop - start))
            targets.append(sequence[start + first + 1 : stop + 1])
        device = self.network.device
        features, _ = self.network.features(torch.from_numpy(ids).to(device))
        scored = torch.from_numpy(np.concatenate(rows)).to(device)
        wanted = torch.from_numpy(np.concatenate(targets).astype(np.int64)).to(device)
        real = features.flatten(0, 1).index_select(0, scored)
        del features
        moments = token_moments(self.network, real, wanted, logprob_only=logprob_only, samplers=samplers)
        numbers: np.ndarray = moments.cpu().numpy()
        return numbers

    def _check_padding(self, numbers: np.ndarray, alone: np.ndarray) -> None:
        """The last piece of a batch is its shortest and has the most padding; alone it must score the same."""
        padded, alone = numbers[0, -alone.shape[1] :], alone[0]
        difference = np.abs(padded - alone)
        self.padding_difference = max(self.padding_difference, float(difference.max()))
        exact = self.network.model.dtype == self.network.torch.float32
        if exact and not np.all(difference <= _TOLERANCE + 1e-5 * np.abs(alone)):
            raise ProbatumError(
                f"{self.network.name}: evidence untrusted: a text scores differently in a padded batch than alone (by "
                f"{difference.max():.2g}, at most {_TOLERANCE:g} is allowed); nothing of this batch was kept"
            )


def _empty_record(encoded: Encoded, extras: Sequence[str]) -> np.ndarray:
    dtype = np.dtype([*RECORD.descr, *((name, "<f4") for name in extras)]) if extras else RECORD
    record = np.zeros(max(0, len(encoded.sequence) - 1), dtype)
    record["id"], record["end"] = encoded.sequence[1:], encoded.ends[1:]
    return record
