"""Model utility: how well does the model still do on everything that it was to keep?

Maini et al. 2024 (arXiv 2401.06121, TOFU): the harmonic mean of nine numbers, probability, ROUGE and truth
ratio on each of three sets. One set that broke pulls it down, which a plain mean would hide.
"""

import numpy as np

from probatum import Access, Retain, Scores, Target, probe
from probatum.scorers.continuation import continued
from probatum.scorers.wrong_answers import truth_ratios
from probatum.statistics.forgetting import harmonic_utility


@probe(
    paper="arXiv:2401.06121",
    question="How well does the model still answer, all in all, what it was to keep?",
    needs=Access.TEXT | Access.LOGPROBS,
    metric=harmonic_utility,
    measure=True,
    better="high",
    expected={"people": (0.9, 1.0), "people_gold0": (0.9, 1.0)},
    rowwise=True,
)
def model_utility(target: Target, retain: Retain) -> Scores:
    """Score a fact by p(secret)^(1/|secret|) after its prefix; beside it ROUGE-L recall and max(0, 1 − R).

    Notes
    -----
    TOFU's three sets are the groups of the retain set (neighbors, the rest, world knowledge); without groups it is one.
    On its world facts TOFU divides the probability by that of all answers; here it is the same on every group. R is the
    truth ratio with geometric mean (`truth_ratio`); facts without wrong values have none, and a group without any has
    two numbers instead of three.
    """
    tokens = target.token_statistics(retain.secret, prefixes=retain.prefix)
    asked = [s if p else "" for p, s in zip(retain.prefix, retain.secret, strict=True)]
    recall, _ = continued(target, retain.prefix, asked)
    ratio, _ = truth_ratios(target, retain)
    unscored = {}
    for name, ask, n, said in zip(retain.ids, retain.askable, tokens.logprob.lengths, recall, strict=True):
        if not ask:
            unscored[name] = "a text without a prefix cannot be asked"
        elif not n:
            unscored[name] = "no token of the secret has a score"
        elif np.isnan(said):
            unscored[name] = "no word in the secret"
    null = np.column_stack([recall, np.fmax(0.0, 1 - ratio) + 0 * ratio])
    return Scores(retain.ids, np.exp(tokens.logprob.mean()), towards="known", null=null, unscored=unscored)
