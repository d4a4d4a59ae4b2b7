"""WBC: in how many windows does the model beat a model that never saw the text?

Chen et al. 2026 (arXiv 2601.02751), §4.1. A few tokens of a domain gain so much by any fine-tuning that they outweigh
the mean; every window has one vote, however much it gained, and windows of many sizes vote.
"""

import numpy as np

from probatum import Access, BadInput, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2601.02751",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def wbc(
    target: Target, data: Members, *, reference: Target, smallest: int = 2, largest: int = 40, sizes: int = 10
) -> Scores:
    """Score a text by the share of windows in which target beats reference, averaged over the window sizes.

    Parameters
    ----------
    smallest, largest
        Tokens of the smallest and of the largest window.
    sizes
        How many sizes between them, spaced geometrically and rounded: equation 12, whose defaults are
        2, 3, 4, 5, 8, 11, 15, 21, 29, 40. (The published configuration lists other sizes of the same range.)

    Notes
    -----
    A window beats the reference if the sum of its log-probabilities is higher, by however little. A text shorter than a
    window is one window. Signs that fall as a coin does give .5 on average.
    """
    if not 1 <= smallest <= largest or sizes < 1:
        raise BadInput(f"windows need 1 <= smallest <= largest, and a size, got {smallest}, {largest} and {sizes}")
    if target.tokenizer_digest != reference.tokenizer_digest:
        raise BadInput("target and reference cut texts into different tokens, and wbc compares them token by token")
    gain = target.token_statistics(data.texts).logprob - reference.token_statistics(data.texts).logprob
    widths = np.round(np.geomspace(smallest, largest, sizes)).astype(int)
    votes = [(gain.sliding_sum(int(width)) > 0).mean() for width in widths]
    return Scores(data.ids, np.mean(votes, axis=0), towards="member")
