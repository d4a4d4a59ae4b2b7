"""Min-K%++: are the least likely tokens of a text unusually likely for their position?

Zhang et al. 2024 (arXiv 2404.02936), equation 3. A text seen in training sits near a mode of the model, so its
least likely tokens score high against the mean and spread of the model's own next-token distribution.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2404.02936",
    question="Were these texts in the training data?",
    needs=Access.LOGITS,
    metric=auroc,
    rowwise=True,
)
def min_k_plus_plus(target: Target, data: Members, *, k: float = 0.2) -> Scores:
    """Score a text by the mean standardized log-probability of its lowest ``k`` share of tokens.

    Parameters
    ----------
    k
        Share of tokens kept, in (0, 1].

    Notes
    -----
    z_t = (log p(x_t | x_<t) − μ_t) / σ_t, with μ_t and σ_t the mean and standard deviation of log p over the whole
    vocabulary, so endpoints that return only the top few tokens cannot serve it. A uniform row has σ = 0: it is
    clamped to 1e-6, and z is 0 there.
    """
    tokens = target.token_statistics(data.texts)
    z = (tokens.logprob - tokens.mean) / tokens.std.clip(1e-6)
    return Scores(data.ids, z.lowest(k).mean(), towards="member")
