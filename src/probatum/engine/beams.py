"""Beam search: the likeliest continuations of prompts, many prompts at a time over one cache.

A beam is a sequence of tokens and the sum of their log-probabilities, without a length penalty. At every step each
living beam is prolonged by every token, and of all that there is then the ``width`` likeliest stay, those that have
ended among them. So what is found is exact where nothing had to be dropped, and else a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import CACHED_FACTOR, BatchSize, in_batches, padded
from probatum.engine.encoding import Encoder
from probatum.engine.generation import continued, cut_prompts, end_tokens, refuse_nan
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.one_pass import token_moments
from probatum.engine.stored import Batch


@dataclass
class _Beam:
    """``row``: where the last pass read it; None for a beam that has ended."""

    tokens: list[int]
    logprob: float
    row: int | None


def search(
    encoder: Encoder,
    network: Network,
    context: int,
    size: BatchSize,
    prompts: Sequence[str],
    max_new_tokens: int,
    width: int,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[Batch]:
    """Yield (prompts, lists of (text, log-probability), best first) batch by batch.

    The text is without the end token, the log-probability with it. A prompt that leaves no room for
    ``max_new_tokens`` loses its beginning, down to half the context. Where rows of a cache cannot be chosen and
    repeated, every step reads the whole texts again, one prompt at a time.
    """
    if width < 1 or max_new_tokens < 1:
        raise BadInput(f"beam search needs a width and a length of 1 or more, got {width} and {max_new_tokens}")
    sequences, wanted, empty = cut_prompts(encoder, prompts, max(context - max_new_tokens, context // 2))
    yield from empty
    lengths = [len(sequences[i]) for i in wanted]
    steps = [min(max_new_tokens, context - length) for length in lengths]
    ends = end_tokens(encoder, network)

    def run(batch: list[int]) -> list[list[tuple[str, float]]]:
        rows = [sequences[wanted[b]] for b in batch]
        left = [steps[b] for b in batch]
        if network.shares_cache:
            found = _over_cache(network, rows, left, width, ends, book, count_pass)
            if not network.cache_checked and not _agrees(network, rows, found, book, count_pass):
                network.shares_cache = False
        if not network.shares_cache:
            found = [_reread(network, *row, width, ends, book, count_pass) for row in zip(rows, left, strict=True)]
        return [
            [(continued(encoder, row, [t for t in beam.tokens if t not in ends], None), beam.logprob) for beam in beams]
            for row, beams in zip(rows, found, strict=True)
        ]

    def together(a: int, b: int) -> bool:
        return network.shares_cache

    whole = [length + step for length, step in zip(lengths, steps, strict=True)]
    roomy = BatchSize(CACHED_FACTOR * size.tokens) if network.shares_cache else size
    height = [width] * len(wanted)
    for batch, found in in_batches(whole, roomy, run, book, rows=height, tokens=lengths, together=together):
        yield [wanted[b] for b in batch], found


def _over_cache(
    network: Network,
    sequences: Sequence[np.ndarray],
    steps: Sequence[int],
    width: int,
    ends: frozenset[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> list[list[_Beam]]:
    """The beams of every sequence; the prompts are read once, and every step reads one token a beam."""
    torch, device = network.torch, network.device
    ids, real = padded(sequences)
    length = real.sum(1)
    # Prompts are padded on the right, so the mask of later steps has holes; positions say where a token stands.
    mask = None if real.all() else real.astype(np.int64)
    count_pass()
    features, cache = network.features(torch.from_numpy(ids).to(device), keep=True)
    last = features[torch.arange(len(ids), device=device), torch.from_numpy(length - 1).to(device)]
    del features
    prompt = np.arange(len(sequences))  # row of the pass -> sequence
    beams = [[_Beam([], 0.0, row)] for row in range(len(sequences))]
    for step in range(max(steps)):
        likeliest = _likeliest(network, last, width)
        beams = [
            _prolonged(own, *likeliest, width, ends) if step < limit else own
            for own, limit in zip(beams, steps, strict=True)
        ]
        living = [
            (i, beam) for i, own in enumerate(beams) for beam in own if beam.row is not None and step + 1 < steps[i]
        ]
        if not living:
            break
        book(len(living))
        count_pass()
        parents = np.array([beam.row for _, beam in living])
        if not np.array_equal(parents, np.arange(len(prompt))):
            cache.batch_select_indices(torch.from_numpy(parents).to(device))
        prompt = np.array([i for i, _ in living])
        for row, (_, beam) in enumerate(living):
            beam.row = row
        column = torch.tensor([beam.tokens[-1] for _, beam in living], device=device)[:, None]
        read = None if mask is None else np.concatenate([mask[prompt], np.ones((len(prompt), step + 1), np.int64)], 1)
        features, cache = network.features(
            column,
            mask=None if read is None else torch.from_numpy(read).to(device),
            positions=torch.from_numpy(length[prompt] + step).to(device)[:, None],
            cache=cache,
            keep=True,
        )
        last = features[:, -1]
    return beams


def _reread(
    network: Network,
    sequence: np.ndarray,
    steps: int,
    width: int,
    ends: frozenset[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> list[_Beam]:
    """The beams of one sequence without a cache: its rows are of equal length, and read whole at every step."""
    torch = network.torch
    beams = [_Beam([], 0.0, 0)]
    for step in range(steps):
        living = [beam for beam in beams if beam.row is not None]
        if not living:
            break
        ids = torch.from_numpy(np.array([[*sequence, *beam.tokens] for beam in living], np.int64)).to(network.device)
        if step:  # the prompts were booked by the batch
            book(ids.numel())
        # The features of a model that keeps its head to itself are logits: one row of them at a time.
        parts = ids.split(1) if network.head == "model" else [ids]
        last = []
        for part in parts:
            count_pass()
            last.append(network.features(part)[0][:, -1])
        for row, beam in enumerate(living):
            beam.row = row
        beams = _prolonged(beams, *_likeliest(network, torch.cat(last), width), width, ends)
    return beams


def _likeliest(network: Network, last: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-probability and token, shape (rows, at most width): no other token of a row can be among the best."""
    torch = network.torch
    values, tokens = [], []
    for start in range(0, len(last), CHUNK_ROWS):
        logits = network.logits(last[start : start + CHUNK_ROWS])
        best = (logits - logits.logsumexp(-1, keepdim=True)).topk(min(width, logits.shape[1]))
        refuse_nan(network, best.values)
        values.append(best.values)
        tokens.append(best.indices)
    return torch.cat(values).double().cpu().numpy(), torch.cat(tokens).cpu().numpy()


