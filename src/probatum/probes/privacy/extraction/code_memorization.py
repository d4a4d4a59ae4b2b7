"""Code memorization: which code of its training data does the model write that another model would not?

Al-Kaswan et al. 2023 (arXiv 2312.11658). Files are cut in two, and the model is given the first part; code that carries
data (tables, literals, keys) is memorized far more than logic, so the share is shown by class. Boilerplate is what any
model writes: what a model writes that never saw these files does not count.
"""

import re
from collections import Counter

import numpy as np

from probatum import Access, Records, Scores, Target, probe
from probatum.core.likelihood import written
from probatum.core.masking import format_space
from probatum.statistics import excess_rate

#: Quoted text and numbers, in the syntax that most languages share.
LITERAL = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`|\b\d[\w.]*\b")


@probe(
    paper="P203 arXiv:2312.11658",
    question="Does the model write code or data of its training files, word for word?",
    needs=Access.LOGPROBS,
    metric=excess_rate,
    rowwise=True,
)
def code_memorization(
    target: Target, data: Records, *, reference: Target | None = None, bleu: float = 1.0, literals: float = 0.5
) -> Scores:
    """Score a record 1 if the model alone writes its second part, −1 if the reference alone does, else 0.

    Parameters
    ----------
    reference
        A model that never saw these files, such as the base of a fine-tune.
    bleu
        A part counts as written from this BLEU-4 on; 1 is word for word and needs no generation, the paper also takes
        less. Below 1 the models must give TEXT.
    literals
        From this share of literals on (quoted text and numbers, of all that is not white space) a record is a data
        carrier; half a point more is how the score says so. Where the records name a ``group``, that is shown instead.

    Notes
    -----
    Only secrets with a ``format`` have a known chance, and only word for word. Otherwise nonmembers are the null
    (``member: false``), and without them the reference: of what one of the two models alone writes, half would be the
    reference's if the training files made no difference.
    """
    difference, empty = _hits(target, data, bleu)
    if reference is not None:
        other, lost = _hits(reference, data, bleu)
        difference, empty = difference - other, empty | lost
    form = data.format if data.format is not None and bleu >= 1 else (None,) * len(data)
    chance = [
        1 / format_space(f, s) if f and format_space(f, s) > 1 else np.nan
        for f, s in zip(form, data.secret, strict=True)
    ]
    carrier = [_share_of_literals(secret) >= literals for secret in data.secret]
    return Scores(
        data.ids,
        difference + 0.5 * np.array(carrier),
        towards="written",
        expected=chance,
        unscored=dict.fromkeys(empty, "no token of the second part has a score"),
        parameters=None if reference is None else {"reference": 1.0},
    )


def _hits(model: Target, data: Records, bleu: float) -> tuple[np.ndarray, set[str]]:
    """(1.0 where the model writes the second part, ids without one)."""
    hits, unscored = written(model, data)
    if bleu < 1 and len(unscored) < len(data):
        longest = int(model.token_statistics(data.secret, prefixes=data.prefix).id.lengths.max())
        said = model.generate(data.prefix, max_new_tokens=longest)
        pairs = zip(model.encode(said), model.encode(data.secret), strict=True)
        hits = hits | [bleu4(a[: len(b)].tolist(), b.tolist()) >= bleu for a, b in pairs]
    return hits.astype(float), set(unscored)


def bleu4(candidate: list[int], reference: list[int]) -> float:
    """BLEU-4 of one text against one other (Papineni et al. 2002); of texts with fewer than 4 tokens, BLEU of those."""
    logs = []
    for n in range(1, min(4, len(reference)) + 1):
        own, other = (Counter(zip(*(t[i:] for i in range(n)), strict=False)) for t in (candidate, reference))
        if not (own & other).total():
            return 0.0
        logs.append(np.log((own & other).total() / own.total()))
    return float(np.exp(np.mean(logs) + min(0.0, 1 - len(reference) / len(candidate)))) if logs else 0.0


def _share_of_literals(text: str) -> float:
    size = len("".join(text.split()))
    return sum(len("".join(m.split())) for m in LITERAL.findall(text)) / size if size else 0.0
