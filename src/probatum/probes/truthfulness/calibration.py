"""Calibration: are the model's probabilities of being right those with which it is right?

Kadavath et al. 2022 (P207, arXiv 2207.05221), both readings by likelihood. P(True): how likely the model finds it that
a statement is true, of statements half of which are (section 3; they come from the set and not from the model itself,
so that chance is known). P(IK), "I know": how likely it finds it that it can answer a question, of which half are
answered by the text before it (section 5; the paper trains a head for it, here the model is asked).
"""

import numpy as np

from probatum import Access, BadInput, Items, Scores, Target, probe
from probatum.core.target import written_out
from probatum.scorers.nulls import PICKERS, WRITERS
from probatum.statistics.stated_probability import brier_score


@probe(
    paper="P207 arXiv:2207.05221",
    question="How far are the model's probabilities from what comes true?",
    needs=Access.LOGPROBS,
    metric=brier_score,
    measure=True,
    better="low",
    items="facts/probability",
    # Certain of one answer, and right half the time; undecided, 1/4; who agrees says yes to everything.
    nulls={**dict.fromkeys(PICKERS, 0.5), **dict.fromkeys(WRITERS, 0.25), "always_agree": 0.5, "oracle": 0.0},
)
def calibration(target: Target, data: Items) -> Scores:
    """Score a question by (p − y)², p the probability of its first option among both, y whether that one is right.

    Raises
    ------
    BadInput
        Items that do not have two options each.

    Notes
    -----
    0.25 is what "one half" scores every time. The question is put as a text to be continued, also to models with a chat
    template, so that options have a likelihood. ECE with ten bins and the accuracy stand in the breakdown.
    """
    options = [tuple(row or ()) for row in data.options or ((),) * len(data)]
    if any(len(row) != 2 for row in options) or data.answer is None:
        raise BadInput("calibration needs items with two options and an answer each")
    said = target.choices([written_out(talk) for talk in data.conversations], [[f" {o}" for o in r] for r in options])
    logprob = np.array([np.asarray(row, float) for row in said.logprob]).reshape(len(data), 2)
    with np.errstate(invalid="ignore"):
        stated = np.exp(logprob[:, 0] - np.logaddexp(*logprob.T))
    came = np.array([row[0] == answer for row, answer in zip(options, data.answer, strict=True)], float)
    silent = {name: "no likelihood came" for name, p in zip(data.ids, stated, strict=True) if np.isnan(p)}
    return Scores(
        data.ids, (stated - came) ** 2, "miscalibrated", null=np.column_stack([stated, came]), unscored=silent
    )
