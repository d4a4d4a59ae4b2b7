"""Quantile regression: are these texts likelier than nearly all unseen texts of their kind are?

Bertran et al. 2023 (arXiv 2307.03694). One threshold for all texts calls easy texts members. Here every
text has its own: the quantile of the score that unseen texts with its features would have, learned by pinball loss
on known nonmembers, without a shadow model.
"""

import numpy as np

from probatum import Access, BadInput, Members, Scores, Target, probe
from probatum.core.data import digest_of
from probatum.statistics import auroc
from probatum.statistics.features import text_features

_FOLDS = 5
_MOST = 4000  # known nonmembers that a regression learns from; more of them cost minutes and change little


@probe(
    paper="arXiv:2307.03694",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def quantile_regression(target: Target, data: Members, known: Members, *, alpha: float = 0.1) -> Scores:
    """Score a text by its mean log-probability minus the (1 − alpha) quantile of unseen texts with its features.

    Parameters
    ----------
    alpha
        False-positive rate of the threshold 0, in (0, 1). The paper goes down to .001; with fewer than 1/alpha known
        nonmembers that rate cannot be seen, and the finding says so.

    Notes
    -----
    Features are of the text alone: length, bytes per token, redundancy (zlib), variety of tokens and characters. A
    regression flatters the texts that it learned from, so the quantile is moved by a constant to hold for known
    nonmembers that a regression did not see (split conformal, five folds); the ranking of texts is unchanged by that.
    """
    if not 0 < alpha < 1:
        raise BadInput(f"alpha must lie in (0, 1), got {alpha}")
    label = np.array(known.label if known.label is not None else [True] * len(known), dtype=bool)
    x, y = _features(target, known)
    rows = np.flatnonzero(~label & ~np.isnan(y))
    if len(rows) < _FOLDS:
        why = f"{len(rows)} known nonmembers with a score; at least {_FOLDS} are learned from"
        return Scores(data.ids, np.full(len(data), np.nan), "member", unscored=dict.fromkeys(data.ids, why), note=why)
    rows = rows[np.argsort([digest_of("fold", known.ids[i]) for i in rows])][:_MOST]  # by the record, not its place
    x, y, n = x[rows], y[rows], len(rows)
    fold = np.arange(n) % _FOLDS
    parts = [y[fold == f] - _quantile(x[fold != f], y[fold != f], x[fold == f], alpha) for f in range(_FOLDS)]
    beyond = np.sort(np.concatenate(parts))[min(n, int(np.ceil((1 - alpha) * (n + 1)))) - 1]
    own, score = _features(target, data)
    scored = ~np.isnan(score)
    score[scored] -= _quantile(x, y, own[scored], alpha) + beyond
    few = f"{n} known nonmembers do not show a rate of {alpha:g}, so 0 is no threshold; texts are only ranked"
    return Scores(data.ids, score, towards="member", note=few if n < 1 / alpha - 1e-9 else "")


def _features(target: Target, data: Members) -> tuple[np.ndarray, np.ndarray]:
    """Features, shape (n, f), and mean log-probability, shape (n,), of every text; NaN without a token."""
    tokens = target.token_statistics(data.texts)
    return np.column_stack(list(text_features(tokens.id, data.texts).values())), tokens.logprob.mean()


def _quantile(x: np.ndarray, y: np.ndarray, at: np.ndarray, alpha: float) -> np.ndarray:
    """The (1 − alpha) quantile of y given the features ``at``, shape (len(at),): linear, by pinball loss."""
    from sklearn.linear_model import QuantileRegressor

    if not len(at):
        return np.zeros(0)
    center, spread = x.mean(0), np.maximum(x.std(0), 1e-9)
    model = QuantileRegressor(quantile=1 - alpha, alpha=0, solver="highs").fit((x - center) / spread, y)
    found: np.ndarray = model.predict((at - center) / spread)
    return found
