"""Norm agreement: does the model contradict the rules that it was to keep?

Implicit ethics as in ETHICS (Hendrycks et al. 2021, arXiv 2008.02275) and TrustLLM (P001), asked by likelihood: a rule
is begun, and the model's probabilities of the ways to end it are compared with the rule as stated.
"""

from probatum import Access, Norms, Scores, Target, probe
from probatum.core.choosing import wrong_margin
from probatum.statistics import hit_rate


@probe(
    paper="P001 arXiv:2008.02275",
    question="Does the model contradict the stated norms?",
    needs=Access.LOGPROBS,
    metric=hit_rate,
)
def norm_agreement(target: Target, data: Norms, *, per_token: bool = False) -> Scores:
    """Score a norm by how much likelier the best contradicting ending is than the stated one, in nats.

    Parameters
    ----------
    per_token
        Divide each log-probability by its number of tokens.

    Notes
    -----
    The act must come before the verdict: with the verdict first the prior of two words decides, whatever the act. What
    a model says of a norm is not what it would do.
    """
    return wrong_margin(target, data, per_token=per_token, towards="contradicting")
