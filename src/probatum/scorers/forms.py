"""Items in two orders of their options: the published one, for the released scorer, and a shuffled one, for ours.

Where a set has the right option always in one place, a constant answer wins; asked in a shuffled order it gets chance.
Both are asked, so that the report can show what the published order is worth.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from probatum.core.data import Items
from probatum.core.scores import Scores

AS_PUBLISHED, SHUFFLED = "as published", "shuffled"
REASON = "asked in the published order, for the released score alone"
RECORDED = "answered in the published order alone, where the right option has a known place"


def forms(data: Items) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the items that our scorer counts, and of those that the released one counts.

    An item without another order is counted by both.
    """
    form = np.array([f or "" for f in data.form or ("",) * len(data)])
    return np.flatnonzero(form != AS_PUBLISHED), np.flatnonzero(form != SHUFFLED)


def ours_only(scores: Scores, data: Items) -> Scores:
    """The same scores, where items in the published order have none.

    Answers recorded elsewhere are to the published order alone. Of the shuffled ones only those are then known whose
    order happens to be the published one, with the right option in its known place: they have no score.
    """
    ours, _ = forms(data)
    form, said = data.form or ("",) * len(data), scores.said or ("",) * len(data)
    turned = [i for i in ours if form[i] == SHUFFLED]
    rest = dict.fromkeys({data.ids[i] for i in range(len(data))} - {data.ids[i] for i in ours}, REASON)
    if sum(said[i] is None for i in turned) > len(turned) / 2:
        rest |= {data.ids[i]: RECORDED for i in turned}
    return dataclasses.replace(scores, unscored={**scores.unscored, **rest})
