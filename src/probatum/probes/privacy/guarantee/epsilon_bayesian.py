"""Bayesian epsilon: how large is the privacy loss, as the error rates of an attack let one believe?

Zanella-Béguelin et al. 2023 (P018, arXiv 2206.05199): with Jeffreys' prior on both error rates, counts of right and
wrong guesses give a posterior of ε, and its quantiles a credible interval that is narrower than any confidence
interval.
"""

from probatum import Access, BadInput, Canaries, Scores, Target, TrainingLog, probe
from probatum.core.likelihood import mean_logprob
from probatum.statistics import credible_epsilon
from probatum.statistics.guarantee import upper_bounds


@probe(
    paper="P018 arXiv:2206.05199",
    question="How large may the privacy loss of the training be believed to be?",
    needs=Access.LOGPROBS,
    metric=credible_epsilon,
    measure=True,
    control="randomized_response",
)
def epsilon_bayesian(
    target: Target,
    data: Canaries,
    log: TrainingLog | None = None,
    *,
    reference: Target | None = None,
    delta: float = 1e-5,
) -> Scores:
    """Score a canary by its mean log-probability, less that of the reference.

    Parameters
    ----------
    delta
        The δ for which ε is estimated, in [0, 1).

    Notes
    -----
    Credible is not confident: the interval is right as often as it says on average over the prior, not for every ε, and
    a model without any leak has a posterior above 0. The threshold is chosen on a fifth of the canaries, drawn by hash,
    and the others count. Many canaries in one model are taken for independent, the paper's heuristic. What it estimates
    is ε of this attack, below that of the mechanism.
    """
    if not 0 <= delta < 1:
        raise BadInput(f"epsilon_bayesian.delta must lie in [0, 1), got {delta:g}")
    values, note = mean_logprob(target, data.texts, reference)
    return Scores(
        data.ids, values, towards="member", note=note, parameters={"delta": delta, **upper_bounds(log, delta)}
    )
