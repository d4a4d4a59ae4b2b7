"""Max-K% Prob: is the model surer of what it is sure of than in texts it never saw?

Maini et al. 2024 (arXiv 2406.06443), one of the features of LLM dataset inference: the counterpart of Min-K% Prob. What
was learned by heart has long stretches at which the model has no doubt left.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2406.06443",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def max_k_prob(target: Target, data: Members, *, k: float = 0.5) -> Scores:
    """Score a text by the mean log-probability of its likeliest ``k`` share of tokens.

    Parameters
    ----------
    k
        Share of tokens kept, in (0, 1]; at 1 this is `loss`. ⌈kT⌉ tokens, so at least one. The paper takes several
        shares between .05 and .6; a small one holds little more than the ends of words, which any model knows.
    """
    tokens = target.token_statistics(data.texts)
    return Scores(data.ids, tokens.logprob.highest(k).mean(), towards="member")
