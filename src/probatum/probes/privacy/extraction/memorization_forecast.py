"""Memorization forecast: does an earlier or smaller model tell which records this one memorizes?

Biderman et al. 2023 (arXiv 2304.11158), section 4. A record is memorized if greedy decoding from its prefix writes the
whole secret. The records that a partly trained or a smaller model memorizes are taken for a forecast of those that the
whole model will; the paper finds a high precision and a low recall, so both are shown.
"""

import numpy as np

from probatum import Access, Records, Scores, Target, probe
from probatum.core.likelihood import written
from probatum.statistics import forecast


@probe(
    paper="P060 arXiv:2304.11158",
    question="Do the records that an earlier or smaller model memorizes foretell those of this one?",
    needs=Access.LOGPROBS,
    metric=forecast,
    control="forecast",
    rowwise=True,
)
def memorization_forecast(target: Target, data: Records, *, checkpoint: Target) -> Scores:
    """Score a record 2 if this model memorizes it, and 1 more if the checkpoint does.

    Parameters
    ----------
    checkpoint
        A model of the same training data: an earlier checkpoint, or a smaller model.

    Notes
    -----
    Each model is asked in its own tokens, so the two need not share a tokenizer. Of records labeled as members only
    these count. What the two models share may simply be that some records stand in the training data more often: that
    is what makes the forecast useful, and no fault of it.
    """
    score = np.zeros(len(data))
    empty: dict[str, str] = {}
    for weight, model in ((2, target), (1, checkpoint)):
        hits, unscored = written(model, data)
        score += weight * hits
        empty |= unscored
    return Scores(data.ids, score, towards="foretold", unscored=empty)
