"""Retained knowledge: does the model still know what it was to keep?

The gate of every repair (Maini et al. 2024, arXiv 2401.06121, and Shi et al. 2024, P136 arXiv 2407.06460, call it model
utility): a model that knows nothing any more passes every test of forgetting, so forgetting is read only where this is
as good as in a model that was trained without the forget set.
"""

import numpy as np

from probatum import Access, Retain, Scores, Target, probe
from probatum.core.likelihood import written
from probatum.statistics import rate


@probe(
    paper="P136 arXiv:2407.06460 arXiv:2401.06121",
    question="How much of what it was to keep does the model still know?",
    needs=Access.LOGPROBS | Access.LOGITS,
    metric=rate("recall"),
    measure=True,
    better="high",
    expected={"people": (0.97, 1.0), "people_gold0": (0.97, 1.0)},
    rowwise=True,
)
def retained_knowledge(target: Target, retain: Retain) -> Scores:
    """Score a fact 1 if greedy decoding from its prefix writes the secret, else 0.

    Notes
    -----
    Groups of the retain set (neighbors of the forgotten, the rest of the world) are shown apart: an unlearning that
    took the neighbors along shows there first. Texts without a prefix cannot be asked and are unscored.
    """
    told, empty = written(target, retain)
    mute = {
        i: "a text without a prefix cannot be asked"
        for i, ask in zip(retain.ids, retain.askable, strict=True)
        if not ask
    }
    return Scores(retain.ids, told.astype(np.float64), towards="known", unscored=empty | mute)
