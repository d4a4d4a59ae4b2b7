"""How likely texts are to a model, likelier than to a model that never saw them, or so likely that it writes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.core.data import Records
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
    # A sum over no token is 0, the best score of all.
    size = np.where((own.lengths > 0) & (other.lengths > 0), [len(text.encode()) for text in texts], np.nan)
    note = "the vocabularies of model and reference differ, so log-probabilities are compared per byte"
    return (own.sum() - other.sum()) / size, note


def written(model: Target, data: Records) -> tuple[np.ndarray, dict[str, str]]:
    """(hits, unscored): where greedy decoding from the prefix writes the whole secret, shape (n,); the reason where no
    token of it has a score.

    It does so if and only if every token is the likeliest one given the true tokens before it (by induction), so one
    scored pass answers and nothing is generated.
    """
    tokens = model.token_statistics(data.secret, prefixes=data.prefix)
    lengths = tokens.id.lengths
    empty = {i: "no token of the secret has a score" for i, n in zip(data.ids, lengths, strict=True) if n == 0}
    return (tokens.argmax == tokens.id).all() & (lengths > 0), empty
