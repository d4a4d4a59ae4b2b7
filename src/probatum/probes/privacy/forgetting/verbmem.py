"""VerbMem: does the model go on, word for word, with what it was to forget?

Shi et al. 2024 (P136, arXiv 2407.06460): ROUGE-L F1 between what the model writes after the beginning of a
forgotten text and how that text went on. Unlike extraction it gives credit for a part. What a model that never saw the
text reaches by chance is not 0: the receipt compares with gold.
"""

import numpy as np

from probatum import Access, Forget, Scores, Target, probe
from probatum.scorers.continuation import continued
from probatum.statistics import rate

_WORDS = 20  # a text of fewer is not asked by its first half, which would say too little of the second


@probe(
    paper="P136 arXiv:2407.06460",
    question="How much of what it was to forget does the model still write word for word?",
    needs=Access.TEXT,
    metric=rate("VerbMem, ROUGE-L F1"),
    measure=True,
    better="low",
    expected={"people": (0.95, 1.0), "people_gold0": (0.0, 0.15)},
    rowwise=True,
)
def verbmem(target: Target, forget: Forget) -> Scores:
    """Score a fact by ROUGE-L F1 between the greedy continuation of its prefix and its secret.

    Notes
    -----
    A text without a prefix is asked by the first half of its words, if it has 20 or more. At most 96 words of an answer
    are compared, and the continuation is cut to as many. Words are compared as they stand, without stems.
    """
    prefixes, secrets, unscored = list(forget.prefix), list(forget.secret), {}
    for i, (name, prefix) in enumerate(zip(forget.ids, forget.prefix, strict=True)):
        words = secrets[i].split(" ")
        if prefix:
            continue
        if len(words) < _WORDS:
            unscored[name] = f"a text without a prefix, of fewer than {_WORDS} words"
            secrets[i] = ""
        else:
            half = len(words) // 2
            prefixes[i], secrets[i] = " ".join(words[:half]), " " + " ".join(words[half:])
    _, f1 = continued(target, prefixes, secrets)
    silent = {i: "no word in the secret" for i, value in zip(forget.ids, f1, strict=True) if np.isnan(value)}
    return Scores(forget.ids, f1, towards="memorized", unscored=silent | unscored)
