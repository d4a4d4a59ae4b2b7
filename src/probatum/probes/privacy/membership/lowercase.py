"""Lowercase: does the model lose more than usual when a text loses its capital letters?

Carlini et al. 2021 (arXiv 2012.07805), §5.2. A text that is known word for word is known with its capital letters;
another spelling of it is a text that the model has never seen.
"""

from typing import Literal

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc

_LEAST = 1e-9  # a loss below this counts as this: a text known to the last digit has no logarithm of its loss


@probe(
    paper="arXiv:2012.07805",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def lowercase(
    target: Target, data: Members, *, ratio: Literal["log-perplexity", "perplexity"] = "log-perplexity"
) -> Scores:
    """Score a text by the logarithm of a ratio: in lower case to as it stands.

    Parameters
    ----------
    ratio
        Of what. The paper's sentence says perplexities, and the logarithm of that is loss(lower) − loss(text); its
        published code takes their logarithms, which are the losses themselves, and most peers do. With perplexities our
        own control is missed at every dose for one text at a time.

    Notes
    -----
    Losses are per token, each over its own tokens. A text without capital letters scores exactly 0, which says nothing
    of it; the finding tells how many there are.
    """
    lower = [text.lower() for text in data.texts]
    own, altered = (-target.token_statistics(texts).logprob.mean() for texts in (data.texts, lower))
    if ratio == "log-perplexity":
        own, altered = np.log(np.maximum(own, _LEAST)), np.log(np.maximum(altered, _LEAST))
    same = sum(a == b for a, b in zip(lower, data.texts, strict=True))
    note = f"{same} of {len(data)} texts are in lower case already and score 0" if same else ""
    return Scores(data.ids, altered - own, towards="member", note=note)
