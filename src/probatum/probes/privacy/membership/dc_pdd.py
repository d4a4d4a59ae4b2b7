"""DC-PDD: are the tokens likelier than their frequency in ordinary text explains?

Zhang et al. 2024 (arXiv 2409.14781), equations 2 to 5. Common words are likely in any text; the divergence between the
model's token probabilities and the token frequencies of a reference corpus calibrates that out.
"""

import numpy as np

from probatum import Access, Members, Ragged, Scores, Target, Texts, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2409.14781",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def dc_pdd(target: Target, data: Members, corpus: Texts, *, a: float = 0.1) -> Scores:
    """Score a text by the mean over its distinct tokens of min(p(x_t) · log 1/f(x_t), a).

    Parameters
    ----------
    corpus
        Ordinary text that the frequencies f are counted in; never the audited texts.
    a
        Upper bound of a token's contribution. The paper tunes it (.01 there); with .01 a model that is sure of most
        tokens has nearly all of them at the bound, and our own control is then missed at every dose.

    Notes
    -----
    f is Laplace-smoothed over the tokens seen in corpus and texts, and normalized (a published peer leaves the counts
    raw). Only the first occurrence of a token counts, as in equation 4.
    """
    tokens = target.token_statistics(data.texts)
    counted = target.encode(corpus.texts).values
    known, index = np.unique(np.concatenate([tokens.id.values, counted]), return_inverse=True)
    count = np.bincount(index[len(tokens.id.values) :], minlength=len(known)) + 1
    frequency = Ragged((count / count.sum())[index[: len(tokens.id.values)]], tokens.id.offsets)
    contribution = np.minimum(np.exp(tokens.logprob) * -np.log(frequency), a)
    return Scores(data.ids, contribution.where(tokens.id.first_occurrence()).mean(), towards="member")
