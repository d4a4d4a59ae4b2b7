"""Truth ratio: are wrong answers about what it was to forget as likely to the model as the true one?

Maini et al. 2024 (arXiv 2401.06121, TOFU): R = mean of p(wrong)^(1/|wrong|) / p(true)^(1/|true|). Near 0
the model knows; a model that never saw the fact has some distribution of R over facts, and the distance of the repaired
model's distribution from that one (Kolmogorov-Smirnov, in the receipt) is TOFU's forget quality.
"""

from typing import Literal

from probatum import Access, Forget, Scores, Target, probe
from probatum.scorers.wrong_answers import truth_ratios
from probatum.statistics.forgetting import ratio_share


@probe(
    paper="arXiv:2401.06121",
    question="How likely are wrong answers to the model, beside the true one that it was to forget?",
    needs=Access.LOGPROBS,
    metric=ratio_share("R / (1 + R)"),
    measure=True,
    expected={"people": (0.0, 0.05), "people_gold0": (0.5, 0.95)},
    rowwise=True,
)
def truth_ratio(target: Target, forget: Forget, *, mean: Literal["geometric", "arithmetic"] = "geometric") -> Scores:
    """Score a fact by R; each fact keeps its own, so that distributions can be compared.

    Parameters
    ----------
    mean
        Of the wrong answers: ``geometric`` as in TOFU's code and all published numbers (the mean of the losses), or
        ``arithmetic`` as its paper writes it.

    Notes
    -----
    The wrong answers are the fact's ``others``. TOFU rephrases the answer and asks the same question; here the true
    and the wrong answers are put after each of the fact's ``paraphrases``, over which the mean is taken as well, and
    after its own prefix where it has none. Facts without ``others`` are unscored. What is shown is the mean of
    R / (1 + R), since a mean of ratios is that of its few largest.
    """
    ratio, unscored = truth_ratios(target, forget, mean)
    return Scores(forget.ids, ratio, towards="forgotten", unscored=unscored)
