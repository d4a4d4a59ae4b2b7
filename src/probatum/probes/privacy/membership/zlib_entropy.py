"""zlib entropy: is the text likelier than a general-purpose compressor finds it simple?

Carlini et al. 2021 (arXiv 2012.07805), §5.2. Repetitive text has a low loss without ever having been seen; dividing by
the size to which zlib compresses it takes a part of that out.
"""

import zlib

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2012.07805",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
    rowwise=True,
)
def zlib_entropy(target: Target, data: Members) -> Scores:
    """Score a text by Σ_t log p(x_t | x_<t) over its size in bytes after zlib.

    Notes
    -----
    zlib's own header makes short texts look complex, so texts of very different lengths are not comparable.
    """
    size = np.array([len(zlib.compress(text.encode())) for text in data.texts])
    tokens = target.token_statistics(data.texts)
    # A text without tokens has the sum 0, which would be the best score of all.
    total = np.where(tokens.logprob.lengths > 0, tokens.logprob.sum(), np.nan)
    return Scores(data.ids, total / size, towards="member")
