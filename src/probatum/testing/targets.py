"""Targets that answer in milliseconds: from tables, or from a small model over characters that is solved by hand."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.draws import keyed
from probatum.core.errors import NotOffered
from probatum.core.ragged import Ragged
from probatum.core.target import FIELD_ACCESS, RECORD, LensTokens, OptionScores, Target, TokenStatistics

FIELDS = RECORD.names or ()
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 .,\n"
#: What every toy can give, where it was told its tensors and its folder.
LANGUAGE = Access.TEXT | Access.LOGPROBS | Access.LOGITS


class ToyTarget(Target):
    """Everything but the record of a text (``record``) and its continuation (``continuation``).

    Parameters
    ----------
    tensors, folder
        Answers of `weights` and `files`; with them come WEIGHTS and BYTES.
    parameter_count
        As a model on disk has it.
    """

    kind = "toy model"

    def __init__(
        self,
        name: str,
        digest: str,
        *,
        access: Access = LANGUAGE,
        tensors: Mapping[str, np.ndarray] | None = None,
        folder: Path | None = None,
        parameter_count: int | None = None,
    ):
        self.name, self.digest, self.tokenizer_digest = name, digest, type(self).__name__
        self.parameter_count = parameter_count
        self._tensors, self._folder = tensors, folder
        extra = (Access.WEIGHTS if tensors is not None else Access(0)) | (Access.BYTES if folder else Access(0))
        self.access = access | extra

    def giving(self, access: Access) -> Self:
        """The same model behind an interface that gives no more than ``access``."""
        other = copy.copy(self)
        other.access = access
        other.digest = digest_of(self.digest, str(access))
        return other

    @abstractmethod
    def record(self, text: str) -> np.ndarray:
        """One row of `RECORD` per token of the text."""

    def continuation(self, prompt: str, tokens: int, temperature: float, rng: np.random.Generator) -> str:
        """What is generated after the prompt."""
        raise self._not_offered(Access.TEXT)

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """See `Target.token_statistics`; only the fields that the access covers are there."""
        self._need(Access.LOGPROBS, Access.LOGITS)
        heads = [""] * len(texts) if prefixes is None else prefixes
        rows = [self._after(head, text) for head, text in zip(heads, texts, strict=True)]
        offered = [f for f in FIELDS if FIELD_ACCESS.get(f, self.access) in self.access]
        return TokenStatistics.of(rows, offered, f"a {self.kind} that gives {self.access}")

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Token ids."""
        self._need(Access.LOGPROBS, Access.LOGITS)
        return Ragged.of([self.record(text)["id"] for text in texts], np.int32)

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """See `Target.choices`."""
        self._need(Access.LOGPROBS, Access.LOGITS)
        rows = [[self._after(p, o) for o in row] for p, row in zip(prompts, options, strict=True)]
        logprob = Ragged.of([[float(r["logprob"].sum(dtype=np.float64)) for r in row] for row in rows], float)
        tokens = Ragged.of([[len(r) for r in row] for row in rows], np.int64)
        return OptionScores(logprob, tokens, Ragged.of([[len(o.encode()) for o in row] for row in options], np.int64))

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
        """See `Target.generate`; nothing is cut here."""
        self._need(Access.TEXT)
        if top_k:
            raise NotOffered(f"{self.name} does not draw from the likeliest tokens alone")
        # Draws by prompt, as real targets have them: never by its place.
        said = [self.continuation(p, max_new_tokens, temperature, keyed(seed, p)) for p in prompts]
        return [text.split(stop)[0] if stop else text for text in said]

    def weights(self) -> Mapping[str, np.ndarray]:
        """The tensors that it was made with."""
        self._need(Access.WEIGHTS)
        return self._tensors or {}

    def files(self) -> Path:
        """The folder that it was made with."""
        self._need(Access.BYTES)
        if self._folder is None:
            raise self._not_offered(Access.BYTES)
        return self._folder

    def _after(self, head: str, text: str) -> np.ndarray:
        rows = self.record(head + text)
        return rows[rows["end"] > len(head)]

    def _need(self, *any_of: Access) -> None:
        """Whoever gives the logits gives the log-probabilities."""
        if not any(access in self.access for access in any_of):
            raise self._not_offered(any_of[0])


