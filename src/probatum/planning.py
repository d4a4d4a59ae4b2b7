"""What an audit would do and cost, found by rehearsing it: every probe runs on a target that computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.audit import finder, gather, methods_of, open_subject, table_of
from probatum.core.access import Access
from probatum.core.binding import bind, missing, options_of
from probatum.core.draws import keyed
from probatum.core.errors import ProbatumError
from probatum.core.ragged import Ragged
from probatum.core.suite import read_suite
from probatum.core.target import RECORD, LensTokens, OptionScores, Target, TokenStatistics, written_out
from probatum.engine.batches import windows
from probatum.engine.session import Session
from probatum.engine.shared_prefix import shared_prefixes

#: Multiply-adds a second that a guess may count on where nothing was measured yet; two cores do about this.
SPEED = 20e9
RECORDED = ("transcript", "decisions")  #: kinds of targets that answer from a file, which costs nothing
CHECKED = 3  # texts of a run that the engine reads a second time


class Rehearsal(Target):
    """Answers with zeros and keeps count of the tokens that an answer would take; equal texts count once."""

    def __init__(self, target: Target):
        self.name, self.kind, self.access = target.name, target.kind, target.access
        self.digest, self.tokenizer_digest = target.digest, target.tokenizer_digest
        self.parameter_count, self.dtype = target.parameter_count, target.dtype
        self._target, self._seen, self.tokens = target, set[Any](), 0
        self.requests = self.written = 0

    def _count(self, asked: Iterable[tuple[Any, int]], written: int = 0) -> None:
        """``written``: of the tokens of each, those that are written and not read."""
        if self.kind in RECORDED:
            return
        new = {key: tokens for key, tokens in asked if key not in self._seen}
        self._seen.update(new)
        self.requests += len(new)
        self.written += written * len(new)
        # A few texts are read once more by themselves, to see that padding changes nothing.
        self.tokens += sum(new.values()) + CHECKED * max(new.values(), default=0)

    def _read(self, tokens: int) -> int:
        """What is read for a text of so many tokens: more than it has where windows overlap."""
        context = getattr(self._target, "context", None)
        return sum(stop - start for start, stop, _ in windows(tokens, context)) if context and tokens else tokens

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Of the target where its tokenizer is here; an endpoint is not asked."""
        if Access.BYTES in self.access:
            return self._target.encode(texts)
        return Ragged.of([np.arange(max(len(t) // 4, 1), dtype=np.int32) for t in texts], np.int32)

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """Zeros in the right shapes."""
        whole = list(texts) if prefixes is None else [p + t for p, t in zip(prefixes, texts, strict=True)]
        ids = self.encode(whole)
        shares = prefixes is not None and getattr(self._target, "shares_prefixes", False)
        shared = sorted(shared_prefixes(texts, prefixes or ())) if shares else []
        once = dict(zip(shared, self.encode(shared).lengths.tolist(), strict=True)) if shared else {}
        context = getattr(self._target, "context", None) or np.inf
        asked = []  # as the engine reads: a prefix of many texts once, where text and prefix fit the context
        for text, prefix, n in zip(whole, prefixes or [""] * len(whole), ids.lengths.tolist(), strict=True):
            after = once.get(prefix, 0) if n <= context else 0
            asked.append((("record after" if prefix in once else "record", text), self._read(n) - after))
        self._count([(("prefix", prefix), n) for prefix, n in once.items()] + asked)
        rows = [np.zeros(n, RECORD) for n in ids.lengths]
        for row, text in zip(rows, whole, strict=True):
            row["end"] = np.linspace(0, len(text), len(row) + 1)[1:]
        answer = TokenStatistics.of(rows)
        if prefixes is None:
            return answer
        return answer.where(answer.end > np.array([len(prefix) for prefix in prefixes]))

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """Zeros; a prompt counts once for all its options."""
        flat = [o for row in options for o in row]
        heads, tails = self.encode(prompts).lengths, iter(self.encode(flat).lengths)
        self._count(
            (("choice", prompt, tuple(row)), int(head + sum(next(tails) for _ in row)))
            for prompt, row, head in zip(prompts, options, heads, strict=True)
        )
        zero = Ragged.of([np.zeros(len(row)) for row in options], float)
        return OptionScores(zero, zero + 1, zero + 1)

    def answers(
        self, messages: Sequence[Sequence[Mapping[str, str]]], *, max_new_tokens: int = 64, **settings: Any
    ) -> list[str | None]:
        """No answers, at the price of reading every conversation and writing to the end."""
        self.generate([written_out(talk) for talk in messages], max_new_tokens=max_new_tokens, **settings)
        return [None] * len(messages)

    def generate(self, prompts: Sequence[str], *, max_new_tokens: int = 32, **settings: Any) -> list[str]:
        """Empty continuations."""
        how = (max_new_tokens, str(sorted(settings.items())))
        lengths = self.encode(prompts).lengths
        self._count(
            ((("generate", prompt, *how), int(n) + max_new_tokens) for prompt, n in zip(prompts, lengths, strict=True)),
            max_new_tokens,
        )
        return [""] * len(prompts)

    def sampling_logprob(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None, **_: Any) -> Ragged:
        """Zeros, at the price of the record: declared, the two are one pass."""
        return self.token_statistics(texts, prefixes=prefixes).logprob

    def beams(
        self, prompts: Sequence[str], *, max_new_tokens: int = 32, width: int = 8
    ) -> list[list[tuple[str, float]]]:
        """One empty continuation each."""
        lengths = self.encode(prompts).lengths
        self._count(
            (("beams", prompt, max_new_tokens, width), int(n) + width * max_new_tokens)
            for prompt, n in zip(prompts, lengths, strict=True)
        )
        return [[("", 0.0)] for _ in prompts]

    def lens(self, prompts: Sequence[str], *, top: int = 10) -> LensTokens:
        """Two layers of token 0."""
        lengths = self.encode(prompts).lengths
        self._count((("lens", prompt), int(n)) for prompt, n in zip(prompts, lengths, strict=True))
        nothing = np.zeros((len(prompts), 2, top), np.int32)
        return LensTokens(nothing, nothing, nothing)

    def gradient_norms(self, texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
        """One group; a backward pass costs about two forward passes."""
        lengths = self.encode(texts).lengths
        self._count((("gradient", text), 3 * int(n)) for text, n in zip(texts, lengths, strict=True))
        return ("all",), np.zeros((len(texts), 1))

    def gradient_features(self, texts: Sequence[str], *, dimension: int = 32, seed: int = 0) -> np.ndarray:
        """Zeros for one group."""
        lengths = self.encode(texts).lengths
        self._count((("features", text, dimension), 3 * int(n)) for text, n in zip(texts, lengths, strict=True))
        return np.zeros((len(texts), dimension))

    def fill(self, texts: Sequence[str], spans: Sequence[tuple[int, int]], *, top: int = 10) -> list[list[str]]:
        """Some other word each."""
        return [[text[a:b] + "s"] * top for text, (a, b) in zip(texts, spans, strict=True)]

    def weights(self) -> Mapping[str, np.ndarray]:
        """None: reading them costs no pass."""
        return {}

    def files(self) -> Path:
        """The target's own."""
        return self._target.files()


def plan(model: str, *, session: Session, price: tuple[float, float] | None = None, **given: Any) -> str:
    """Which probes would run, why the others would not, and what it costs at most. Calls no model.

    Takes the arguments of `probatum.audit`. Controls come on top the first time; what the store holds costs nothing.
    ``price``: of a million tokens read, and written, by an endpoint.
    """
    table, named = table_of(**given), given.get("suite", "default")
    suite = read_suite("decisions" if table and named == "default" else named)
    methods = methods_of(suite, given.get("probes") or (), given.get("options") or {})
    name = given.get("endpoint_model")
    subject, others = open_subject(model, given.get("roles"), session, name, table)
    data, _, roles = gather(subject, model, session=session, **{**given, "roles": others})
    stage = {role: Rehearsal(target) for role, target in roles.items()}
    actor = Rehearsal(subject)
    items = finder(given.get("sets") or (), given.get("limit"), given.get("seed", 0))
    lines = [f"plan for {subject.name} ({subject.kind}, {subject.access})", ""]
    for method, options in methods:
        chosen = options_of(method, options)
        own = {**data, "Items": items(method.items).items} if method.items and "Items" not in data else data
        reason = missing(method, subject, own, roles)
        if reason is None:
            before = actor.tokens + sum(r.tokens for r in stage.values())
            _rehearse(method, actor, bind(method, own, stage, chosen, given.get("seed", 0)), given.get("seed", 0))
            added = actor.tokens + sum(r.tokens for r in stage.values()) - before
            reason = f"runs, {added:,} further tokens" if added else "runs, on evidence that is shared"
        lines.append(f"  {method.name:<28}{reason}")
    tokens = actor.tokens + sum(r.tokens for r in stage.values())
    cost = 2 * tokens * (subject.parameter_count or 0) / SPEED
    guess = f", about {cost:,.0f} s at 20 GFLOP/s (a guess: nothing was measured)" if cost else ""
    asked = [r for r in (actor, *stage.values()) if r.kind == "endpoint"]
    split = ""
    if asked:
        requests, written = sum(r.requests for r in asked), sum(r.written for r in asked)
        read = sum(r.tokens for r in asked) - written
        split = f", of which {read:,} are read and {written:,} written by endpoints, for {requests:,} prompts"
        if price is not None:
            split += f", at most {(read * price[0] + written * price[1]) / 1e6:,.2f} by the prices given"
    lines += [
        "",
        f"at most {tokens:,} tokens{split}{guess}; controls come on top the first time, what is stored costs nothing",
    ]
    return "\n".join(lines)


def _rehearse(method: Any, actor: Target, arguments: dict[str, Any], seed: int) -> None:
    if method.signature.rng:
        arguments["rng"] = keyed(seed, method.name)
    with np.errstate(all="ignore"):
        try:
            method.function(actor, **arguments)
        except (ValueError, IndexError, ZeroDivisionError, FloatingPointError, ProbatumError):
            return  # the zeros did not make sense to the probe; what it had asked for is counted
