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
from probatum.engine.batches import BatchSize, CacheMisleads, in_batches
from probatum.engine.encoding import Encoder
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.stored import Batch, Failure
from probatum.engine.waiting import Hands, Row

_LOOK_FOR_STOP = 8  # decoding is slow beside a small model: the stop string is looked for every so many tokens


@dataclass(frozen=True)
class Sampling:
    """How to continue: greedily at temperature 0, up to an end token, ``stop`` or ``max_new_tokens``."""

    max_new_tokens: int
    temperature: float
    stop: str | None
    seed: int
    top_k: int = 0  #: tokens that are drawn from, the likeliest; 0: all


def generate(
    encoder: Encoder,
    network: Network,
    context: int,
    size: BatchSize,
    prompts: Sequence[str],
    sampling: Sampling,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
    count_new: Callable[[int], None],
) -> Iterator[Batch]:
    """Yield (prompts, continuations) as they are over: with continuous refill where `refill` can, else in batches.

    A prompt that leaves no room for ``max_new_tokens`` loses its beginning, down to half the context.
    """
    sequences, wanted, empty = cut_prompts(encoder, prompts, max(context - sampling.max_new_tokens, context // 2))
    yield from empty
    left = {i: Row(i, sequences[i], min(sampling.max_new_tokens, context - len(sequences[i]))) for i in wanted}
    if silent := [i for i, row in left.items() if row.limit < 1]:
        yield silent, [""] * len(silent)
    left = {i: row for i, row in left.items() if row.limit > 0}

    def pick(features: Any, rows: Sequence[Row]) -> np.ndarray:
        if sampling.temperature == 0:
            return _pick(network, features, sampling, None)
        for row in rows:
            if row.draws is None:
                row.draws = _draws(sampling, prompts[row.index])
        uniform = np.array([row.draws[len(row.new)] for row in rows if row.draws is not None])
        return _pick(network, features, sampling, uniform)

    def over(row: Row) -> bool:
        if len(row.new) >= row.limit:
            return True
        look = sampling.stop and len(row.new) % _LOOK_FOR_STOP == 0
        return bool(look and str(sampling.stop) in encoder.tokenizer.decode(row.new))

    hands = Hands(pick, over, end_tokens(encoder, network), book, count_pass)
    ways = [_in_lockstep]
    if network.plain_cache is not None:
        from probatum.engine.refill import refill

        ways.insert(0, refill)
    for way in ways:
        try:
            for rows in way(network, list(left.values()), size, hands):
                count_new(sum(len(row.new) for row in rows))
                texts = [continued(encoder, row.sequence, row.new, sampling.stop) for row in rows]
                yield [left.pop(row.index).index for row in rows], texts
        except CacheMisleads:  # nothing that hung on it was yielded
            for row in left.values():
                row.new.clear()


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


def _in_lockstep(network: Network, rows: Sequence[Row], size: BatchSize, hands: Hands) -> Iterator[list[Row]]:
    """Yield rows as `refill` does, for models whose cache is their own affair: batches of prompts of equal length."""

    def run(batch: list[int]) -> list[Row]:
        own = [rows[i] for i in batch]
        for row in own:
            row.new.clear()  # memory may have run out before
        _continue(network, own, hands)
        return own

    def together(a: int, b: int) -> bool:
        return network.head == "chunked" and len(rows[a].sequence) == len(rows[b].sequence)

    lengths = [len(row.sequence) for row in rows]
    for _, own in in_batches([row.whole for row in rows], size, run, hands.book, tokens=lengths, together=together):
        yield own


def _continue(network: Network, rows: Sequence[Row], hands: Hands) -> None:
    """Give every row its new tokens, without the end token; all have the same length and limit."""
    torch = network.torch
    ids = torch.from_numpy(np.array([row.sequence for row in rows], np.int64)).to(network.device)
    hands.count_pass()
    features, cache = network.features(ids, keep=network.caches)
    done = np.zeros(len(rows), bool)
    while True:
        tokens = hands.pick(features[:, -1], rows)
        for i in np.flatnonzero(~done).tolist():
            if tokens[i] in hands.ends:
                done[i] = True
            else:
                rows[i].new.append(int(tokens[i]))
                done[i] = hands.over(rows[i])
        if done.all():
            return
        hands.book(len(rows))
        hands.count_pass()
        column = torch.from_numpy(tokens.astype(np.int64)).to(network.device)[:, None]
        ids = torch.cat([ids, column], 1)
        if network.caches:
            place = torch.full_like(column, ids.shape[1] - 1)
            features, cache = network.features(column, positions=place, cache=cache, keep=True)
        else:  # the whole text again
            features, _ = network.features(ids)


def _pick(network: Network, last: Any, sampling: Sampling, uniform: np.ndarray | None) -> np.ndarray:
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
        if 0 < sampling.top_k < exact.shape[1]:  # tokens that tie with the last one stay, as in `sampling`
            exact = exact.masked_fill(exact < exact.topk(sampling.top_k).values[:, -1:], -torch.inf)
        total = (exact.double() / sampling.temperature).softmax(-1).cumsum(-1)
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