class TableTarget(ToyTarget):
    """Answers what is written in a table, and nothing else.

    Parameters
    ----------
    table
        Text (with its prefix, where it has one) to its record.
    said
        Prompt to continuation, or a function.
    """

    def __init__(
        self,
        table: Mapping[str, np.ndarray] | None = None,
        *,
        said: Mapping[str, str] | Callable[[str], str] | None = None,
        access: Access = LANGUAGE,
        name: str = "a table",
        **parts: Any,
    ):
        self._table, self._said = dict(table or {}), said
        written = [x for text, rows in sorted(self._table.items()) for x in (text, rows.tobytes())]
        super().__init__(name, digest_of(name, *written), access=access, **parts)

    @classmethod
    def of_tokens(cls, texts: Mapping[str, Sequence[Sequence[Any]]], **given: Any) -> TableTarget:
        """From ``{text: [(token, logprob[, mean, std[, argmax]]), …]}``; the tokens, joined, are the text.

        Tokens are strings; equal ones have equal ids. Without ``argmax`` the token itself is the likeliest one; without
        ``mean`` and ``std`` nothing beyond LOGPROBS is given.
        """
        ids: dict[str, int] = {}
        table, moments = {}, True
        for text, rows in texts.items():
            if "".join(row[0] for row in rows) != text:
                raise ValueError(f"the tokens of '{text}' do not join to it")
            record = np.zeros(len(rows), RECORD)
            end = 0
            for at, (token, logprob, *rest) in zip(record, rows, strict=True):
                end += len(token)
                moments = moments and len(rest) >= 2
                best = rest[2] if len(rest) > 2 else token
                at["id"], at["argmax"] = (ids.setdefault(t, len(ids)) for t in (token, best))
                at["logprob"] = at["argmax_logprob"] = logprob
                at["mean"], at["std"] = rest[:2] if len(rest) >= 2 else (0.0, 0.0)
                at["rank"], at["end"] = int(best != token), end
            table[text] = record
        given.setdefault("access", LANGUAGE if moments else LANGUAGE & ~Access.LOGITS)
        return cls(table, **given)

    def record(self, text: str) -> np.ndarray:
        """The row of the table; an empty text has no tokens."""
        if not text:
            return np.zeros(0, RECORD)
        if text not in self._table:
            raise KeyError(f"the table has no record of '{text}'")
        return self._table[text]

    def continuation(self, prompt: str, tokens: int, temperature: float, rng: np.random.Generator) -> str:
        """As the table has it."""
        if self._said is None:
            raise self._not_offered(Access.TEXT)
        return self._said(prompt) if callable(self._said) else self._said[prompt]


