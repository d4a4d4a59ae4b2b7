"""SaMIA: does the model, given the first half of a text, come back to the words of the second?

Kaneko et al. 2024 (arXiv 2404.11262). Where nothing but the model's words can be had, the overlap of sampled
continuations with the true one (ROUGE-1 recall) stands in for its likelihood.
"""

import re
import zlib
from collections import defaultdict
from typing import Any

import numpy as np

from probatum import Access, BadInput, Members, Scores, Target, probe
from probatum.core.overlap import rouge_1_recall, units
from probatum.statistics import auroc

_BYTES = 3  # per generated token: few tokenizers need more tokens for a text than that
_STEP = 16  # lengths are rounded up to a multiple of this, so that many texts share a batch


@probe(
    paper="arXiv:2404.11262",
    question="Were these texts in the training data?",
    needs=Access.TEXT,
    metric=auroc,
    rowwise=True,
)
def samia(
    target: Target,
    data: Members,
    *,
    rng: np.random.Generator,
    samples: int = 5,
    temperature: float = 0.5,
    top_k: int = 0,
    compressed: bool = False,
) -> Scores:
    """Score a text by the mean share of the words of its second half that are in samples from its first half.

    Parameters
    ----------
    samples
        Continuations that are drawn of every text.
    temperature
        Of the sampler, above 0. The paper draws at 1; a lower temperature keeps the noise out. (At 1 our own control
        is missed under one seed of three, without a cut.)
    top_k
        Draw from so many of the likeliest tokens; 0 cuts nothing, and most endpoints offer only that. The paper's
        sampler is ``temperature=1, top_k=50, samples=10``.
    compressed
        Weigh each continuation by its size in bytes after zlib (SaMIA * zlib), against models that repeat themselves.

    Notes
    -----
    A word that stands twice is found twice only if the continuation has it twice; a published peer forgets that. A
    continuation is cut to as many words as the second half has, so that nothing is gained by talking on.
    """
    if samples < 1 or not temperature > 0:
        raise BadInput(f"samia needs samples >= 1 and a temperature above 0, got {samples} and {temperature:g}")
    cut: dict[str, Any] = {"top_k": top_k} if top_k else {}
    base = int(rng.integers(2**31))
    score, unscored = np.full(len(data), np.nan), {}
    heads, tails = zip(*map(_halves, data.texts), strict=True) if len(data) else ((), ())
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, tail in enumerate(tails):
        if not heads[i] or not units(tail, "word"):
            unscored[data.ids[i]] = "too short: no words in one of its halves"
        else:
            by_length[-(-len(tail.encode()) // (_BYTES * _STEP)) * _STEP].append(i)
    for length, texts in by_length.items():
        prompts = [heads[i] for i in texts]
        found = np.zeros((samples, len(texts)))
        for j in range(samples):
            said = target.generate(prompts, max_new_tokens=length, temperature=temperature, seed=base + j, **cut)
            for k, (i, continuation) in enumerate(zip(texts, said, strict=True)):
                true = units(tails[i], "word")
                found[j, k] = rouge_1_recall(units(continuation, "word")[: len(true)], true)
                if compressed:
                    found[j, k] *= len(zlib.compress(continuation.encode()))
        score[texts] = found.mean(0)
    return Scores(data.ids, score, towards="member", unscored=unscored)


def _halves(text: str) -> tuple[str, str]:
    """The text up to its middle word, without the blank before it, and from there on."""
    words = list(re.finditer(r"\S+", text))
    middle = words[len(words) // 2].start() if words else 0
    return text[:middle].rstrip(), text[middle:]
