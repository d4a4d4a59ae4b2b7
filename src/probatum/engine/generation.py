"""Continuations of prompts, many at a time over one cache, the same in any company.

A prompt's draws come from a generator keyed by (seed, prompt), one uniform number per token, so a continuation
depends neither on the other prompts nor on their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize, in_batches, padded
from probatum.engine.encoding import Encoder
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.stored import Batch, Failure

_LOOK_FOR_STOP = 8  # decoding is slow beside a small model: the stop string is looked for every so many tokens


@dataclass(frozen=True)
class Sampling:
    """How to continue: greedily at temperature 0, up to an end token, ``stop`` or ``max_new_tokens``."""

    max_new_tokens: int
    temperature: float
    stop: str | None
    seed: int


def generate(
    encoder: Encoder,
    network: Network,
    context: int,
    size: BatchSize,
    prompts: Sequence[str],
    sampling: Sampling,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[Batch]:
    """Yield (prompts, continuations) batch by batch.

    A prompt that leaves no room for ``max_new_tokens`` loses its beginning, down to half the context.
    """
    sequences, wanted, empty = cut_prompts(encoder, prompts, max(context - sampling.max_new_tokens, context // 2))
    yield from empty
    lengths = [len(sequences[i]) for i in wanted]
    steps = [min(sampling.max_new_tokens, context - length) for length in lengths]
    ends = end_tokens(encoder, network)

    def run(batch: list[int]) -> list[str]:
        rows = [wanted[b] for b in batch]
        uniform = np.stack([_draws(sampling, prompts[i]) for i in rows]) if sampling.temperature > 0 else None

        def over(row: int, new: list[int]) -> bool:
            if len(new) >= steps[batch[row]]:
                return True
            look = sampling.stop and len(new) % _LOOK_FOR_STOP == 0
            return bool(look and str(sampling.stop) in encoder.tokenizer.decode(new))

        def pick(logits: Any, alive: np.ndarray, step: int) -> np.ndarray:
            return _pick(network, logits, sampling.temperature, None if uniform is None else uniform[alive, step])

        new = _continue(network, [sequences[i] for i in rows], pick, over, ends, book, count_pass)
        return [continued(encoder, sequences[i], n, sampling.stop) for i, n in zip(rows, new, strict=True)]

    def together(a: int, b: int) -> bool:
        return network.head == "chunked" and (not network.exact or lengths[a] == lengths[b])

    whole = [length + step for length, step in zip(lengths, steps, strict=True)]
    for batch, texts in in_batches(whole, size, run, book, tokens=lengths, together=together):
        yield [wanted[b] for b in batch], texts


def cut_prompts(
    encoder: Encoder, prompts: Sequence[str], limit: int
) -> tuple[list[np.ndarray], list[int], list[Batch]]:
    """(token ids of every prompt, of which only the end is kept if it is longer than ``limit``; prompts that have
    any; what is to be yielded for those that have none)."""
    sequences = [encoded.sequence[-limit:] for encoded in encoder(prompts)]
    empty = [i for i, s in enumerate(sequences) if len(s) == 0]
    why = Failure("an empty prompt, and its tokenizer has no token to begin a text with")
    failed: list[Batch] = [(empty, [why] * len(empty))] if empty else []
    return sequences, [i for i, s in enumerate(sequences) if len(s)], failed


def end_tokens(encoder: Encoder, network: Network) -> frozenset[int]:
    """Tokens that end a text, by the model's generation settings and by the tokenizer."""
    named = getattr(network.model.generation_config, "eos_token_id", None)
    ends = named if isinstance(named, list) else [named]
    return frozenset(int(e) for e in [*ends, encoder.tokenizer.eos_token_id] if e is not None)


