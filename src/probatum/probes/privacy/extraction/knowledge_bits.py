"""Bits of knowledge: how many bits of these secrets does the model hold?

Allen-Zhu and Li 2024 (arXiv 2404.05405), equation 1: of n records whose values were drawn from S possible ones, a model
that needs p nats for a value, on average and summed over its tokens, holds at least n · log2(S / e^p) bits.
"""

import numpy as np

from probatum import Access, Records, Scores, Target, probe
from probatum.statistics import knowledge


@probe(
    paper="P209 arXiv:2404.05405",
    question="How many bits of these secrets does the model hold?",
    needs=Access.LOGPROBS,
    metric=knowledge,
    measure=True,
    control="knowledge",
    rowwise=True,
)
def knowledge_bits(target: Target, data: Records) -> Scores:
    """Score a record by log2 |R| + log2 p(secret | prefix), R all secrets of its format.

    Notes
    -----
    The bound holds for secrets that were drawn at random; it is of *these* records, and says nothing of what else the
    model knows. Without a format the digits of a secret count as random and the rest as known; a secret without digits
    is unscored. The term for the names in the paper is left out: the prefix is given. A model that is sure of the
    wrong secret holds less than none, which counts; the sum is clipped at 0, and never the record.
    """
    logprob = target.token_statistics(data.secret, prefixes=data.prefix).logprob
    space = data.space
    cannot = {True: "nothing in the secret is random", False: "too many secrets of its form to count"}
    unscored = {i: cannot[n <= 1] for i, n in zip(data.ids, space.tolist(), strict=True) if n <= 1 or n == np.inf}
    unscored |= {
        i: "no token of the secret has a score" for i, n in zip(data.ids, logprob.lengths, strict=True) if n == 0
    }
    bits = np.log2(space) + logprob.sum() / np.log(2)
    size = {"parameters": float(target.parameter_count)} if target.parameter_count else None
    return Scores(data.ids, bits, towards="known", expected=1 / space, unscored=unscored, parameters=size)
