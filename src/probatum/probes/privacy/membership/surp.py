"""SURP: where the model is sure of itself and still wrong, how wrong is it?

Zhang and Wu 2024 (arXiv 2407.21248). Surprising tokens are those at which the next-token distribution has a low entropy
and the true token a low probability. A text seen in training holds fewer and milder ones.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2407.21248",
    question="Were these texts in the training data?",
    needs=Access.LOGITS,
    metric=auroc,
    rowwise=True,
)
def surp(target: Target, data: Members, *, k: float = 0.4, max_entropy: float = 2.0) -> Scores:
    """Score a text by the mean log-probability of its surprising tokens.

    Parameters
    ----------
    k
        A token's log-probability must lie at or below this quantile of its text, in (0, 1].
    max_entropy
        The entropy of the next-token distribution must lie below this, in nats.

    Notes
    -----
    A text without any surprising token is unscored, and counted.
    """
    tokens = target.token_statistics(data.texts)
    surprising = (-tokens.mean < max_entropy) & (tokens.logprob <= tokens.logprob.quantile(k))
    chosen = tokens.logprob.where(surprising)
    none = {i: "no surprising token" for i, n in zip(data.ids, chosen.lengths, strict=True) if n == 0}
    return Scores(data.ids, chosen.mean(), towards="member", unscored=none)
