"""One policy for turning texts into tokens, for scoring and for generating.

The beginning-of-text token of the tokenizer is put before every text; without one, its end-of-text token; without
either, the first token of every text is context only and is not scored. No other special token is added, nothing is
cut off, and the text is never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.core.errors import BadInput

#: Part of every evidence key: a name for the policy above, the windows included.
POLICY = "start=bos|eos|drop; no other special tokens; windows stride=1/2"


@dataclass(frozen=True)
class Encoded:
    """``sequence``: what the model reads, int32. ``ends``: for each, where it ends in the text, in characters."""

    sequence: np.ndarray
    ends: np.ndarray

    @property
    def scored(self) -> np.ndarray:
        """The ids that are scored: all but the first."""
        return self.sequence[1:]


class Encoder:
    """A tokenizer under the policy. ``start`` is the token put before every text, or None."""

    def __init__(self, tokenizer: Any, embeddings: int, name: str):
        self.tokenizer = tokenizer
        self.embeddings = embeddings
        self.name = name
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        self.start: int | None = start

    def __call__(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode every text.

        Raises
        ------
        BadInput
            A token id that the model has no embedding for.
        """
        if not texts:
            return []
        if getattr(self.tokenizer, "is_fast", False):
            got = self.tokenizer(
                list(texts),
                add_special_tokens=False,
                return_offsets_mapping=True,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )
            ids = got["input_ids"]
            ends = [[end for _, end in offsets] for offsets in got["offset_mapping"]]
        else:
            ids = [self.tokenizer.encode(text, add_special_tokens=False) for text in texts]
            ends = [self._ends_by_decoding(i, text) for i, text in zip(ids, texts, strict=True)]
        return [self._encoded(i, e) for i, e in zip(ids, ends, strict=True)]

    def _encoded(self, ids: Sequence[int], ends: Sequence[int]) -> Encoded:
        first = [] if self.start is None else [self.start]
        sequence = np.array([*first, *ids], np.int32)
        if len(sequence) and int(sequence.max()) >= self.embeddings:
            raise BadInput(
                f"{self.name}: the tokenizer gives token {int(sequence.max())}, the model knows {self.embeddings}; "
                "they do not belong together"
            )
        # Some tokenizers give (0, 0) to a token that stands for nothing; ends never go back.
        return Encoded(sequence, np.maximum.accumulate(np.array([0] * len(first) + list(ends), np.int32)))

    def _ends_by_decoding(self, ids: Sequence[int], text: str) -> list[int]:
        """Without offsets, a token ends where the decoded tokens up to it end; costs one decode per token."""
        decode = self.tokenizer.decode
        ends = [min(len(text), len(decode(ids[: n + 1], clean_up_tokenization_spaces=False))) for n in range(len(ids))]
        if ids and decode(ids, clean_up_tokenization_spaces=False).strip() != text.strip():
            raise BadInput(
                f"{self.name}: this tokenizer has no offsets and does not decode to the text it encoded; convert it "
                "to a tokenizer.json"
            )
        return ends
