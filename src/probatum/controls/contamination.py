"""Planted contamination: the specimen with a memory of a share of the items, word for word, and without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from probatum.controls.words import COLORS, GOODS, PLACES, TRADES
from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import Items, digest_of
from probatum.core.draws import keyed
from probatum.core.ragged import Ragged
from probatum.core.target import Opener, Target, TokenStatistics

SHARES = (5.0, 10.0, 20.0, 40.0, 70.0, 100.0)  #: % of the items that the memory holds
DRAWS = 10
BLANKS = 24
ITEMS, ASKED = 48, 30  #: made in all, and asked in one case
CONTEXT = 12  #: tokens by which the memory knows where it is
TRUST = 0.5  #: probability that it gives to what it remembers


class Remembering(Target):
    """A model that also remembers texts: where the last tokens are those of such a text, its next token has at least
    probability `TRUST`; elsewhere it is the model."""

    kind = "model with a memory"
    access = Access.LOGPROBS

    def __init__(self, model: Target, texts: Sequence[str]):
        self.name = f"{model.name}, which remembers {len(texts)} texts"
        self.digest = digest_of("memory", model.digest, *texts)
        self.tokenizer_digest, self.parameter_count = model.tokenizer_digest, model.parameter_count
        self._model = model
        ids = model.encode(list(texts))
        place, known = _places(ids)
        self._places, first = np.unique(place[known], return_index=True)
        self._next = ids.values[known][first]

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """Ids, log-probabilities, likeliest tokens and ends; what memory and model say is mixed token by token."""
        own = self._model.token_statistics(texts, prefixes=prefixes)
        whole = list(texts) if prefixes is None else [p + t for p, t in zip(prefixes, texts, strict=True)]
        ids = self._model.encode(whole)
        place, known = _places(ids)
        at = np.searchsorted(self._places, place).clip(max=max(len(self._places) - 1, 0))
        known &= self._places[at] == place if len(self._places) else False
        said = self._next[at] if len(self._places) else np.zeros(len(place), int)
        # The record may begin after a prefix; its tokens are the last ones of the whole text.
        asked = ids.position.values >= np.repeat(ids.lengths - own.id.lengths, ids.lengths)
        known, said, true = known[asked], said[asked], ids.values[asked]
        memory = np.where(said == true, np.log(TRUST), -np.inf)
        mixed = np.where(known, np.logaddexp(own.logprob.values + np.log(1 - TRUST), memory), own.logprob.values)
        fields: Mapping[str, Ragged] = {
            "id": own.id,
            "logprob": Ragged(mixed, own.id.offsets),
            "argmax": Ragged(np.where(known, said, own.argmax.values), own.id.offsets),
            "end": own.end,
        }
        return TokenStatistics(fields, self.name)


def _places(ids: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """A number for the tokens before each token, and whether there are enough of them; shapes (tokens,)."""
    flat = ids.values.astype(np.uint64)
    place = np.zeros(len(flat), np.uint64)
    for back in range(1, CONTEXT + 1):
        place = place * np.uint64(1_000_003) + np.roll(flat, back) + np.uint64(1)
    known: np.ndarray = ids.position.values >= CONTEXT
    return place, known


def _questions() -> list[tuple[str, list[str]]]:
    """Questions, each with four options."""
    rng, found = keyed("contamination"), []
    for _ in range(ITEMS):
        goods = [str(good) for good in rng.choice(GOODS, 4, replace=False)]
        asked = f"What does the {rng.choice(TRADES)} by the {rng.choice(COLORS)} {rng.choice(PLACES)} keep?"
        found.append((asked, goods))
    return found


def items(rng: np.random.Generator, n: int = ASKED) -> Items:
    """Some of the questions, published with their options in an order that is drawn."""
    questions, rows = _questions(), []
    for k in sorted(rng.permutation(len(questions))[:n]):
        asked, goods = questions[k]
        shown = [goods[j] for j in rng.permutation(4)]
        lines = "\n".join(f"{letter}. {good}" for letter, good in zip("ABCD", shown, strict=True))
        letters: dict[str, Any] = {"options": list("ABCD"), "texts": shown, "answer": "ABCD"[shown.index(goods[0])]}
        rows.append({"id": f"item {k}", "prompt": f"{asked}\n{lines}\nAnswer with one letter.", **letters})
    return Items.from_rows(rows, "planted items", name="planted items")


def contamination(open_model: Opener) -> list[Control]:
    """Thirty items each, of which a memory beside the specimen holds a share; blanks are the specimen alone.

    Every case publishes the options in orders of its own, so that blanks are independent; all orders of one question
    are compared in any case, so that the specimen reads each of them once.
    """
    specimen = open_model("specimen")

    def case(share: float, draw: int) -> Control:
        rng = keyed("contamination", share, draw)
        asked = items(rng)
        seen = [asked.prompt[k] for k in rng.permutation(ASKED)[: round(ASKED * share / 100)]]
        name = f"{share:g} % of the items remembered" if share else "no item seen"
        kind: Literal["positive", "negative"] = "positive" if share else "negative"
        target, unit = Remembering(specimen, seen), "% of the items remembered"
        return Control(name, kind, target, {"Items": asked}, {}, share or None, unit)

    positive = [case(share, draw) for share in SHARES for draw in range(DRAWS)]
    return [*positive, *(case(0.0, draw) for draw in range(BLANKS))]
