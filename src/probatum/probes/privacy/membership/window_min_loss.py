"""Window: does the model know some stretch of these texts by heart?

Carlini et al. 2021 (arXiv 2012.07805), §5.2: the smallest perplexity of any window of 50 tokens. A memorized passage in
an otherwise unseen text stands out in its own window, and is lost in the mean over the whole.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2012.07805",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def window_min_loss(target: Target, data: Members, *, w: int = 50) -> Scores:
    """Score a text by the highest mean log-probability, which is the smallest loss, of any ``w`` tokens in a row.

    Parameters
    ----------
    w
        Tokens of a window. A text that is no longer is one window, and its score is that of `loss`.

    Notes
    -----
    The window moves token by token. Its loss is the logarithm of the perplexity in the paper, which ranks texts alike.
    A long text has more windows to find a likely one in, so texts of very different lengths are not comparable.
    """
    logprob = target.token_statistics(data.texts).logprob
    means = logprob.sliding_sum(w) / np.minimum(w, logprob.lengths)
    return Scores(data.ids, means.quantile(1.0), towards="member")
