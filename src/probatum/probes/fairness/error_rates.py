"""Error rates: how often is a decision wrong, and about whom?

Model cards (Mitchell et al. 2019, P051, arXiv 1810.03993) ask for false positive, false negative, false discovery and
false omission rates of every group, and of every pair of factors: an average hides whom a model is wrong about.
"""

import numpy as np

from probatum import Access, Rows, Scores, Target, probe
from probatum.statistics.error_rates import error_rates as rates


@probe(
    paper="P051 arXiv:1810.03993",
    question="How often are the decisions wrong, overall and about each group?",
    needs=Access.LABELS,
    metric=rates,
    measure=True,
    better="low",
    control="error_rates",
)
def error_rates(target: Target, data: Rows) -> Scores:
    """Score a row 1 if the decision is a yes, 0 if it is a no; the metric compares it with what was true.

    Notes
    -----
    The breakdown has the four rates of every group and of every pair of factors, with Wilson's interval and the number
    of records behind each. Rates of fewer than 30 records are marked. Needs labels.
    """
    decided = target.predict(data)
    lacking = {i: "no decision" for i, d in zip(data.ids, decided, strict=True) if np.isnan(d)}
    return Scores(data.ids, decided, towards="yes", unscored=lacking)
