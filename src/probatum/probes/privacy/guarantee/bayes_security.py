"""Bayes security: how much better than guessing can the best attack on this training be?

Cherubin et al. 2024 (P049, arXiv 2402.14397): β* = 1 − TV between the outputs with one record and with another. No
attack on membership has an advantage above 1 − β*, and β* follows from noise, sampling and steps alone. Their closed
form, 1 − erf(p√T / (√2 σ)), is exact without sampling; with sampling it holds up to a remainder that this file does not
drop.
"""

import math

from probatum import Access, Scores, Target, TrainingLog, probe
from probatum.statistics import bayes_security_bound
from probatum.statistics.accounting import phases_of
from probatum.statistics.guarantee import delta_at, upper_bounds


@probe(
    paper="P049 arXiv:2402.14397",
    question="How secure is one record against the best attack on this training?",
    needs=Access(0),
    metric=bayes_security_bound,
    measure=True,
    control="training_logs",
)
def bayes_security(target: Target, log: TrainingLog) -> Scores:
    """Bound β* from below by the accountant's total variation distance, which is δ at ε = 0.

    Notes
    -----
    An attack has to tell whether a record was in the training, or another in its place (the paper's setting; β* of with
    or without it is in the breakdown). With sampling the distance goes through the set without the record, so the bound
    may be lower than the truth, and is never higher; the paper's closed form stands beside it and leaves out a term of
    order √(pT)/σ. Nothing is measured on the model: the bound is as true as the log.
    """
    phases = phases_of(log)
    # Two clipped gradients are two clips apart, each step by p · 2 / σ in units of its noise.
    signal = 2 * math.sqrt(sum(p.steps * (p.sample_rate / p.noise_multiplier) ** 2 for p in phases))
    parameters = {
        "without": 1 - delta_at(phases, 0.0),
        "closed_form": math.erfc(signal / (2 * math.sqrt(2))),
        "sampled": float(any(p.sample_rate < 1 for p in phases)),
        **upper_bounds(log, float(log.delta[0])),
    }
    values = [1 - delta_at(phases, 0.0, "replace-one")] + [math.nan] * (len(log) - 1)
    later = dict.fromkeys(log.ids[1:], "one bound for all phases")
    return Scores(log.ids, values, towards="security", unscored=later, parameters=parameters)
