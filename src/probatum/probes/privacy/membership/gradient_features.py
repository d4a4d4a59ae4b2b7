"""Gradient features: can a classifier tell members from nonmembers by the gradients of texts whose truth it was told?

Wang et al. 2024, Pandora's White-Box (P105, arXiv 2402.17012), the supervised white-box attack: gradients, randomly
projected layer by layer, and a classifier trained on known members and nonmembers.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="P105 arXiv:2402.17012",
    question="Were these texts in the training data?",
    needs=Access.GRADIENTS,
    metric=auroc,
    signals=lambda **options: (f"gradfeatures:{options['dimension']}",),
)
def gradient_features(
    target: Target, data: Members, known: Members, *, dimension: int = 32, c: float = 0.001
) -> Scores:
    """Score a text by a logistic regression on its projected gradient, fitted on the other half of the texts.

    Parameters
    ----------
    known
        Texts with their truth: the half that is learned from, and never scored.
    dimension
        Numbers for each group of parameters (blocks, embedding, head, norms); the paper's code has 32.
    c
        Inverse strength of the L2 penalty, as in scikit-learn; small, since there are more numbers than texts.

    Notes
    -----
    The paper trains a neural network, which can take a length from a direction; a linear classifier cannot, so the
    logarithm of each group's length is a feature of its own. The classifier also learns whatever else differs between
    members and nonmembers: read this finding beside its blind baseline, which learns from the texts alone.
    """
    learned, asked = (target.gradient_features(d.texts, dimension=dimension) for d in (known, data))
    truth = np.array(known.label or (), bool)
    told, wanted = _has_numbers(learned), _has_numbers(asked)
    values = np.full(len(data), np.nan)
    if min(np.bincount(truth[told], minlength=2)) < 2:
        reason = "nothing to learn from: fewer than 2 known members or nonmembers with a gradient"
        return Scores(data.ids, values, towards="member", unscored=dict.fromkeys(data.ids, reason))
    if wanted.any():
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        order = np.argsort(np.array(known.ids)[told], kind="stable")  # the sums of a fit depend on the order
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
        model.fit(_with_lengths(learned[told], dimension)[order], truth[told][order])
        values[wanted] = model.decision_function(_with_lengths(asked[wanted], dimension))
    return Scores(data.ids, values, towards="member")


def _has_numbers(features: np.ndarray) -> np.ndarray:
    has: np.ndarray = np.isfinite(features).all(1) & (features.shape[1] > 0)
    return has


def _with_lengths(features: np.ndarray, dimension: int) -> np.ndarray:
    squared = np.square(features, dtype=np.float64).reshape(len(features), -1, dimension).sum(2)
    return np.hstack([features.astype(np.float64), np.log(np.maximum(squared, 1e-30))])
