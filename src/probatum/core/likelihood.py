"""How likely texts are to a model, or likelier than to a model that never saw them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.core.target import Target


def mean_logprob(target: Target, texts: Sequence[str], reference: Target | None = None) -> tuple[np.ndarray, str]:
    """(values, note): mean log-probability per token of every text, less that of the ``reference``; NaN without a
    token.

    Where the two models cut texts into different tokens, both sums are divided by the bytes of the text instead, and
    the note says so.
    """
    own = target.token_statistics(texts).logprob
    if reference is None:
        return own.mean(), ""
    other = reference.token_statistics(texts).logprob
    if target.tokenizer_digest == reference.tokenizer_digest:
        return own.mean() - other.mean(), ""
    size = np.where((own.lengths > 0) & (other.lengths > 0), [len(text.encode()) for text in texts], np.nan)
    note = "the vocabularies of model and reference differ, so log-probabilities are compared per byte"
    return (own.sum() - other.sum()) / size, note
