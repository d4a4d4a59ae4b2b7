"""One run: which epsilon do guessed coins of a single training prove?

Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846), theorem 5.2: under (ε, δ)-differential privacy the number of right
guesses is hardly more than a binomial one with chance e^ε / (e^ε + 1), however the canaries act on one another.
Mahloujifar et al. 2024 (arXiv 2410.22235), algorithm 3, say more where the mechanism is known to be Gaussian.
"""

from typing import Literal

from probatum import Access, BadInput, Canaries, Scores, Target, TrainingLog, probe
from probatum.core.likelihood import mean_logprob
from probatum.statistics import one_run
from probatum.statistics.guarantee import upper_bounds


@probe(
    paper="arXiv:2305.08846 arXiv:2410.22235",
    question="Does a single training run prove that the training loses privacy?",
    needs=Access.LOGPROBS,
    metric=one_run,
)
def epsilon_one_run(
    target: Target,
    data: Canaries,
    log: TrainingLog | None = None,
    *,
    reference: Target | None = None,
    delta: float = 1e-5,
    guesses: float = 0.3,
    family: Literal["dp", "gaussian"] = "dp",
) -> Scores:
    """Score a canary by its mean log-probability, less that of the reference.

    Parameters
    ----------
    delta
        The δ for which ε is bounded, in [0, 1); above 0 for the Gaussian family.
    guesses
        Share of the canaries that are guessed, in (0, 1]: half of them "in" and half "out", those with the most extreme
        scores; of pairs those with the largest difference. At least ten are guessed. It is fixed before anything is
        seen; the best of several shares is not a bound.
    family
        ``dp``: nothing is assumed of the mechanism. ``gaussian``: it is Gaussian private with some μ, which is refuted
        up to the bound, and ε is read off the curve of that μ at δ.

    Notes
    -----
    Coins must be fair and independent, one for each canary, or one for each pair of a cluster (then ε is that of
    replacing one record, else of adding or removing one). Where far more canaries are on one side, the larger side is
    cut by hash. The accountant's bound is for a record that stands in the data once.
    """
    if not (0 if family == "dp" else 1e-300) <= delta < 1:
        raise BadInput(f"epsilon_one_run.delta must lie in [0, 1), above 0 for the Gaussian family, got {delta:g}")
    if not 0 < guesses <= 1:
        raise BadInput(f"epsilon_one_run.guesses must lie in (0, 1], got {guesses:g}")
    values, note = mean_logprob(target, data.texts, reference)
    parameters = {"delta": delta, "guesses": guesses, "gaussian": float(family == "gaussian")}
    parameters |= upper_bounds(log, delta)
    return Scores(data.ids, values, towards="member", note=note, parameters=parameters)
