"""Exposure: does the model find a secret likelier than other secrets of the same form?

Carlini et al. 2019 (arXiv 1802.08232), definition 2: exposure = log2 |R| − log2 rank(secret). The secret is ranked
among random ones of its own format, so that the rank has an exact law if the model never saw it.
"""

import numpy as np

from probatum import Access, Records, Scores, Target, per_record, probe
from probatum.core.masking import draw
from probatum.statistics import exposure_bits


@probe(
    paper="arXiv:1802.08232",
    question="Does the model find these secrets likelier than chance would have it?",
    needs=Access.LOGPROBS,
    metric=exposure_bits,
)
def exposure(target: Target, data: Records, *, rng: np.random.Generator, decoys: int = 127) -> Scores:
    """Score a record by the log-probability of its secret after its prefix, beside those of random secrets.

    Parameters
    ----------
    decoys
        Random secrets K per record; exposure ends at log2(K + 1) bits, 7 for the default.

    Notes
    -----
    Records without a format are ranked among secrets of the same shape (a digit for a digit, a letter for a letter);
    the law is exact only for secrets that were drawn at random. A secret's log-probability is summed over its tokens.
    """
    formats = data.format or (None,) * len(data)
    options = [
        (secret, *draw(form, secret, decoys, generator))
        for form, secret, generator in zip(formats, data.secret, per_record(rng, data.ids), strict=True)
    ]
    logprob = target.choices(data.prefix, options).logprob
    table = logprob.values.reshape(len(data), decoys + 1)
    empty = {i: "the secret is empty" for i, secret in zip(data.ids, data.secret, strict=True) if not secret}
    return Scores(data.ids, table[:, 0], towards="exposed", null=table[:, 1:], unscored=empty)
