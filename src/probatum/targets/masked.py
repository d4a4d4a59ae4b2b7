"""A mask-filling model (BERT, RoBERTa, DistilBERT …) in a Hugging Face directory: what may stand in place of a word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.access import Access
from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize, in_batches, padded
from probatum.engine.payloads import Codec
from probatum.engine.session import Session
from probatum.engine.stored import Batch, Failure
from probatum.targets import weights as disk
from probatum.targets.transformers import TransformersTarget

_FILLINGS = Codec(lambda words: json.dumps(words).encode(), json.loads)
_LOGITS = 2**26  # numbers at once: the head is applied at every position, of which one is wanted


def fills_masks(path: Path) -> bool:
    """Is what lies here a masked language model, by its own ``config.json``?"""
    names = disk.read_json(path / "config.json").get("architectures") if (path / "config.json").is_file() else None
    return isinstance(names, list) and any(str(name).endswith("ForMaskedLM") for name in names)


class MaskedTarget(TransformersTarget):
    """Answers `fill`, and nothing else that is computed: it reads to both sides, and gives no text a probability.

    Opening is that of a language model (safetensors only, files hashed, evidence stored), without ever running code
    that comes with a model. See `TransformersTarget` for the parameters.
    """

    kind = "mask-filling model"
    access = Access.WEIGHTS | Access.BYTES
    shares_prefixes = False

    def __init__(self, path: str | Path, *, session: Session, name: str | None = None):
        super().__init__(path, session=session, name=name)
        self.encoding_policy = f"one mask for a word; context={self.context}"

    def fill(self, texts: Sequence[str], spans: Sequence[tuple[int, int]], *, top: int = 10) -> list[list[str]]:
        """Per text the ``top`` likeliest words in place of the characters ``span``, best first.

        A filling is one token of the model that begins a word and holds a letter or a digit. Of a text longer than the
        context as much is read to both sides of the word as fits.
        """
        if len(texts) != len(spans):
            raise ValueError(f"expected one span per text ({len(texts)}), got {len(spans)}")
        items = [(text, str(a), str(b)) for text, (a, b) in zip(texts, spans, strict=True)]

        def compute(missing: Sequence[tuple[str, str, str]]) -> Iterator[Batch]:
            return self._compute_fillings([(text, int(a), int(b)) for text, a, b in missing], top)

        found = self._evidence("fill", {"top": top}, items, compute, _FILLINGS)
        return [found.get(item, []) for item in items]

    @property
    def _encoder(self) -> Any:  # every call of a language model comes here, or to the network, and is refused
        raise self._not_offered(Access.LOGPROBS)

    @property
    def _network(self) -> Any:
        raise self._not_offered(Access.LOGPROBS)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.path, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # transformers raises whatever its parsers raise
            raise BadInput(f"{self.path}: its tokenizer cannot be opened ({type(error).__name__})") from error
        if tokenizer.mask_token_id is None:
            raise BadInput(f"{self.path}: its tokenizer has no mask token, so it cannot be asked to fill one")
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        from probatum.engine.loading import load

        if self._stamp() != self._seen:
            raise BadInput(f"{self.path}: the files changed since they were opened; open the model again")
        opened = ("AutoModelForMaskedLM", "a masked language model")
        return load(self.path, str(self.dtype), self.device, False, *opened)

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """Tokens that stand before and after every text, such as [CLS] and [SEP]."""
        mask = self._tokenizer.mask_token_id
        whole = self._tokenizer(self._tokenizer.mask_token)["input_ids"]
        return whole[: whole.index(mask)], whole[whole.index(mask) + 1 :]

    @cached_property
    def _words(self) -> Mapping[int, str]:
        """The tokens that may stand for a word, as text."""
        tokenizer = self._tokenizer
        numbers = [i for i in range(len(tokenizer)) if i not in set(tokenizer.all_special_ids)]
        pieces = tokenizer.convert_ids_to_tokens(numbers)
        marks = ("Ġ", "▁")  # before a word in byte-level BPE and in SentencePiece; WordPiece marks what goes on
        marked = sum(p.startswith(marks) for p in pieces) > sum(p.startswith("##") for p in pieces)
        begins = [piece.startswith(marks) if marked else not piece.startswith("##") for piece in pieces]
        texts = [text.strip() for text in tokenizer.batch_decode([[i] for i in numbers])]
        return {
            i: text
            for i, text, begin in zip(numbers, texts, begins, strict=True)
            if begin and any(c.isalnum() for c in text) and not any(c.isspace() for c in text)
        }

    def _masked(self, text: str, begin: int, end: int) -> tuple[np.ndarray, int] | None:
        """(tokens that are read, place of the mask), or None where the tokenizer lost the mask."""
        tokenizer, (before, after) = self._tokenizer, self._frame
        how = {"add_special_tokens": False, "verbose": False}
        ids = tokenizer(text[:begin] + tokenizer.mask_token + text[end:], **how)["input_ids"]
        places = [i for i, token in enumerate(ids) if token == tokenizer.mask_token_id]
        if len(places) > 1:  # the text itself holds mask tokens; ours comes after those before it
            places = places[tokenizer(text[:begin], **how)["input_ids"].count(tokenizer.mask_token_id) :]
        if not places:
            return None
        # RoBERTa counts positions from 2 and says 514 where 512 can be read.
        room = max(1, self.context - 2 - len(before) - len(after))
        start = max(0, min(places[0] - room // 2, len(ids) - room))
        return np.array([*before, *ids[start : start + room], *after]), len(before) + places[0] - start

    def _compute_fillings(self, items: Sequence[tuple[str, int, int]], top: int) -> Iterator[Batch]:
        import torch

        model, words = self._model, self._words
        found = [self._masked(*item) for item in items]
        lost = [i for i, one in enumerate(found) if one is None]
        if lost:
            yield lost, [Failure("its tokenizer loses the mask")] * len(lost)
        rows = [(i, *one) for i, one in enumerate(found) if one is not None]
        allowed = torch.zeros(model.get_output_embeddings().weight.shape[0], dtype=torch.bool, device=self.device)
        allowed[list(words)] = True
        kept = min(top, len(words))

        def run(batch: list[int]) -> np.ndarray:
            self._count_pass()
            ids, real = padded([rows[b][1] for b in batch])
            read = {"input_ids": ids, "attention_mask": real.astype(np.int64)}
            with torch.inference_mode():
                logits = model(**{name: torch.from_numpy(array).to(self.device) for name, array in read.items()}).logits
                places = torch.tensor([rows[b][2] for b in batch], device=self.device)
                at = logits[torch.arange(len(batch), device=self.device), places].float()
                best: np.ndarray = at.masked_fill(~allowed, -np.inf).topk(kept).indices.cpu().numpy()
            return best

        size = BatchSize(max(1, min(self._size.tokens, _LOGITS // len(allowed))))
        for batch, best in in_batches([len(tokens) for _, tokens, _ in rows], size, run, self._book):
            yield [rows[b][0] for b in batch], [[words[i] for i in row] for row in best.tolist()]
