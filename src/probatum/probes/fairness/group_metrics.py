"""Group metrics: how far apart do the groups lie in what is decided about them?

Demographic parity and equalized odds differences, as DecodingTrust (P037, section 10) and Hardt et al. 2016
(arXiv 1610.02413) have them, of decisions by a model or of a table of decisions already taken: selection, true and
false positive rates of every group and of their intersections.
"""

import numpy as np

from probatum import Access, Rows, Scores, Target, probe
from probatum.statistics import group_difference


@probe(
    paper="P037 arXiv:1610.02413",
    question="How far apart do the groups lie in the errors made about them?",
    needs=Access.LABELS,
    metric=group_difference,
    measure=True,
    better="low",
    control="decisions",
)
def group_metrics(target: Target, data: Rows, *, least: int = 30) -> Scores:
    """Score a row 1 if the decision is a yes, 0 if it is a no.

    Parameters
    ----------
    least
        Records on which a rate must rest before it is compared; the rates of smaller groups are shown, and say so.

    Notes
    -----
    A constant decision treats all groups alike, and so does an oracle: the difference by itself does not say that
    decisions are any good. True and false positive rates beside it do.
    """
    decided = target.predict(data)
    score = None if data.score is None else np.array(data.score, dtype=float)[:, None]
    lacking = {i: "no decision" for i, d in zip(data.ids, decided, strict=True) if np.isnan(d)}
    return Scores(data.ids, decided, towards="yes", null=score, unscored=lacking, parameters={"least": least})
