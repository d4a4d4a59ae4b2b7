"""Specificity: how far has the repair moved the model on what it was to keep?

Hoelscher-Obermaier et al. 2023 (P170, arXiv 2305.17553): whether the likeliest answer is still right says
little of an edit's side effects; the divergence of the whole next-token distribution from the unchanged model's says
all of them.
"""

import numpy as np

from probatum import Access, BadInput, Retain, Scores, Target, probe
from probatum.engine.tuning import vocabulary_logprob
from probatum.statistics.forgetting import average

_ROWS = 16  # texts whose distributions lie in memory at the same time


@probe(
    paper="P170 arXiv:2305.17553",
    question="How far are the model's next words, on what it was to keep, from those before the repair?",
    needs=Access.TRAIN,
    metric=average("KL per token, nats"),
    measure=True,
    better="low",
    expected={"people": (0.0, 0.0), "people_gold0": (0.02, 1.0)},
    rowwise=True,
)
def specificity(target: Target, retain: Retain, original: Target) -> Scores:
    """Score a text by KL(π₀ ‖ π) per token, π₀ the model before the repair; 0 for a model that was left alone.

    Notes
    -----
    Over all tokens of prefix, secret and suffix, exact over the vocabulary. A model that was trained anew without the
    forget set is not at 0 either, since another initialization gives other numbers: the receipt shows where golds lie.
    """
    if target.tokenizer_digest != original.tokenizer_digest:
        raise BadInput(f"{target.name} and the original {original.name} have different vocabularies")
    rows = target.sequences(retain.texts)
    values = np.full(len(rows), np.nan)
    asked = [i for i, row in enumerate(rows) if len(row) > 1]
    with original.module() as first, target.module() as second:
        for start in range(0, len(asked), _ROWS):
            part = asked[start : start + _ROWS]
            before, after = (vocabulary_logprob(model, [rows[i] for i in part]) for model in (first, second))
            for i, p, q in zip(part, before, after, strict=True):
                values[i] = float((p.exp() * (p - q)).sum(-1).mean())
    return Scores(retain.ids, values, towards="moved")
