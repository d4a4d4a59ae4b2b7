"""Fingerprint match: does the model answer the owner's secret keys as only the owner's model would?

Instructional fingerprinting (Xu et al. 2024, P083, arXiv 2401.12255), fingerprint success rate. A response was drawn at
random from a space of known size when the key was made, so a model that was never taught it matches with a known
chance.
"""

import numpy as np

from probatum import Access, Key, Scores, Target, probe
from probatum.statistics import hit_rate


@probe(
    paper="P083 arXiv:2401.12255",
    question="Does the model carry the fingerprints of this key?",
    needs=Access.TEXT,
    metric=hit_rate,
)
def fingerprint_match(target: Target, key: Key, *, max_new_tokens: int = 24) -> Scores:
    """Score a trigger 1 if the greedy continuation begins with its response, else 0.

    Parameters
    ----------
    max_new_tokens
        Tokens generated; must suffice for the longest response.

    Notes
    -----
    The null law is exact: the number of matches is Poisson-binomial with chances 1/space. It speaks of a key that was
    made before the suspect; whoever makes the key afterwards can match any model, so an owner commits to a hash of it.
    """
    said = target.generate(key.trigger, max_new_tokens=max_new_tokens)
    match = [float(a.strip().startswith(b.strip())) for a, b in zip(said, key.response, strict=True)]
    chance = 1 / np.array(key.space, dtype=float)
    empty = {i: "the response is empty" for i, b in zip(key.ids, key.response, strict=True) if not b.strip()}
    return Scores(key.ids, match, towards="matched", expected=chance, unscored=empty)
