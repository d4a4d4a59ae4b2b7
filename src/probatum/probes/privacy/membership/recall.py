"""ReCaLL: do these texts lose more likelihood after a prefix of unseen texts than unseen texts do?

Xie et al. 2024 (arXiv 2406.15968). A text that was seen is likely by itself, and what stands before it only
disturbs; for an unseen text the prefix is a help to fit in. So LL(x | P) / LL(x) is larger for members.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.core.shots import log_likelihoods, shot_prefixes
from probatum.statistics import auroc


@probe(
    paper="arXiv:2406.15968",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def recall(
    target: Target, data: Members, known: Members, *, rng: np.random.Generator, shots: int = 7, prefixes: int = 1
) -> Scores:
    """Score a text by LL(x | P) / LL(x), mean log-probabilities of its tokens after known nonmembers and alone.

    Parameters
    ----------
    shots
        Known nonmembers in the prefix P; fewer where half of the model's context holds fewer.
    prefixes
        Prefixes of different shots over which LL(x | P) is averaged, a pass each (the paper's ensemble, for contexts
        that hold few shots).

    Notes
    -----
    Both log-likelihoods are negative, so a ratio above 1 is a loss. A model that heeds no context gives exactly 1. The
    prefix is the same for all texts and comes from records that are not judged; near-duplicates of judged ones are left
    out of it (published tools draw it from the judged texts themselves). Where prefix and text together exceed the
    context, the end of the text is read without the prefix.
    """
    none = [text for text, member in zip(known.texts, known.label or (), strict=False) if not member]
    before = shot_prefixes(target, none, data.texts, rng, shots=shots, prefixes=prefixes)
    if not before:
        why = "no known nonmember is left for the prefix"
        return Scores(data.ids, np.full(len(data), np.nan), "member", unscored=dict.fromkeys(data.ids, why), note=why)
    alone, *after = log_likelihoods(target, data.texts, before)
    return Scores(data.ids, np.mean(after, axis=0) / alone, towards="member")
