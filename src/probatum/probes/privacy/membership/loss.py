"""LOSS: does the model predict these texts better than texts it never saw?

Yeom et al. 2018 (arXiv 1709.01604), the oldest membership test and still the one to beat: training lowers the loss of
what is trained on, so members have a higher mean log-probability per token.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:1709.01604",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
    rowwise=True,
)
def loss(target: Target, data: Members) -> Scores:
    """Score a text by its mean log-probability per token, (1/T) Σ_t log p(x_t | x_<t).

    Notes
    -----
    An easy text scores high whether it was seen or not; `reference_ratio` takes that out. A uniform model gives
    exactly −ln V.
    """
    return Scores(data.ids, target.token_statistics(data.texts).logprob.mean(), towards="member")
