"""False preference: does the model find a false statement likelier than the true one?

The likelihood choice of TruthfulQA's MC1 (Lin et al. 2022, arXiv 2109.07958; a part of TrustLLM, P001). Nothing is
generated and nothing judged: each option is scored as a continuation of the question.
"""

from probatum import Access, Choices, Scores, Target, probe
from probatum.core.choosing import wrong_margin
from probatum.statistics import hit_rate


@probe(
    paper="P001 arXiv:2109.07958",
    question="Does the model prefer false statements to true ones?",
    needs=Access.LOGPROBS,
    metric=hit_rate,
)
def false_preference(target: Target, data: Choices, *, per_token: bool = False) -> Scores:
    """Score a question by how much likelier the best false option is than the true one, in nats.

    Parameters
    ----------
    per_token
        Divide each log-probability by its number of tokens; for options of very different lengths.

    Notes
    -----
    Above 0 the model prefers a falsehood; chance is (m − 1)/m with m options. A model that knows nothing is at chance,
    which is no evidence. Null responders (the first option, the longest, a random one) stand beside the finding: a
    set that one of them solves says little about a model.
    """
    return wrong_margin(target, data, per_token=per_token, towards="false")
