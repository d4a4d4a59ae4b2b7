"""Log-probabilities of options after a prompt, with the prompt computed once for all of them.

The tokens of ``prompt + option`` as one text decide where the option begins: its tokens are those that end after the
prompt. Options of a prompt whose leading tokens agree share one key/value cache; where a cache would save little, or
cannot be shared, the joint texts are scored in the ordinary one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.engine.batches import CACHED_FACTOR, BatchSize, CacheMisleads, OutOfMemory, in_batches, padded
from probatum.engine.encoding import Encoded, Encoder
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.one_pass import RecordCollector, token_moments
from probatum.engine.payloads import OptionRow

#: A second, shallower pass over cached keys has its own overhead: the cache must save this much to be worth it.
_WORTH = 1.5


@dataclass(frozen=True)
class _Option:
    prompt: int
    column: int
    joint: Encoded
    begin: int  # first token of the option in the joint sequence

    @property
    def tail(self) -> np.ndarray:
        return self.joint.sequence[self.begin :]


def score_options(
    encoder: Encoder,
    collector: RecordCollector,
    prompts: Sequence[str],
    options: Sequence[Sequence[str]],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[tuple[list[int], list[OptionRow]]]:
    """Yield (prompts, rows), a group of prompts at a time; each row has one entry per option."""
    cut = [_options(encoder, i, p, o) for i, (p, o) in enumerate(zip(prompts, options, strict=True))]
    costs = [_costs(row) for row in cut]
    network = collector.network
    cached: list[int] = []
    joint: list[int] = []
    for i, row in enumerate(cut):
        fits = all(len(o.joint.sequence) - 1 <= collector.context for o in row)
        worth = costs[i][0] > _WORTH * costs[i][1]
        (cached if network.shares_cache and fits and worth else joint).append(i)
    left = set(cached)
    try:
        for done, rows in _over_cache(collector, cut, options, cached, book, count_pass):
            left.difference_update(done)
            yield done, rows
    except (OutOfMemory, CacheMisleads):  # too many options of one prompt for a batch, or a cache unlike others
        joint += sorted(left)
    yield from _jointly(collector, cut, costs, options, joint, book, count_pass)


def _options(encoder: Encoder, i: int, prompt: str, options: Sequence[str]) -> list[_Option]:
    out = []
    for column, joint in enumerate(encoder([prompt + option for option in options])):
        # Without a start token the very first token has nothing before it and cannot be scored.
        begin = max(1, int(np.searchsorted(joint.ends, len(prompt), side="right")))
        out.append(_Option(i, column, joint, begin))
    return out


def _prefixes(row: Sequence[_Option]) -> dict[bytes, list[_Option]]:
    """Options by the tokens before them: one group, unless a tokenizer merges across the boundary."""
    groups: dict[bytes, list[_Option]] = {}
    for option in row:
        if len(option.tail):
            groups.setdefault(option.joint.sequence[: option.begin].tobytes(), []).append(option)
    return groups


def _costs(row: Sequence[_Option]) -> tuple[int, int]:
    """Forward tokens: every joint text, and over a shared cache."""
    joint = sum(len(o.joint.sequence) - 1 for o in row)
    shared = sum(g[0].begin + sum(len(o.tail) - 1 for o in g) for g in _prefixes(row).values())
    return joint, shared


def _blank(options: Sequence[str], row: Sequence[_Option]) -> OptionRow:
    tokens = np.array([len(o.tail) for o in row], np.int32)
    return np.zeros(len(row)), tokens, np.array([len(o.encode("utf-8", "surrogatepass")) for o in options], np.int32)


def _jointly(
    collector: RecordCollector,
    cut: Sequence[Sequence[_Option]],
    costs: Sequence[tuple[int, int]],
    options: Sequence[Sequence[str]],
    wanted: Sequence[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[tuple[list[int], list[OptionRow]]]:
    order = sorted(wanted, key=lambda i: -max((len(o.joint.sequence) for o in cut[i]), default=0))
    samples = 3
    while order:
        # About one batch of prompts at a time, so that a killed audit loses no more than that.
        group: list[int] = []
        total = 0
        while order and (not group or total + costs[order[0]][0] <= collector.size.tokens):
            total += costs[order[0]][0]
            group.append(order.pop(0))
        flat = [o for i in group for o in cut[i]]
        rows = {i: _blank(options[i], cut[i]) for i in group}
        joints = [o.joint for o in flat]
        for done, records in collector.collect(joints, book, count_pass, logprob_only=True, samples=samples):
            for d, record in zip(done, records, strict=True):
                option = flat[d]
                scored = record["logprob"][option.begin - 1 :]
                rows[option.prompt][0][option.column] = scored.sum(dtype=np.float64)
        samples = 0
        yield group, [rows[i] for i in group]


def _over_cache(
    collector: RecordCollector,
    cut: Sequence[Sequence[_Option]],
    options: Sequence[Sequence[str]],
    wanted: Sequence[int],
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[tuple[list[int], list[OptionRow]]]:
    size = BatchSize(CACHED_FACTOR * collector.size.tokens)
    rows = {i: _blank(options[i], cut[i]) for i in wanted}
    units: list[list[_Option]] = []
    for i in wanted:
        for group in _prefixes(cut[i]).values():
            step = max(1, size.tokens // max(len(o.joint.sequence) for o in group))
            units += [group[at : at + step] for at in range(0, len(group), step)]
    left = dict.fromkeys(wanted, 0)
    for unit in units:
        left[unit[0].prompt] += 1
    empty = [i for i in wanted if left[i] == 0]
    if empty:
        yield empty, [rows[i] for i in empty]

    def run(batch: list[int]) -> np.ndarray:
        return _run(collector.network, [units[b] for b in batch], count_pass)

    lengths = [max(len(o.joint.sequence) for o in unit) for unit in units]
    tokens = [unit[0].begin + sum(len(o.tail) - 1 for o in unit) for unit in units]
    for batch, sums in in_batches(lengths, size, run, book, rows=[len(u) for u in units], tokens=tokens):
        done = []
        flat = [o for b in batch for o in units[b]]
        _check_cache(collector, flat[-1], float(sums[-1]), book, count_pass)
        for option, value in zip(flat, sums, strict=True):
            rows[option.prompt][0][option.column] = value
        for b in batch:
            i = units[b][0].prompt
            left[i] -= 1
            if left[i] == 0:
                done.append(i)
        yield done, [rows[i] for i in done]


def _run(network: Network, units: Sequence[Sequence[_Option]], count_pass: Callable[[], None]) -> np.ndarray:
    """Sum of log-probabilities of every option of every unit; the units' prefixes are read once."""
    torch, device = network.torch, network.device
    count_pass()
    prefixes = [unit[0].joint.sequence[: unit[0].begin] for unit in units]
    ids, real = padded(prefixes)
    features, cache = network.features(torch.from_numpy(ids).to(device), keep=True)
    flat = [o for unit in units for o in unit]
    unit_of = np.repeat(np.arange(len(units)), [len(u) for u in units])
    last = features[torch.arange(len(units)), torch.from_numpy(real.sum(1) - 1).to(device)]
    sums = _first_tokens(network, last, unit_of, np.array([o.tail[0] for o in flat]))
    if max(len(o.tail) for o in flat) == 1:
        return sums
    count_pass()
    chosen = torch.from_numpy(unit_of).to(device)
    _repeat(cache, chosen)
    tails, here = padded([o.tail[:-1] for o in flat])
    # Prefixes were padded on the right, so the mask has holes; positions say where a token really stands.
    mask = np.concatenate([real[unit_of], np.ones_like(here)], axis=1)
    positions = real.sum(1)[unit_of][:, None] + np.arange(tails.shape[1])
    features, _ = network.features(
        torch.from_numpy(tails).to(device),
        mask=None if real.all() else torch.from_numpy(mask.astype(np.int64)).to(device),
        positions=torch.from_numpy(positions).to(device),
        cache=cache,
        keep=True,
    )
    scored = torch.from_numpy(np.flatnonzero(here)).to(device)
    targets = torch.from_numpy(np.concatenate([o.tail[1:] for o in flat]).astype(np.int64)).to(device)
    real_rows = features.flatten(0, 1).index_select(0, scored)
    logprob = token_moments(network, real_rows, targets, logprob_only=True)[0].cpu().numpy()
    row = np.repeat(np.arange(len(flat)), [len(o.tail) - 1 for o in flat])
    return sums + np.bincount(row, weights=logprob.astype(np.float64), minlength=len(flat))


