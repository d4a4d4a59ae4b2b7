"""PAC: does the gap between known and unknown words open when the words of a text change places?

Ye et al. 2024 (arXiv 2405.11930). In a text seen in training even the unlikely tokens are not that unlikely, so they
lie near the likely ones; in the same words in another order they do not.
"""

import numpy as np

from probatum import Access, BadInput, Members, Ragged, Scores, Target, per_record, probe
from probatum.core.perturb import replaced, word_spans
from probatum.statistics import auroc


@probe(
    paper="arXiv:2405.11930",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def pac(
    target: Target,
    data: Members,
    *,
    rng: np.random.Generator,
    swaps: int = 5,
    alpha: float = 0.3,
    far: float = 0.05,
    near: float = 0.3,
) -> Scores:
    """Score a text by the mean polarized distance of its swapped versions less its own.

    Parameters
    ----------
    swaps
        Swapped versions of a text, N; each is read once.
    alpha
        Pairs of words exchanged in a version, as a share of its words; at least one pair.
    far, near
        The polarized distance is the mean of the ``far`` likeliest share of log-probabilities less the mean of the
        ``near`` least likely share.

    Notes
    -----
    The paper subtracts the other way round and calls a text with a low value a member. Spaces and punctuation stay
    where they are, and shares are rounded up. A model that does not look at the context gives 0.
    """
    if swaps < 1 or alpha <= 0:
        raise BadInput(f"pac needs at least one swapped version, and alpha above 0, got {swaps} and {alpha}")
    rows = [
        [_swapped(text, alpha, generator) for _ in range(swaps)] if _can_change(text) else []
        for text, generator in zip(data.texts, per_record(rng, data.ids), strict=True)
    ]

    def distance(texts: list[str]) -> np.ndarray:
        logprob = target.token_statistics(texts).logprob
        difference: np.ndarray = logprob.highest(far).mean() - logprob.lowest(near).mean()
        return difference

    own = distance(list(data.texts))
    altered = Ragged(distance([text for row in rows for text in row]), np.cumsum([0, *map(len, rows)])).mean()
    same = {name: "no two different words to swap" for name, row in zip(data.ids, rows, strict=True) if not row}
    return Scores(data.ids, altered - own, towards="member", unscored=same)


def _can_change(text: str) -> bool:
    return len({text[a:b] for a, b in word_spans(text)}) > 1


def _swapped(text: str, alpha: float, rng: np.random.Generator) -> str:
    """The text with pairs of words exchanged, and never the text itself."""
    spans = word_spans(text)
    words = [text[a:b] for a, b in spans]
    for _ in range(max(1, int(alpha * len(words)))):
        i, j = rng.choice(len(words), 2, replace=False)
        words[i], words[j] = words[j], words[i]
    other = replaced(text, dict(zip(spans, words, strict=True)))
    if other != text:
        return other
    i = 0  # every exchange was of equal words, or was undone by another
    j = next(j for j, word in enumerate(words) if word != words[i])
    words[i], words[j] = words[j], words[i]
    return replaced(text, dict(zip(spans, words, strict=True)))
