"""Dataset inference: was this set of texts, as a set, in the training data?

Maini et al. 2024 (arXiv 2406.06443). No membership score is reliable on single texts of a large model, but many weak
ones together separate two sets. Their weights are learned on known members and nonmembers; a one-sided t-test then asks
of the other half whether the members' sums are higher.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import set_difference
from probatum.statistics.features import attack_features

_STRENGTH = 0.1  # inverse of the ridge penalty of the logistic regression: the features are many and much alike
_LEAST = 5  # known records of each label


@probe(
    paper="arXiv:2406.06443",
    question="Was this set of texts, as a set, in the training data?",
    needs=Access.LOGPROBS,
    metric=set_difference,
)
def dataset_inference(
    target: Target, data: Members, known: Members, *, reference: Target | None = None, clip: float = 0.025
) -> Scores:
    """Score a text by the log-odds of a linear model over membership statistics, learned on the known half.

    Parameters
    ----------
    reference
        A model that did not see the texts; adds what the audited one says beyond it.
    clip
        Share of the known texts whose statistics are moved to the quantile, on each side.

    Notes
    -----
    The statistics are those of the stored record: mean, least and most likely tokens at seven shares, zlib, halves;
    with the full vocabulary also standardized ones, entropies and ranks. All are clipped and standardized by the known
    half alone. The weights, their signs too, are learned, so the question has no direction that could be reversed.
    """
    label = np.array(known.label if known.label is not None else (), dtype=bool)
    x, own = _features(target, known, reference), _features(target, data, reference)
    usable = ~np.isnan(x).any(1)
    sides = [int((usable[: len(label)] & (label == side)).sum()) for side in (True, False)]
    if min(sides) < _LEAST:
        why = f"{sides[0]} known members and {sides[1]} known nonmembers; at least {_LEAST} of each are learned from"
        return Scores(data.ids, np.full(len(data), np.nan), "member", unscored=dict.fromkeys(data.ids, why), note=why)
    from sklearn.linear_model import LogisticRegression

    low, high = np.quantile(x[usable], [clip, 1 - clip], axis=0)
    x, own = x[usable].clip(low, high), own.clip(low, high)
    center, spread = x.mean(0), np.maximum(x.std(0), 1e-9)
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=5000)
    model.fit((x - center) / spread, label[usable])
    scores = (own - center) / spread @ model.coef_[0] + model.intercept_[0]
    return Scores(data.ids, scores, towards="member")


def _features(target: Target, data: Members, reference: Target | None) -> np.ndarray:
    """Shape (n, f); NaN for a text without a scored token."""
    other = reference.token_statistics(data.texts) if reference is not None else None
    same = reference is None or reference.tokenizer_digest == target.tokenizer_digest
    named = attack_features(target.token_statistics(data.texts), data.texts, reference=other, same_tokens=same)
    return np.column_stack(list(named.values()))
