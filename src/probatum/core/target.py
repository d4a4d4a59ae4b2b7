"""An opened model, as a probe sees it: it offers exactly the operations that its access names.

A probe calls these as if it were alone. Whether the answer is computed, read from the evidence store or asked of an
endpoint, and in what batches, is the target's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.core.access import Access
from probatum.core.errors import NotOffered
from probatum.core.ragged import Ragged

if TYPE_CHECKING:
    from probatum.core.data import Rows

#: The fixed record per token, in the order in which it is stored. ``end`` is where the token ends in the text (in
#: characters), so that the statistics of a secret after its prefix are a slice of those of the whole text.
RECORD = np.dtype(
    [
        ("id", "<i4"),
        ("logprob", "<f4"),
        ("mean", "<f4"),
        ("std", "<f4"),
        ("rank", "<i4"),
        ("argmax", "<i4"),
        ("argmax_logprob", "<f4"),
        ("logsumexp", "<f4"),
        ("end", "<i4"),
    ]
)

#: Which access a field needs. What is not named here comes with LOGPROBS.
FIELD_ACCESS = {"mean": Access.LOGITS, "std": Access.LOGITS, "rank": Access.LOGITS, "logsumexp": Access.LOGITS}


class TokenStatistics:
    """The record of every token of every text, one `Ragged` per field, natural logarithms.

    ``id`` token · ``logprob`` log p(x_t | x_<t) · ``mean`` Σ p log p over the vocabulary · ``std`` its standard
    deviation √(Σ p log² p − mean²) · ``rank`` tokens that are likelier (0: none) · ``argmax`` the likeliest token ·
    ``argmax_logprob`` · ``logsumexp`` of the logits · ``end`` characters of the text up to and with this token.

    A field that the target's access does not cover is absent: touching it raises `NotOffered`.
    """

    id: Ragged
    logprob: Ragged
    mean: Ragged
    std: Ragged
    rank: Ragged
    argmax: Ragged
    argmax_logprob: Ragged
    logsumexp: Ragged
    end: Ragged

    def __init__(self, fields: Mapping[str, Ragged], source: str = "this target"):
        self.__dict__.update(fields)
        self.__dict__["_source"] = source

    def __getattr__(self, name: str) -> Ragged:
        if name in (RECORD.names or ()):
            raise NotOffered(f"'{name}' of a token is not offered by {self.__dict__.get('_source')}")
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(self.logprob)

    @classmethod
    def of(
        cls, records: Sequence[np.ndarray], fields: Sequence[str] = RECORD.names or (), source: str = ""
    ) -> TokenStatistics:
        """From one structured array (dtype `RECORD`) per text; only ``fields`` are offered."""
        rows = [np.ascontiguousarray(r if r.dtype is RECORD else np.asarray(r, RECORD)) for r in records]
        offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
        # Row by row into the columns, as numbers of four bytes, which all fields have: joined first and taken apart
        # then, every byte would be copied twice.
        names = RECORD.names or ()
        columns = np.empty((len(names), int(offsets[-1])), np.int32)
        for row, (start, stop) in zip(rows, pairwise(offsets.tolist()), strict=True):
            columns[:, start:stop] = row.view(np.int32).reshape(-1, len(names)).T
        by_name = dict(zip(names, columns, strict=True))
        return cls({name: Ragged(by_name[name].view(RECORD[name]), offsets) for name in fields}, source)

    def where(self, mask: Ragged) -> TokenStatistics:
        """The tokens at which ``mask`` is true, in every field."""
        fields = {n: v.where(mask) for n, v in self.__dict__.items() if isinstance(v, Ragged)}
        return TokenStatistics(fields, self.__dict__["_source"])


@dataclass(frozen=True)
class OptionScores:
    """What `Target.choices` answers: one row per prompt, one column entry per option.

    ``logprob`` is the sum of the log-probabilities of the option's tokens after the prompt; ``tokens`` and ``bytes``
    count them. Normalizing is the probe's choice.
    """

    logprob: Ragged
    tokens: Ragged
    bytes: Ragged

    def margin(self, answer: Sequence[int]) -> np.ndarray:
        """Per prompt: log-probability of the answer minus that of the likeliest other option, shape (n,)."""
        own: np.ndarray = np.array([row[a] for row, a in zip(self.logprob, answer, strict=True)])
        best: np.ndarray = np.array([np.delete(row, a).max() for row, a in zip(self.logprob, answer, strict=True)])
        margin: np.ndarray = own - best
        return margin


@dataclass(frozen=True)
class LensTokens:
    """What `Target.lens` answers; token ids, shape (n, layers, top), layer 0 the embedding, the last the output.

    ``likely``: the likeliest tokens of softmax(LN_f(h_l) W_U) at each layer, best first. ``rising`` and ``falling``:
    those whose probability grew and fell most against the layer below (layer 0: against zero).
    """

    likely: np.ndarray
    rising: np.ndarray
    falling: np.ndarray


class Target:
    """The contract; every operation of this base class says that it is not offered.

    Attributes
    ----------
    name, kind
        For people: what was opened, and what kind of thing it is (``"language model"``, ``"endpoint"`` …).
    digest
        Hex digest of everything that determines the answers except the text.
    tokenizer_digest
        Equal for two targets exactly if they cut texts into the same tokens.
    access
        What may be asked.
    """

    name: str = "target"
    kind: str = "target"
    digest: str = ""
    tokenizer_digest: str = ""
    access: Access = Access(0)
    parameter_count: int | None = None
    dtype: str | None = None

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """The record of every token of every text (`TokenStatistics`), in the order of ``texts``.

        With ``prefixes`` the model reads ``prefix + text`` and only the tokens that end within the text are given.
        Needs LOGPROBS; its moments, ranks and logsumexp need LOGITS.
        """
        raise self._not_offered(Access.LOGPROBS)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Token ids of every text, as `token_statistics` scores them; costs no forward pass."""
        raise self._not_offered(Access.LOGPROBS)

    def choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """Log-probability of each option after its prompt. The prompt is computed once for all its options."""
        raise self._not_offered(Access.LOGPROBS)

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
        """The continuation of every prompt, without the prompt; greedy at temperature 0; cut before ``stop``.

        With ``top_k`` only so many of the likeliest tokens are drawn from (0: all); not every target can do that.
        """
        raise self._not_offered(Access.TEXT)

    def chat(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """The answer to every conversation, through the model's own chat template; greedy at temperature 0."""
        raise self._not_offered(Access.TEXT)

    def answers(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str | None]:
        """What the model answers, however it can be asked: as a chat, or, where it has no chat template, as the line
        that it writes after the conversation and "Answer:". None where no answer came."""
        prompts = [written_out(talk) for talk in messages]
        said = self.generate(prompts, max_new_tokens=max_new_tokens, temperature=temperature, stop="\n", seed=seed)
        return [text.strip() for text in said]

    def predict(self, rows: Rows) -> np.ndarray:
        """What is decided of every row, shape (n,): 1 yes, 0 no, NaN nothing. Needs LABELS."""
        raise self._not_offered(Access.LABELS)

    def hidden(self, texts: Sequence[str], layers: Sequence[int], *, pool: str = "last") -> dict[int, np.ndarray]:
        """Per layer an array (n, width): the activation at the last token, or the mean over tokens."""
        raise self._not_offered(Access.HIDDEN)

    def sampling_logprob(
        self,
        texts: Sequence[str],
        *,
        prefixes: Sequence[str] | None = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Ragged:
        """log p′(x_t | x_<t) of every token under a sampler, −inf where it never draws that token. Needs LOGITS.

        The sampler divides the logits by ``temperature``, keeps the ``top_k`` likeliest tokens (0: all) and of these
        the fewest whose mass reaches ``top_p``, and renormalizes. Signal ``sampling:T,k,p``.
        """
        raise self._not_offered(Access.LOGITS)

    def beams(
        self, prompts: Sequence[str], *, max_new_tokens: int = 32, width: int = 8
    ) -> list[list[tuple[str, float]]]:
        """Per prompt the ``width`` likeliest continuations that beam search finds, best first, with their
        log-probability. Needs LOGITS."""
        raise self._not_offered(Access.LOGITS)

    def lens(self, prompts: Sequence[str], *, top: int = 10) -> LensTokens:
        """Which next tokens every layer holds after a prompt (the logit lens), at the last position. Needs HIDDEN."""
        raise self._not_offered(Access.HIDDEN)

    def gradient_norms(self, texts: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
        """(parameter groups, array (n, groups)): the squared L2 norm of ∇_θ of the mean loss of each text alone, by
        group of parameters; their sum is the squared norm of the whole gradient. Needs GRADIENTS."""
        raise self._not_offered(Access.GRADIENTS)

    def gradient_features(self, texts: Sequence[str], *, dimension: int = 32, seed: int = 0) -> np.ndarray:
        """Shape (n, features): a random projection (Johnson–Lindenstrauss) of each text's gradient, ``dimension``
        numbers for every parameter group, the same for equal ``seed``. Needs GRADIENTS."""
        raise self._not_offered(Access.GRADIENTS)

    def fill(self, texts: Sequence[str], spans: Sequence[tuple[int, int]], *, top: int = 10) -> list[list[str]]:
        """Per text the ``top`` likeliest fillings of the characters ``span``, best first (mask-filling models only).
        Needs LOGITS."""
        raise self._not_offered(Access.LOGITS)

    def weights(self) -> Mapping[str, np.ndarray]:
        """The parameters by name, as float32 arrays, read one by one when they are touched."""
        raise self._not_offered(Access.WEIGHTS)

    def files(self) -> Path:
        """The directory that holds the model as it lies on disk."""
        raise self._not_offered(Access.BYTES)

    def module(self) -> AbstractContextManager[Any]:
        """The framework's own model, for training and internals; whatever is done to it is undone at the end."""
        raise self._not_offered(Access.TRAIN)

    def sequences(self, texts: Sequence[str]) -> list[np.ndarray]:
        """What the model reads for every text: token ids with the start token of the one policy, for training."""
        raise self._not_offered(Access.TRAIN)

    def declare(self, signals: Sequence[str]) -> None:
        """Ask for extras of the coming passes, so that they are computed in the same pass as the record."""

    def why_not(self, needed: Access) -> str:
        """Why it does not give all of ``needed``, where that was found out; else ""."""
        return ""

    def _not_offered(self, needed: Access) -> NotOffered:
        why = self.why_not(needed)
        return NotOffered(f"needs {needed}, {self.name} gives {self.access}" + (f" ({why})" if why else ""))


def written_out(talk: Sequence[Mapping[str, str]]) -> str:
    """A conversation for a model that only continues texts; the cue keeps it from writing the next question."""
    lines = [turn["content"] if turn["role"] != "assistant" else f"Answer: {turn['content']}" for turn in talk]
    return "\n".join([*lines, "Answer:"])


#: Opens a model from a name; the runner hands one to whatever has to open further models.
Opener = Callable[[str], Target]
