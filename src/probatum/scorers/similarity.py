"""How alike two answers are, without a model: the cosine of their character n-grams, weighted by TF-IDF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def similarity(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """The cosine of every text of ``left`` with every one of ``right``, in [0, 1]; shape (len(left), len(right)).

    N-grams of 2 to 4 characters within words (Salton and Buckley 1988 for the weights, as scikit-learn has them); rare
    ones weigh more, counted over all these texts. Equal texts have 1, texts that share no n-gram 0, and so has an empty
    text with any other. It sees wording, and not meaning: a paraphrase counts as a change.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*left, *right]
    if not any(text.strip() for text in texts):
        return np.zeros((len(left), len(right)))
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit_transform(texts)
    cosine: np.ndarray = np.asarray((grams[: len(left)] @ grams[len(left) :].T).todense())
    return cosine.round(12).clip(0.0, 1.0)