class CharacterTarget(ToyTarget):
    """A language model whose tokens are the characters of ``vocabulary``; a subclass says `distribution`.

    Scores, moments, choices and generation all follow from that one function, so they cannot disagree.
    """

    def __init__(self, vocabulary: str = ALPHABET, *, name: str, **parts: Any):
        super().__init__(name, digest_of(type(self).__name__, vocabulary, name), **parts)
        self.tokenizer_digest = digest_of(vocabulary)
        self.vocabulary = vocabulary
        self._ids = {c: i for i, c in enumerate(vocabulary)}
        self._rows: dict[str, tuple[np.ndarray, float, float]] = {}
        self._tokens: dict[tuple[str, str], tuple[float, ...]] = {}
        self._records: dict[str, np.ndarray] = {}

    @abstractmethod
    def distribution(self, context: str) -> np.ndarray:
        """Probabilities of the next character, shape (V,), all above 0."""

    def seen(self, context: str) -> str:
        """The part of the context that the distribution depends on."""
        return context

    def _row(self, context: str) -> tuple[np.ndarray, float, float]:
        key = self.seen(context)
        if key not in self._rows:
            p = self.distribution(key)
            logp = np.log(p)
            mean = float(p @ logp)
            self._rows[key] = logp, mean, float(np.sqrt(p @ (logp - mean) ** 2))
        return self._rows[key]

    def record(self, text: str) -> np.ndarray:
        """One row a character."""
        return np.array([(*self._token(self.seen(text[:i]), c), i + 1) for i, c in enumerate(text)], RECORD)

    def _token(self, context: str, c: str) -> tuple[float, ...]:
        if (context, c) not in self._tokens:
            if c not in self._ids:
                raise ValueError(f"{self.name} knows no {c!r}")
            logp, mean, std = self._row(context)
            own, best = logp[self._ids[c]], int(logp.argmax())
            rank = int((logp > own).sum())
            self._tokens[context, c] = (self._ids[c], own, mean, std, rank, best, logp[best], 0.0)
        return self._tokens[context, c]

    def sampling_logprob(
        self,
        texts: Sequence[str],
        *,
        prefixes: Sequence[str] | None = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Ragged:
        """See `Target.sampling_logprob`."""
        self._need(Access.LOGITS)
        heads = [""] * len(texts) if prefixes is None else prefixes
        rows = []
        for head, text in zip(heads, texts, strict=True):
            laws = [self._sampled(head + text[:i], temperature, top_k, top_p) for i in range(len(text))]
            rows.append([law[self._ids[c]] for law, c in zip(laws, text, strict=True)])
        return Ragged.of(rows, np.float32)

    def _sampled(self, context: str, temperature: float, top_k: int, top_p: float) -> np.ndarray:
        p = np.exp(self._row(self.seen(context))[0] / temperature)
        order = np.argsort(-p, kind="stable")[: top_k or None]
        p[order] /= p[order].sum()
        kept = order[: 1 + int((np.cumsum(p[order]) < top_p).sum())] if top_p < 1 else order
        law = np.full(len(p), -np.inf)
        law[kept] = np.log(p[kept] / p[kept].sum())
        return law

    def beams(
        self, prompts: Sequence[str], *, max_new_tokens: int = 32, width: int = 8
    ) -> list[list[tuple[str, float]]]:
        """See `Target.beams`."""
        self._need(Access.LOGITS)
        found = []
        for prompt in prompts:
            beams = [("", 0.0)]
            for _ in range(max_new_tokens):
                laws = [self._row(self.seen(prompt + text))[0] for text, _ in beams]
                total = np.array([p for _, p in beams])[:, None] + np.array(laws)
                best = np.argsort(-total, axis=None, kind="stable")[:width]
                at = zip(*np.unravel_index(best, total.shape), strict=True)
                beams = [(beams[i][0] + self.vocabulary[c], float(total[i, c])) for i, c in at]
            found.append(beams)
        return found

    def fill(self, texts: Sequence[str], spans: Sequence[tuple[int, int]], *, top: int = 10) -> list[list[str]]:
        """See `Target.fill`; here a filling is one character, by what stands before it."""
        self._need(Access.LOGPROBS, Access.LOGITS)
        laws = [self._row(self.seen(text[:begin]))[0] for text, (begin, _) in zip(texts, spans, strict=True)]
        return [[self.vocabulary[c] for c in np.argsort(-law, kind="stable")[:top]] for law in laws]

    def layer(self, context: str) -> list[np.ndarray]:
        """Next-token distributions of every layer, the output last; here below it all tokens are alike."""
        size = len(self.vocabulary)
        return [np.full(size, 1 / size), np.exp(self._row(context)[0])]

    def lens(self, prompts: Sequence[str], *, top: int = 10) -> LensTokens:
        """See `Target.lens`."""
        self._need(Access.HIDDEN)
        p = np.array([self.layer(prompt) for prompt in prompts])
        change = np.diff(p, axis=1, prepend=0)
        best = [np.argsort(-x, axis=-1, kind="stable")[..., :top].astype(np.int32) for x in (p, change, -change)]
        return LensTokens(*best)

    def gradient(self, text: str) -> dict[str, np.ndarray]:
        """{context: ∂ℓ/∂z}: the model as softmax(z_c) of a table of logits, so the mean over t of p − e_y."""
        found: dict[str, np.ndarray] = {}
        for i, c in enumerate(text):
            context = self.seen(text[:i])
            error = np.exp(self._row(context)[0])
            error[self._ids[c]] -= 1
            found[context] = found.get(context, np.zeros(len(error))) + error / len(text)
        return found

    def gradient_norms(self, texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
        """See `Target.gradient_norms`; one group, the table."""
        self._need(Access.GRADIENTS)
        squares = [sum(float(g @ g) for g in self.gradient(t).values()) if t else np.nan for t in texts]
        return ("table",), np.array(squares, np.float32)[:, None]

    def gradient_features(self, texts: Sequence[str], *, dimension: int = 32, seed: int = 0) -> np.ndarray:
        """See `Target.gradient_features`; random signs for every context."""
        self._need(Access.GRADIENTS)
        out = np.full((len(texts), dimension), np.nan, np.float32)
        for row, text in zip(out, texts, strict=True):
            for context, g in self.gradient(text).items():
                signs = keyed("signs", seed, context).integers(2, size=(dimension, len(g))) * 2 - 1
                row[:] = np.nan_to_num(row) + signs @ g / np.sqrt(dimension)
        return out

    def continuation(self, prompt: str, tokens: int, temperature: float, rng: np.random.Generator) -> str:
        """Greedy at temperature 0, else sampled."""
        text = prompt
        for _ in range(tokens):
            logp = self._row(text)[0]
            if temperature:
                logp = logp / temperature + rng.gumbel(size=len(logp))
            text += self.vocabulary[int(logp.argmax())]
        return text[len(prompt) :]


class UniformTarget(CharacterTarget):
    """Knows nothing: every character is as likely as every other, 1/V."""

    def __init__(self, vocabulary: str = ALPHABET, **parts: Any):
        super().__init__(vocabulary, **{"name": "uniform", **parts})

    def seen(self, context: str) -> str:
        """Nothing."""
        return ""

    def distribution(self, context: str) -> np.ndarray:
        """1/V each."""
        return np.full(len(self.vocabulary), 1 / len(self.vocabulary))


class UnigramTarget(CharacterTarget):
    """Characters drawn independently with the probabilities of a table."""

    def __init__(self, probabilities: Mapping[str, float], **parts: Any):
        self._p = np.array(list(probabilities.values()), dtype=float)
        if not np.isclose(self._p.sum(), 1) or (self._p <= 0).any():
            raise ValueError("probabilities must be above 0 and sum to 1")
        super().__init__("".join(probabilities), **{"name": f"unigram {dict(probabilities)}", **parts})

    def seen(self, context: str) -> str:
        """Nothing."""
        return ""

    def distribution(self, context: str) -> np.ndarray:
        """As the table has it."""
        return self._p


class NgramTarget(CharacterTarget):
    """Counts of characters after the ``order`` − 1 characters before them: it learns by heart what it is given.

    Parameters
    ----------
    texts
        Training texts, or text to number of exposures (the dose).
    smoothing
        Added to every count; a context that was never seen is uniform.
    """

    def __init__(
        self, texts: Sequence[str] | Mapping[str, float], *, order: int = 6, smoothing: float = 0.02, **parts: Any
    ):
        doses = dict(texts) if isinstance(texts, Mapping) else dict.fromkeys(texts, 1.0)
        said = digest_of(*(f"{dose:g} {text}" for text, dose in sorted(doses.items())))[:8]
        super().__init__(parts.pop("vocabulary", ALPHABET), **{"name": f"{order}-gram {said}", **parts})
        self.order, self.smoothing = order, smoothing
        self._counts: dict[str, np.ndarray] = {}
        for text, dose in doses.items():
            for i, c in enumerate(text):
                row = self._counts.setdefault(self.seen(text[:i]), np.zeros(len(self.vocabulary)))
                row[self._ids[c]] += dose

    def seen(self, context: str) -> str:
        """The last characters."""
        return context[max(len(context) - self.order + 1, 0) :]

    def distribution(self, context: str) -> np.ndarray:
        """Smoothed shares."""
        counts = self._counts.get(context, np.zeros(len(self.vocabulary))) + self.smoothing
        shares: np.ndarray = counts / counts.sum()
        return shares
