"""Min-K% Prob: are even the least likely tokens of a text not that unlikely?

Shi et al. 2023 (arXiv 2310.16789), equation 1. An unseen text tends to hold a few words that surprise the model; a text
seen in training holds fewer of them.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2310.16789",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
    rowwise=True,
)
def min_k_prob(target: Target, data: Members, *, k: float = 0.2) -> Scores:
    """Score a text by the mean log-probability of its least likely ``k`` share of tokens.

    Parameters
    ----------
    k
        Share of tokens kept, in (0, 1]; at 1 this is `loss`. ⌈kT⌉ tokens, so at least one.
    """
    tokens = target.token_statistics(data.texts)
    return Scores(data.ids, tokens.logprob.lowest(k).mean(), towards="member")
