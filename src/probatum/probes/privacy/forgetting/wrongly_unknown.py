"""Wrongly unknown: does the repaired model now say that it does not know what it was to keep?

The cost of unlearning by refusal (Maini et al. 2024, arXiv 2401.06121, "I don't know"): a model that learned
to answer so about some may answer so about others.
"""

import numpy as np

from probatum import Access, BadInput, Records, Retain, Scores, Target, probe
from probatum.core.likelihood import written
from probatum.statistics import rate


@probe(
    paper="arXiv:2401.06121",
    question="How often does the model say that it does not know what it was to keep?",
    needs=Access.LOGPROBS | Access.LOGITS,
    metric=rate("wrongly unknown"),
    measure=True,
    better="low",
    expected={"people": (0.0, 0.02), "people_gold0": (0.0, 0.02)},
    rowwise=True,
)
def wrongly_unknown(target: Target, retain: Retain, *, refusal: str = " unknown") -> Scores:
    """Score a fact 1 if greedy decoding from its prefix writes the refusal, else 0.

    Parameters
    ----------
    refusal
        The words, with the blank before them, in which this model says that it does not know.

    Notes
    -----
    Facts of which the refusal is the true answer are unscored.
    """
    if not refusal.strip():
        raise BadInput("wrongly_unknown.refusal must be the words in which the model says that it does not know")
    asked = Records(ids=retain.ids, prefix=retain.prefix, secret=(refusal,) * len(retain))
    said, unscored = written(target, asked)
    for name, prefix, secret in zip(retain.ids, retain.prefix, retain.secret, strict=True):
        if not prefix:
            unscored[name] = "a text without a prefix cannot be asked"
        elif not secret:
            unscored[name] = "no token of the secret has a score"
        elif secret.strip() == refusal.strip():
            unscored[name] = "the refusal is its true answer"
    return Scores(retain.ids, said.astype(np.float64), towards="refused", unscored=unscored)
