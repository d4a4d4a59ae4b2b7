"""Tasks that ask a part of a set only: the rest has no score, for a stated reason, and was not asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probatum.core.data import Items
from probatum.core.scores import Scores

NOT_ASKED = "not asked"  #: the kind of an answer that nobody wanted; it counts as none of `grading.KINDS`


def on_part(data: Items, asked: Sequence[bool], score: Callable[[Items], Scores], reason: str) -> Scores:
    """Scores of all items, made by ``score`` of those that are asked; the others are unscored for this reason."""
    at = np.flatnonzero(asked)
    part = score(data.take(at))
    values = np.full(len(data), np.nan)
    values[at] = part.values
    null = None
    if part.null is not None:
        null = np.full((len(data), part.null.shape[1]), np.nan)
        null[at] = part.null
    said: list[str | None] = [None] * len(data)
    kinds = [NOT_ASKED] * len(data)
    for i, answer, kind in zip(at, part.said or (None,) * len(at), part.kinds or (NOT_ASKED,) * len(at), strict=True):
        said[i], kinds[i] = answer, kind
    rest = {data.ids[i]: reason for i in np.flatnonzero(~np.asarray(asked, bool))}
    return Scores(
        data.ids, values, part.towards, null=null, unscored={**part.unscored, **rest}, said=said, kinds=kinds,
        released=part.released, note=part.note,
    )  # fmt: skip