def _continue(
    network: Network,
    sequences: Sequence[np.ndarray],
    pick: Callable[[Any, np.ndarray, int], np.ndarray],
    over: Callable[[int, list[int]], bool],
    ends: frozenset[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> list[list[int]]:
    """The new tokens of every sequence, without the end token."""
    torch, device = network.torch, network.device
    first, real = padded(sequences)
    ids = torch.from_numpy(first).to(device)
    length = torch.from_numpy(real.sum(1)).to(device)
    # Prompts are padded on the right, so the mask of later steps has holes; positions say where a token stands.
    mask = None if real.all() else torch.from_numpy(real.astype(np.int64)).to(device)
    count_pass()
    features, cache = network.features(ids, keep=network.caches)
    last = features[torch.arange(len(ids), device=device), length - 1]
    del features
    new: list[list[int]] = [[] for _ in sequences]
    alive = np.arange(len(sequences))  # row of the batch -> sequence
    done = np.array([over(i, []) for i in range(len(alive))])
    step = 0
    while not done.all():
        tokens = pick(last, alive, step)
        for i, token in zip(alive.tolist(), tokens.tolist(), strict=True):
            if not done[i] and token not in ends:
                new[i].append(token)
                done[i] = over(i, new[i])
            else:
                done[i] = True
        if done.all():
            break
        if network.shares_cache and done[alive].mean() > 0.5:  # most rows are over: leave them out
            keep = np.flatnonzero(~done[alive])
            rows = torch.from_numpy(keep).to(device)
            cache.batch_select_indices(rows)
            alive, tokens, length = alive[keep], tokens[keep], length[rows]
            mask = None if mask is None else mask[rows]
        book(len(alive))
        count_pass()
        column = torch.from_numpy(tokens.astype(np.int64)).to(device)[:, None]
        if network.caches:
            mask = None if mask is None else torch.cat([mask, torch.ones_like(column)], 1)
            # A row that is over stays where it is: its place might be one that the model does not have.
            place = (length + step * torch.from_numpy((~done[alive]).astype(np.int64)).to(device))[:, None]
            features, cache = network.features(column, mask=mask, positions=place, cache=cache, keep=True)
        else:  # no cache to be had: the whole text again, rows being of equal length
            ids = torch.cat([ids, column], 1)
            features, _ = network.features(ids)
        last = features[:, -1]
        step += 1
    return new


def _pick(network: Network, last: Any, temperature: float, uniform: np.ndarray | None) -> np.ndarray:
    """The next token of every row: the likeliest, or where the cumulative probability passes ``uniform``."""
    torch = network.torch
    out = []
    for start in range(0, len(last), CHUNK_ROWS):
        logits = network.logits(last[start : start + CHUNK_ROWS])
        if uniform is None:
            likeliest = logits.argmax(-1)  # NaN counts as the largest: a model that gives it would write some token
            refuse_nan(network, logits.gather(-1, likeliest[:, None]))
            out.append(likeliest)
            continue
        exact = logits.cpu() if logits.device.type == "mps" else logits  # which has no double precision
        total = (exact.double() / temperature).softmax(-1).cumsum(-1)
        refuse_nan(network, total[:, -1])
        u = torch.from_numpy(uniform[start : start + CHUNK_ROWS, None]).to(total.device)
        token = torch.searchsorted(total, u * total[:, -1:], right=True)[:, 0]
        out.append(token.clamp(max=total.shape[1] - 1))
    tokens: np.ndarray = torch.cat(out).cpu().numpy()
    return tokens


def refuse_nan(network: Network, numbers: Any) -> None:
    """Raise `BadInput` where a number is none: what a model picks by it means nothing."""
    if bool(network.torch.isnan(numbers).any()):
        raise BadInput(f"{network.name}: the model gives NaN; try --dtype float32, or mend its weights")


def _draws(sampling: Sampling, prompt: str) -> np.ndarray:
    key = hashlib.sha256(f"{sampling.seed}\0".encode() + prompt.encode("utf-8", "surrogatepass")).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(key[:16], "little"))).random(sampling.max_new_tokens)


def continued(encoder: Encoder, before: np.ndarray, new: list[int], stop: str | None) -> str:
    """The new tokens as text. They are decoded after their prompt, since a first token alone may lose its space."""

    def decode(ids: list[int]) -> str:
        return str(encoder.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    prompt = [int(i) for i in before]
    head, whole = decode(prompt), decode([*prompt, *new])
    text = whole[len(head) :] if whole.startswith(head) else decode(new)
    return text.split(stop, 1)[0] if stop else text
