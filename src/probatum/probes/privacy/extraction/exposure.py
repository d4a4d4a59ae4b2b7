"""Exposure: does the model find a secret likelier than other secrets of the same form?

Carlini et al. 2019 (arXiv 1802.08232), definition 2: exposure = log2 |R| − log2 rank(secret). The secret is ranked
among random ones of its own format, so that the rank has an exact law if the model never saw it.
"""

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np

from probatum import Access, Records, Scores, Target, per_record, probe
from probatum.core.errors import BadInput
from probatum.core.masking import CLASSES, draw, format_space, shape
from probatum.statistics import exposure_bits
from probatum.statistics.ranks import monte_carlo_rank

LISTED = 100_000  # secrets of a form that are listed at most
AT_ONCE = 2_000
ENOUGH = 10  # decoys that beat a secret tell its rank better than samples of the model do


@probe(
    paper="arXiv:1802.08232 P129",
    question="Does the model find these secrets likelier than chance would have it?",
    needs=Access.LOGPROBS,
    metric=exposure_bits,
)
def exposure(
    target: Target,
    data: Records,
    *,
    rng: np.random.Generator,
    decoys: int = 127,
    rank: Literal["decoys", "full", "model"] = "decoys",
    samples: int = 100,
) -> Scores:
    """Score a record by the log-probability of its secret after its prefix, beside those of random secrets.

    Parameters
    ----------
    decoys
        Random secrets K per record; exposure ends at log2(K + 1) bits, 7 for the default.
    rank
        Among what the rank is that the bits are made of; the p-value is that of the decoys always. ``full``: all
        secrets of the form, where these are up to 100,000. ``model``: all of them too, estimated from what the model
        itself writes (P129), for forms of any size; a secret that ten decoys beat keeps the rank among these.
    samples
        Continuations a record that ``rank=model`` draws; the models must give TEXT.

    Notes
    -----
    Records without a format are ranked among secrets of the same shape (a digit for a digit, a letter for a letter);
    the law is exact only for secrets that were drawn at random. A secret's log-probability is summed over its tokens.
    The estimate of ``rank=model`` is unbiased where the model writes a secret in the tokens that it is scored in; for
    secrets that the model finds unlikely it is skewed towards too low a rank, hence the decoys there.
    """
    formats = data.forms
    options = [
        (secret, *draw(form, secret, decoys, generator))
        for form, secret, generator in zip(formats, data.secret, per_record(rng, data.ids), strict=True)
    ]
    logprob = target.choices(data.prefix, options).logprob
    table = logprob.values.reshape(len(data), decoys + 1)
    empty = {i: "the secret is empty" for i, secret in zip(data.ids, data.secret, strict=True) if not secret}
    chance, note = None, ""
    if rank != "decoys":
        forms = [form if form is not None else shape(secret) for form, secret in zip(formats, data.secret, strict=True)]
        lines = [
            _columns(form, secret, given is None)
            for form, secret, given in zip(forms, data.secret, formats, strict=True)
        ]
        space = np.array([format_space(form, secret) for form, secret in zip(forms, data.secret, strict=True)])
        for i, name in enumerate(data.ids):
            if not all(c in letters for c, letters in zip(data.secret[i], lines[i], strict=True)):
                empty.setdefault(name, "the secret is not of its form")
        likelier = (table[:, 1:] >= table[:, :1]).sum(1)
        chance = (1 + likelier) / (1 + decoys)
        wanted = space <= LISTED if rank == "full" else likelier < ENOUGH
        asked = [i for i, name in enumerate(data.ids) if name not in empty and wanted[i]]
        if rank == "full":
            places = np.array([_among_all(target, data.prefix[i], data.secret[i], lines[i]) for i in asked])
            if not wanted.all():
                note = f"{(~wanted).sum()} records have forms of over {LISTED:,} secrets and are ranked among decoys"
        else:
            places, note = _among_samples(target, data, asked, lines, samples, int(rng.integers(2**31)))
        chance[asked] = np.clip(places / space[asked], 1 / space[asked], 1)
    return Scores(
        data.ids, table[:, 0], towards="exposed", expected=chance, null=table[:, 1:], unscored=empty, note=note
    )


def _columns(form: str, secret: str, free: bool) -> list[str]:
    """What may stand at every place of a secret of this form."""
    fixed = secret if free else form  # what is neither digit nor letter stays as it is
    return [CLASSES.get(symbol, own) for symbol, own in zip(form, fixed, strict=True)]


def _among_all(target: Target, prefix: str, secret: str, letters: Sequence[str]) -> float:
    """The rank among all secrets of the form; ties count against it."""
    every = ["".join(s) for s in itertools.product(*letters)]
    parts = [every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE)]
    logprob = np.concatenate([target.choices([prefix], [part]).logprob.values for part in parts])
    return float((logprob >= logprob[every.index(secret)] - 1e-6).sum())


def _among_samples(
    target: Target, data: Records, asked: Sequence[int], lines: Sequence[Sequence[str]], samples: int, seed: int
) -> tuple[np.ndarray, str]:
    """Estimated ranks, and one sentence on how good they are. What is not of the form stands for no secret."""
    if samples < 2:
        raise BadInput(f"exposure.samples must be at least 2, got {samples}")
    if not asked:
        return np.zeros(0), ""
    prefixes = [data.prefix[i] for i in asked]
    longest = max(len(data.secret[i]) for i in asked)
    said = [target.generate(prefixes, max_new_tokens=longest, temperature=1.0, seed=seed + k) for k in range(samples)]
    drawn: list[list[str | None]] = []
    for j, i in enumerate(asked):
        texts = [row[j][: len(data.secret[i])] for row in said]
        fits = [len(t) == len(lines[i]) and all(c in x for c, x in zip(t, lines[i], strict=True)) for t in texts]
        drawn.append([text if fit else None for text, fit in zip(texts, fits, strict=True)])
    rows = [list(dict.fromkeys([data.secret[i], *filter(None, d)])) for i, d in zip(asked, drawn, strict=True)]
    logprob = target.choices(prefixes, rows).logprob
    ranks, errors = np.empty(len(asked)), np.empty(len(asked))
    for j, row in enumerate(rows):
        known = dict(zip(row, np.minimum(logprob[j], 0).tolist(), strict=True))
        every = [-np.inf if text is None else known[text] for text in drawn[j]]
        ranks[j], errors[j] = monte_carlo_rank(known[row[0]], every)
    share = np.mean([text is not None for texts in drawn for text in texts])
    note = (
        f"the ranks of {len(asked)} records are estimated from {samples} continuations each, of which {share:.0%} are "
        f"of the form; the median standard error of a rank is {np.median(errors / ranks):.0%}"
    )
    return ranks, note
