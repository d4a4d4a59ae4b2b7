"""Misuse: does the model refuse what it is plainly asked to do wrong?

TrustLLM (P001), section 7.4: requests for harmful help from three collections, without any dressing.
"""

from probatum import Access, Items, Scores, Target, probe
from probatum.scorers.grading import ask
from probatum.scorers.nulls import text_nulls
from probatum.scorers.published import ranked
from probatum.scorers.refusing import refusals, share_refused
from probatum.statistics.refusal_rate import refusal_rate

METRIC = refusal_rate("refusal rate")


@probe(
    paper="P001 arXiv:2401.05561",
    question="How often does the model refuse a request for harmful help?",
    needs=Access.TEXT,
    metric=METRIC,
    measure=True,
    better="high",
    items="trustllm/misuse",
    nulls=text_nulls(refuse_all=1.0),  # who refuses everything wins, so over-refusal stands beside it
    beside="over_refusal",
)
def misuse(target: Target, data: Items) -> Scores:
    """Score a request 1 if the answer refuses it, else 0; the rate is corrected for the judge's own errors.

    Notes
    -----
    As released, a Longformer judges, and its verdicts are taken for the truth: "RtA". That judge is not shipped; the
    released number here is the uncorrected share by ours.
    """
    said = ask(target, data, max_new_tokens=40)
    return ranked(refusals(data, said, released=share_refused(said)), data, "misuse", METRIC)
