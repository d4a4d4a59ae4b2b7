"""Reference ratio: does the model predict a text better than a model that never saw it?

Carlini et al. 2021 (arXiv 2012.07805), §5.2; as FLoRA in P105 (arXiv 2402.17012), where the reference is the base that
was fine-tuned. The reference knows how hard a text is; what is left is what training added.
"""

from probatum import Access, Members, Scores, Target, probe
from probatum.core.likelihood import mean_logprob
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
    values, note = mean_logprob(target, data.texts, reference)
    return Scores(data.ids, values, towards="member", note=note)
