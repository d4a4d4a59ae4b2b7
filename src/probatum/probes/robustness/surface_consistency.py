"""Surface consistency: does the model lose what it knows when the wording changes?

ParaRel (Elazar et al. 2021, arXiv 2102.01017): the same relation in several surface forms (case, typing errors,
paraphrase). Agreement alone is a bad number, since a model that always names the same value is consistent; a form
counts only if it prefers the value that the canonical form gives rightly.
"""

import numpy as np

from probatum import Access, Forms, Scores, Target, probe
from probatum.statistics import hit_rate


@probe(
    paper="arXiv:2102.01017",
    question="Does the model lose facts when their wording changes?",
    needs=Access.LOGPROBS,
    metric=hit_rate,
)
def surface_consistency(target: Target, data: Forms, *, tolerated: float = 0.1) -> Scores:
    """Score a fact (cluster) by minus the mean margin of the right value over its other forms, in nats.

    Parameters
    ----------
    tolerated
        Share of facts that may be lost before the answer is yes: no model keeps all of them.

    Notes
    -----
    The margin is the log-probability of the right value minus that of the best other value. Above 0 the fact is lost:
    on average the other forms prefer a wrong value. Facts that the canonical form does not give rightly are not known
    to begin with and stay unscored.
    """
    margin = target.choices(data.question, data.options).margin(data.answer)
    cluster = np.array(data.cluster)
    canonical = np.array([form == "canonical" for form in data.form or ()])
    facts = list(dict.fromkeys(data.cluster or ()))
    lost, unknown = [], {}
    for fact in facts:
        own = cluster == fact
        lost.append(-margin[own & ~canonical].mean() if (own & ~canonical).any() else np.nan)
        if not (margin[own & canonical] > 0).any():
            unknown[fact] = "not known in its canonical form"
    return Scores(facts, lost, towards="lost", expected=tolerated, unscored=unknown)
