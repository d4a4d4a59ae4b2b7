"""Two rates: which epsilon do the two error rates of an attack on canaries prove?

Jagielski, Ullman and Oprea 2020 (arXiv 2006.07709): under (ε, δ)-differential privacy no attack has a small false
positive rate and a small false negative rate at once. Clopper and Pearson's upper limits of both, from canaries of
which a coin decided which were trained on, bound ε from below.
"""

from typing import Literal

from probatum import Access, BadInput, Canaries, Scores, Target, TrainingLog, probe
from probatum.core.likelihood import mean_logprob
from probatum.statistics import two_rates
from probatum.statistics.guarantee import upper_bounds


@probe(
    paper="arXiv:2006.07709",
    question="Do the error rates of an attack prove that the training loses privacy?",
    needs=Access.LOGPROBS,
    metric=two_rates,
)
def epsilon_two_rates(
    target: Target,
    data: Canaries,
    log: TrainingLog | None = None,
    *,
    reference: Target | None = None,
    delta: float = 1e-5,
    threshold: Literal["split", "bonferroni"] = "split",
) -> Scores:
    """Score a canary by its mean log-probability, less that of the reference.

    Parameters
    ----------
    delta
        The δ for which ε is bounded, in [0, 1).
    threshold
        ``split``: chosen on a fifth of the canaries, drawn by hash; the others certify. ``bonferroni``: the best of a
        grid that was fixed in advance, at a share of 5 % each; it uses all canaries and suits a few hundred or more.

    Notes
    -----
    The limits take canaries for independent of each other, as they are where each was planted in a model of its own
    (the paper's way), and nearly are where a few are planted in much data; `epsilon_one_run` needs no such assumption.
    Where clusters pair the canaries, the score of a pair is the difference, and ε is that of replacing one record; else
    of adding or removing one. The accountant's bound is for a record that stands in the data once.
    """
    if not 0 <= delta < 1:
        raise BadInput(f"epsilon_two_rates.delta must lie in [0, 1), got {delta:g}")
    values, note = mean_logprob(target, data.texts, reference)
    parameters = {"delta": delta, "bonferroni": float(threshold == "bonferroni"), **upper_bounds(log, delta)}
    return Scores(data.ids, values, towards="member", note=note, parameters=parameters)
