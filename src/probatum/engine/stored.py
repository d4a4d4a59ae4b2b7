"""A target that answers from the evidence store and computes only what is missing there."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.access import Access
from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.ragged import Ragged
from probatum.core.target import RECORD, LensTokens, OptionScores, Target, TokenStatistics, written_out
from probatum.engine import payloads
from probatum.engine.sampling import SampledBatch, Sampler
from probatum.engine.session import Session
from probatum.engine.shared_prefix import shared_prefixes
from probatum.engine.store import SCHEMA, Evidence, MemoryStore

#: How a sampler begins among the signals of a probe: ``sampling:T,k,p``.
SAMPLING = "sampling:"

#: Whole answers kept in memory, so that twenty probes over the same texts share one set of arrays.
_RECENT = 16
_RECENT_TOKENS = 4_000_000  # of 36 bytes each, 144 MB


@dataclass(frozen=True)
class Failure:
    """Yielded by a hook in place of a payload: this one could not be answered, and why. It is never stored."""

    reason: str


#: What a hook yields: positions in the sequence that it was given, and one payload (or `Failure`) for each.
Batch = tuple[Sequence[int], Sequence[Any]]


class StoredTarget(Target):
    """The public calls of `Target` over hooks that compute.

    A subclass sets ``digest``, ``tokenizer_digest``, ``access``, ``name`` and, where they apply, ``encoding_policy``,
    ``dtype``, ``attention`` (all are part of every evidence key) and ``fields`` (the names of `RECORD` that it
    offers; the others are left zero in its records and touching them raises `NotOffered`). It overrides the hooks
    of the calls that its access covers.

    **Hooks.** Each is a generator that is given only what is missing in the store, without duplicates, and yields
    ``(indices, payloads)`` for every batch as soon as it is computed; the batch is stored before the next is asked
    for, so a killed audit loses at most one. Batches may come in any order; every index exactly once. A payload may
    be `Failure(reason)`: it is not stored, so that a later run asks again. Before each batch a hook calls
    ``self._book(tokens)``, which raises `BudgetSpent` (let it pass: what was yielded is kept), and after each
    forward pass or request ``self.session.cost.forward_passes += 1``.

    ======================================================  ======================================================
    hook                                                    payload per item
    ======================================================  ======================================================
    ``_compute_encodings(texts)``                           ids, int32 array; need not book
    ``_compute_records(texts)``                             array of dtype `RECORD`, one per scored token
    ``_compute_records_after(pairs)``                       of (prefix, text): the record of prefix + text, cut
    ``_compute_choices(prompts, options)``                  (logprob f8, tokens i4, bytes i4), one entry per option
    ``_compute_generations(prompts, max_new_tokens,         str, already cut before ``stop``
    temperature, stop, seed)``
    ``_compute_cut_generations(…, top_k)``                  the same, drawn from the ``top_k`` likeliest tokens
    ``_compute_chats(conversations, max_new_tokens,         str
    temperature, seed)``
    ``_compute_hidden(texts, layers, pool)``                float32 array (len(layers), width)
    ``_compute_sampling(texts, temperature, top_k, top_p)`` float32 array, one per scored token
    ``_compute_sampled_records(texts, samplers)``           as records; and per sampler the rows of the same pass
    ``_compute_beams(prompts, max_new_tokens, width)``      list of (text, log-probability)
    ``_compute_lens(prompts, top)``                         int32 array (3, layers, top): likely, rising, falling
    ``_compute_gradient_norms(texts)``                      float32 array (groups,); `gradient_groups` names them
    ``_compute_gradient_features(texts, dimension, seed)``  float32 array
    ======================================================  ======================================================

    Failures: a text has an empty record, an option row NaN, a hidden state NaN, and ``failures`` says why; a failed
    generation or chat raises at the end, since an empty string would read as an answer.

    Hooks run under the target's lock, one at a time; reading from the store does not wait for them.
    """

    fields: tuple[str, ...] = RECORD.names or ()
    chats: bool = False  #: answers conversations through a template of its own
    shares_prefixes: bool = False  #: has `_compute_records_after`
    encoding_policy: str = ""
    template_digest: str = ""  #: of the chat template, where the target writes conversations out by one
    attention: str = ""

    def __init__(self, session: Session):
        self.session = session
        self.failures: dict[str, str] = {}
        self._declared: tuple[Sampler, ...] = ()
        self._store: Evidence = session.store if session.store is not None else MemoryStore()
        self._recent: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._compute_lock = threading.RLock()
        self._stored_batches = 0
        self._recent_lock = threading.Lock()

    # The public calls.

    def declare(self, signals: Sequence[str]) -> None:
        """``sampling:T,k,p`` comes out of the pass that records texts after their prefixes; others make their own.

        Only there, since a sampler's law is asked of what follows a prefix: texts by themselves do not pay for it.
        """
        wanted = [signal.removeprefix(SAMPLING).split(",") for signal in signals if signal.startswith(SAMPLING)]
        samplers = [_sampler(float(t), int(k), float(p)) for t, k, p in wanted]
        self._declared = tuple(dict.fromkeys(samplers)) if Access.LOGITS in self.access else ()

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Token ids of every text, as `token_statistics` scores them; costs no forward pass."""

        def ask() -> tuple[Ragged, int, bool]:
            found = self._evidence("encoding", {}, _strings(texts), self._compute_encodings, payloads.IDS)
            none = np.zeros(0, np.int32)
            rows = [found.get(text, none) for text in texts]
            return _frozen(Ragged.of(rows, np.int32)), 0, all(text in found for text in texts)

        return self._remembered(("encoding", tuple(texts)), ask)  # type: ignore[no-any-return]

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """The record of every token; evidence is of ``prefix + text``, the answer its slice after the prefix.

        Of many texts after one long prefix the slice itself is the evidence, computed over one reading of the prefix.
        """
        if prefixes is not None and len(prefixes) != len(texts):
            raise ValueError(f"expected one prefix per text ({len(texts)}), got {len(prefixes)}")
        whole = list(_strings(texts)) if prefixes is None else [p + t for p, t in zip(prefixes, texts, strict=True)]

        def ask() -> tuple[TokenStatistics, int, bool]:
            items: list[Any] = self._after_shared(texts, prefixes) if prefixes is not None else whole
            pairs = [item for item in items if isinstance(item, tuple)]
            samplers = self._declared if prefixes is not None else ()
            found: dict[Any, np.ndarray] = dict(self._records([i for i in items if isinstance(i, str)], samplers))
            found |= self._evidence("record after", {}, pairs, self._compute_records_after, payloads.RECORDS)
            none = np.zeros(0, RECORD)
            rows = [found.get(item, none) for item in items]
            if prefixes is not None:
                rows = [row[row["end"] > len(prefix)] for row, prefix in zip(rows, prefixes, strict=True)]
            answer = TokenStatistics.of(rows, self.fields, self.name)
            for name in self.fields:
                _frozen(getattr(answer, name))
            return answer, sum(map(len, found.values())), all(item in found for item in items)

        key = ("record", tuple(texts), None if prefixes is None else tuple(prefixes))
        return self._remembered(key, ask)  # type: ignore[no-any-return]

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """Log-probability of each option after its prompt, read once per distinct prompt with its options."""
        if len(prompts) != len(options):
            raise ValueError(f"expected one list of options per prompt ({len(prompts)}), got {len(options)}")
        items = [(p, *_strings(o)) for p, o in zip(prompts, options, strict=True)]

        def compute(missing: Sequence[tuple[str, ...]]) -> Iterator[Batch]:
            return self._compute_choices([m[0] for m in missing], [list(m[1:]) for m in missing])

        def ask() -> tuple[OptionScores, int, bool]:
            found = self._evidence("choices", {}, items, compute, payloads.CHOICES)
            rows = [found.get(item) or payloads.unanswered(len(item) - 1) for item in items]
            columns = [_frozen(Ragged.of([row[c] for row in rows], t)) for c, t in enumerate(("<f8", "<i4", "<i4"))]
            tokens = sum(map(payloads.CHOICES.tokens, found.values()))
            return OptionScores(*columns), tokens, all(item in found for item in items)

        return self._remembered(("choices", tuple(items)), ask)  # type: ignore[no-any-return]

    def generate(
        self,
        prompts: Sequence[str],
        *,
        max_new_tokens: int = 32,
        temperature: float = 0.0,
        stop: str | None = None,
        seed: int = 0,
        top_k: int = 0,
    ) -> list[str]:
        """The continuation of every prompt; equal prompts get equal continuations (draw again with another seed)."""
        if top_k < 0:
            raise BadInput(f"top_k must be at least 0 (0 cuts nothing), got {top_k}")
        # Greedy decoding has no seed, and nothing to cut: one evidence for all.
        seed, top_k = (seed, top_k) if temperature > 0 else (0, 0)
        settings: dict[str, Any] = {"max": max_new_tokens, "temperature": float(temperature)}
        settings |= {"stop": stop, "seed": seed} | ({"top_k": top_k} if top_k else {})

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            if top_k:
                return self._compute_cut_generations(missing, max_new_tokens, temperature, stop, seed, top_k)
            return self._compute_generations(missing, max_new_tokens, temperature, stop, seed)

        found = self._evidence("generation", settings, _strings(prompts), compute, payloads.TEXT)
        return self._all_answered(found, prompts)

    def chat(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """The answer to every conversation, through the model's own chat template; greedy at temperature 0."""
        items, found = self._chats(messages, max_new_tokens, temperature, seed)
        return self._all_answered(found, items)

    def _chats(
        self, messages: Sequence[Sequence[Mapping[str, str]]], max_new_tokens: int, temperature: float, seed: int
    ) -> tuple[list[str], dict[str, str]]:
        items = [json.dumps([dict(turn) for turn in talk], sort_keys=True) for talk in messages]
        settings: dict[str, Any] = {"max": max_new_tokens}
        settings |= {"temperature": float(temperature), "seed": seed} if temperature > 0 else {}
        settings |= {"template": self.template_digest} if self.template_digest else {}

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            talks = [json.loads(item) for item in missing]
            return self._compute_chats(talks, max_new_tokens, temperature, seed)

        return items, self._evidence("chat", settings, items, compute, payloads.TEXT)

    def answers(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str | None]:
        """See `Target.answers`; what failed is None, and ``failures`` says why."""
        if self.chats:
            items, found = self._chats(messages, max_new_tokens, temperature, seed)
            return [found.get(item) for item in items]
        prompts = [written_out(talk) for talk in messages]
        settings = {"max": max_new_tokens, "temperature": float(temperature), "stop": "\n"}
        settings["seed"] = seed if temperature > 0 else 0

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_generations(missing, max_new_tokens, temperature, "\n", seed)

        found = self._evidence("generation", settings, prompts, compute, payloads.TEXT)
        return [found[prompt].strip() if prompt in found else None for prompt in prompts]

    def timed_answer(self, talk: Sequence[Mapping[str, str]], *, max_new_tokens: int = 32) -> float:
        """Seconds that one answer takes, computed anew and not kept."""
        begun = time.perf_counter()
        with self._compute_lock:
            if self.chats:
                list(self._compute_chats([talk], max_new_tokens, 0.0, 0))
            else:
                list(self._compute_generations([written_out(talk)], max_new_tokens, 0.0, "\n", 0))
        return time.perf_counter() - begun

    def hidden(self, texts: Sequence[str], layers: Sequence[int], *, pool: str = "last") -> dict[int, np.ndarray]:
        """Per layer an array (n, width); a text without tokens has NaN."""
        if pool not in ("last", "mean"):
            raise ValueError(f"pool must be 'last' or 'mean', got {pool!r}")

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_hidden(missing, list(layers), pool)

        settings = {"layers": list(layers), "pool": pool}
        found = self._evidence("hidden", settings, _strings(texts), compute, payloads.FLOATS)
        width = len(next(iter(found.values()))) // len(layers) if found else 0
        none = np.full(width * len(layers), np.nan, np.float32)
        stack = np.array([found.get(text, none) for text in texts]).reshape(len(texts), len(layers), width)
        return {layer: stack[:, i] for i, layer in enumerate(layers)}

    def sampling_logprob(
        self,
        texts: Sequence[str],
        *,
        prefixes: Sequence[str] | None = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Ragged:
        """See `Target.sampling_logprob`; evidence is of ``prefix + text``, as for `token_statistics`."""
        sampler = _sampler(temperature, top_k, top_p)
        whole = list(_strings(texts)) if prefixes is None else [p + t for p, t in zip(prefixes, texts, strict=True)]

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_sampling(missing, *sampler)

        def ask() -> tuple[Ragged, int, bool]:
            records = self._records(whole, (sampler,))  # of texts that have no record yet, one pass gives both
            found = self._evidence("sampling", _settings(sampler), whole, compute, payloads.FLOATS)
            rows = [found.get(text, np.zeros(0, np.float32)) for text in whole]
            if prefixes is not None:
                ends = [records[text]["end"] if text in records else np.zeros(0, np.int32) for text in whole]
                rows = [r[end > len(p)] if len(r) else r for r, end, p in zip(rows, ends, prefixes, strict=True)]
            return _frozen(Ragged.of(rows, np.float32)), 0, all(text in found for text in whole)

        key = ("sampling", sampler, tuple(texts), None if prefixes is None else tuple(prefixes))
        return self._remembered(key, ask)  # type: ignore[no-any-return]

    def beams(
        self, prompts: Sequence[str], *, max_new_tokens: int = 32, width: int = 8
    ) -> list[list[tuple[str, float]]]:
        """See `Target.beams`."""

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_beams(missing, max_new_tokens, width)

        settings = {"max": max_new_tokens, "width": width}
        found = self._evidence("beams", settings, _strings(prompts), compute, payloads.BEAMS)
        return [found.get(prompt, []) for prompt in prompts]

    def lens(self, prompts: Sequence[str], *, top: int = 10) -> LensTokens:
        """See `Target.lens`; a prompt without tokens has ids of -1."""

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_lens(missing, top)

        found = self._evidence("lens", {"top": top}, _strings(prompts), compute, payloads.LENS)
        size = len(next(iter(found.values()))) if found else 0
        none = np.full(size, -1, np.int32)
        stack = np.array([found.get(prompt, none) for prompt in prompts]).reshape(len(prompts), 3, -1, top)
        return LensTokens(stack[:, 0], stack[:, 1], stack[:, 2])

    def gradient_norms(self, texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
        """See `Target.gradient_norms`; a text without tokens has NaN."""

        def name(missing: Sequence[str]) -> Iterator[Batch]:
            yield range(len(missing)), ["\n".join(self.gradient_groups())] * len(missing)

        # The names are evidence too: with all norms stored, the model need not be loaded to tell them.
        groups = tuple(self._evidence("gradient groups", {}, [""], name, payloads.TEXT)[""].split("\n"))
        found = self._evidence("gradnorm", {}, _strings(texts), self._compute_gradient_norms, payloads.FLOATS)
        none = np.full(len(groups), np.nan, np.float32)
        return groups, np.array([found.get(text, none) for text in texts]).reshape(len(texts), len(groups))

    def gradient_features(self, texts: Sequence[str], *, dimension: int = 32, seed: int = 0) -> np.ndarray:
        """See `Target.gradient_features`; a text without tokens has NaN."""

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            return self._compute_gradient_features(missing, dimension, seed)

        settings = {"dimension": dimension, "seed": seed}
        found = self._evidence("gradient features", settings, _strings(texts), compute, payloads.FLOATS)
        none = np.full(len(next(iter(found.values()))) if found else 0, np.nan, np.float32)
        features: np.ndarray = np.array([found.get(text, none) for text in texts])
        return features

    # The hooks.

    def _compute_sampling(self, texts: Sequence[str], temperature: float, top_k: int, top_p: float) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGITS)

    def _compute_sampled_records(self, texts: Sequence[str], samplers: Sequence[Sampler]) -> Iterator[SampledBatch]:
        """A target that has no such pass gives the records alone."""
        for indices, records in self._compute_records(texts):
            yield indices, records, ()

    def _compute_beams(self, prompts: Sequence[str], max_new_tokens: int, width: int) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGITS)

    def _compute_lens(self, prompts: Sequence[str], top: int) -> Iterator[Batch]:
        raise self._not_offered(Access.HIDDEN)

    def gradient_groups(self) -> tuple[str, ...]:
        """The groups of parameters whose gradients are told apart, in order."""
        raise self._not_offered(Access.GRADIENTS)

    def _compute_gradient_norms(self, texts: Sequence[str]) -> Iterator[Batch]:
        raise self._not_offered(Access.GRADIENTS)

    def _compute_gradient_features(self, texts: Sequence[str], dimension: int, seed: int) -> Iterator[Batch]:
        raise self._not_offered(Access.GRADIENTS)

    def _compute_encodings(self, texts: Sequence[str]) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGPROBS)

    def _compute_records(self, texts: Sequence[str]) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGPROBS)

    def _compute_records_after(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGPROBS)

    def _compute_choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> Iterator[Batch]:
        raise self._not_offered(Access.LOGPROBS)

    def _compute_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int
    ) -> Iterator[Batch]:
        raise self._not_offered(Access.TEXT)

    def _compute_cut_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int, top_k: int
    ) -> Iterator[Batch]:
        raise NotOffered(f"{self.name} does not draw from the {top_k} likeliest tokens alone; leave top_k at 0")

    def _compute_chats(
        self,
        conversations: Sequence[Sequence[Mapping[str, str]]],
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[Batch]:
        raise self._not_offered(Access.TEXT)

    def _compute_hidden(self, texts: Sequence[str], layers: Sequence[int], pool: str) -> Iterator[Batch]:
        raise self._not_offered(Access.HIDDEN)

    def _book(self, tokens: int) -> None:
        """Take ``tokens`` from the budget and count them, before they are computed; raises `BudgetSpent`."""
        self.session.budget.spend(tokens)
        self.session.cost.forward_tokens += tokens

    # How evidence is found, computed and kept.

    def _after_shared(self, texts: Sequence[str], prefixes: Sequence[str]) -> list[str | tuple[str, str]]:
        """Per text the joint text, or (prefix, text) where only what follows the prefix is to be kept."""
        shared = shared_prefixes(texts, prefixes) if self.shares_prefixes else ()
        return [(p, t) if p in shared else p + t for p, t in zip(prefixes, texts, strict=True)]

    def _records(self, texts: Sequence[str], samplers: Sequence[Sampler]) -> dict[str, np.ndarray]:
        """Records by text; those that have to be computed leave the rows of ``samplers`` in the store as well."""

        def compute(missing: Sequence[str]) -> Iterator[Batch]:
            for indices, records, extras in self._compute_sampled_records(missing, samplers):
                self._store.put(
                    (self._key("sampling", _settings(sampler), missing[i]), "sampling", payloads.FLOATS.write(row))
                    for sampler, rows in zip(samplers, extras, strict=False)
                    for i, record, row in zip(indices, records, rows, strict=True)
                    if not isinstance(record, Failure)
                )
                yield indices, records

        return self._evidence("record", {}, texts, compute if samplers else self._compute_records, payloads.RECORDS)

    def _key(self, kind: str, settings: Mapping[str, Any], item: str | tuple[str, ...]) -> bytes:
        return self._keys(kind, settings, [item])[item]

    def _keys(self, kind: str, settings: Mapping[str, Any], items: Sequence[str | tuple[str, ...]]) -> dict[Any, bytes]:
        identity = (self.digest, self.tokenizer_digest, self.encoding_policy, self.dtype or "", self.attention)
        begun = payloads.hashed([*identity, str(SCHEMA), kind, json.dumps(settings, sort_keys=True)])
        keys = {}
        for item in items:
            whole = payloads.hashed([item] if isinstance(item, str) else item, begun.copy())
            keys[item] = whole.digest()
        return keys

    def _evidence(
        self,
        kind: str,
        settings: Mapping[str, Any],
        items: Sequence[Any],
        compute: Callable[[Sequence[Any]], Iterator[Batch]],
        codec: payloads.Codec,
    ) -> dict[Any, Any]:
        """{item: payload} for every distinct item that could be answered."""
        keys = self._keys(kind, settings, items)
        batches = self._stored_batches
        stored = self._store.get(list(keys.values()))
        found = {item: codec.read(stored[key]) for item, key in keys.items() if key in stored}
        self.session.cost.cached_tokens += sum(map(codec.tokens, found.values()))
        if len(found) == len(keys):
            return found
        with self._compute_lock:
            if self._stored_batches != batches:  # another thread may have computed some of it while this one waited
                stored = self._store.get([key for item, key in keys.items() if item not in found])
                found.update((item, codec.read(stored[key])) for item, key in keys.items() if key in stored)
            missing = [item for item in keys if item not in found]
            begun = time.perf_counter()
            try:
                for indices, payloads in compute(missing) if missing else ():
                    answered = []
                    for i, payload in zip(indices, payloads, strict=True):
                        item = missing[i]
                        if isinstance(payload, Failure):
                            self.failures[item if isinstance(item, str) else item[0]] = payload.reason
                        else:
                            answered.append((item, codec.write(payload)))
                            self.failures.pop(item if isinstance(item, str) else item[0], None)
                    self._store.put((keys[item], kind, blob) for item, blob in answered)
                    self._stored_batches += 1
                    found.update((item, codec.read(blob)) for item, blob in answered)
                    if self.session.progress is not None:
                        self.session.progress(f"{self.name}: {kind}", len(found), len(keys))
            finally:
                self.session.cost.seconds += time.perf_counter() - begun
        return found

    def _remembered(self, key: Any, ask: Callable[[], tuple[Any, int, bool]]) -> Any:
        """The very same arrays for the very same texts; an incomplete answer is asked for again."""
        with self._recent_lock:
            if key in self._recent:
                self._recent.move_to_end(key)
                answer, tokens = self._recent[key]
                self.session.cost.cached_tokens += tokens
                return answer
        answer, tokens, complete = ask()
        if complete:
            with self._recent_lock:
                self._recent[key] = (answer, tokens)
                held = sum(n for _, n in self._recent.values())
                while len(self._recent) > _RECENT or (held > _RECENT_TOKENS and len(self._recent) > 1):
                    held -= next(iter(self._recent.values()))[1]
                    self._recent.popitem(last=False)
        return answer

    def _all_answered(self, found: Mapping[str, str], items: Sequence[str]) -> list[str]:
        lost = [item for item in dict.fromkeys(items) if item not in found]
        if lost:
            why = self.failures.get(lost[0], "no answer came")
            raise ProbatumError(
                f"{self.name}: {len(lost)} of {len(items)} prompts were not answered ({why}); run again"
            )
        return [found[item] for item in items]


def _sampler(temperature: float, top_k: int, top_p: float) -> Sampler:
    if not temperature > 0 or top_k < 0 or not 0 < top_p <= 1:
        raise BadInput(f"a sampler needs T > 0, k >= 0 and p in (0, 1], got T={temperature}, k={top_k}, p={top_p}")
    return float(temperature), int(top_k), float(top_p)


def _settings(sampler: Sampler) -> dict[str, float]:
    """How a sampler stands in an evidence key."""
    return dict(zip(("temperature", "top_k", "top_p"), sampler, strict=True))


def _strings(texts: Sequence[str]) -> Sequence[str]:
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one text")
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"expected texts, got {type(text).__name__}")
    return texts


def _frozen(ragged: Ragged) -> Ragged:
    ragged.values.flags.writeable = False  # shared between probes: one must not change what another reads
    return ragged
