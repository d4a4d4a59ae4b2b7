"""Reference ratio: does the model predict a text better than a model that never saw it?

Carlini et al. 2021 (arXiv 2012.07805), §5.2; as FLoRA in P105 (arXiv 2402.17012), where the reference is the base that
was fine-tuned. The reference knows how hard a text is; what is left is what training added.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="P105 arXiv:2402.17012",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
    rowwise=True,
)
def reference_ratio(target: Target, data: Members, *, reference: Target) -> Scores:
    """Score a text by the difference of its mean log-probabilities under target and reference.

    Notes
    -----
    Where the two models cut texts into different tokens, both sums are divided by the bytes of the text instead, and
    the finding says so. With the target as its own reference every score is 0.
    """
    own, other = target.token_statistics(data.texts).logprob, reference.token_statistics(data.texts).logprob
    if target.tokenizer_digest == reference.tokenizer_digest:
        return Scores(data.ids, own.mean() - other.mean(), towards="member")
    scored = (own.lengths > 0) & (other.lengths > 0)  # a sum over no token is 0, the best score of all
    size = np.where(scored, [len(text.encode()) for text in data.texts], np.nan)
    note = "the vocabularies of model and reference differ, so log-probabilities are compared per byte"
    return Scores(data.ids, (own.sum() - other.sum()) / size, towards="member", note=note)