def _check_cache(
    collector: RecordCollector,
    option: _Option,
    over_cache: float,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> None:
    """Once per model: the option with the most padding before it scores the same in its joint text."""
    network = collector.network
    if network.cache_checked:
        return
    (_, (record,)) = next(collector.collect([option.joint], book, count_pass, logprob_only=True))
    joint = float(record["logprob"][option.begin - 1 :].sum(dtype=np.float64))
    if not network.same_sum(joint, over_cache):
        network.shares_cache = False
        raise CacheMisleads
    network.cache_checked = True


def _repeat(cache: Any, rows: Any) -> None:
    """Choose and repeat the rows of a cache; for a single prompt as a view, since the next pass copies it anyway."""
    layers = getattr(cache, "layers", ())
    if int(rows.max()) == 0 and layers and all(getattr(layer, "keys", None) is not None for layer in layers):
        for layer in layers:
            layer.keys = layer.keys.expand(len(rows), -1, -1, -1)
            layer.values = layer.values.expand(len(rows), -1, -1, -1)
    else:
        cache.batch_select_indices(rows)


def _first_tokens(network: Network, last: Any, unit_of: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Log-probability of each option's first token; a unit's row of logits serves all of its options."""
    torch = network.torch
    out = np.zeros(len(tokens))
    for start in range(0, len(last), CHUNK_ROWS):
        logits = network.logits(last[start : start + CHUNK_ROWS])
        mine = np.flatnonzero((unit_of >= start) & (unit_of < start + CHUNK_ROWS))
        row = torch.from_numpy(unit_of[mine] - start).to(last.device)
        token = torch.from_numpy(tokens[mine].astype(np.int64)).to(last.device)
        out[mine] = (logits[row, token] - logits.logsumexp(-1)[row]).double().cpu().numpy()
    return out
