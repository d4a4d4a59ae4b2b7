"""How alike two answers are, without a model: cosine of character n-grams, longest common subsequence of words."""

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


def rouge_l(candidate: Sequence[str], reference: Sequence[str]) -> tuple[float, float, float]:
    """(precision, recall, F1) of the longest common subsequence of two lists of words (Lin 2004, ROUGE-L).

    NaN for a reference without words; 0 for a candidate without any. Words are as they come: whoever wants stems cuts
    them before, as TOFU does.
    """
    if not reference:
        return (float("nan"),) * 3
    common = common_subsequence(candidate, reference)
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / len(candidate), common / len(reference)
    return precision, recall, 2 * precision * recall / (precision + recall)


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, one row of the table as the bits of a number (Crochemore 2001)."""
    places: dict[str, int] = {}
    for i, unit in enumerate(a):
        places[unit] = places.get(unit, 0) | 1 << i
    whole = (1 << len(a)) - 1
    row = whole
    for unit in b:
        met = row & places.get(unit, 0)
        row = (row + met | row - met) & whole
    return len(a) - row.bit_count()