def _prolonged(
    beams: Sequence[_Beam], logprob: np.ndarray, tokens: np.ndarray, width: int, ends: frozenset[int]
) -> list[_Beam]:
    """The ``width`` likeliest of the ended beams and of all that the living ones can become, best first."""
    grown = [beam for beam in beams if beam.row is None]
    for beam in beams:
        if beam.row is not None:
            for value, token in zip(logprob[beam.row].tolist(), tokens[beam.row].tolist(), strict=True):
                if value > -np.inf:  # a token that the model forbids is no continuation
                    row = None if token in ends else beam.row
                    grown.append(_Beam([*beam.tokens, token], beam.logprob + value, row))
    return sorted(grown, key=lambda beam: -beam.logprob)[:width]


def _agrees(
    network: Network,
    sequences: Sequence[np.ndarray],
    found: Sequence[Sequence[_Beam]],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> bool:
    """Once per model: the last beam of the shortest prompt, which has the most padding, scores the same read whole."""
    torch = network.torch
    at = min(range(len(sequences)), key=lambda i: len(sequences[i]))
    beam = found[at][-1]
    whole = np.array([*sequences[at], *beam.tokens], np.int64)
    book(len(whole) - 1)
    count_pass()
    features, _ = network.features(torch.from_numpy(whole[None, :-1]).to(network.device))
    new = features[0, len(sequences[at]) - 1 :]
    targets = torch.from_numpy(whole[len(sequences[at]) :]).to(network.device)
    joint = float(token_moments(network, new, targets, logprob_only=True)[0].double().sum())
    if not network.same_sum(joint, beam.logprob):
        return False
    network.cache_checked = True
    return True
