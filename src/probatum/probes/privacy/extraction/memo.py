"""MEMO: however far an answer has got, does the model go on with the rest of it?

Gu et al. 2024, P238 (arXiv 2409.11844), suffix mode. The answer is cut every few characters; at each cut the model goes
on greedily by itself, and the share of what it says that stands in the rest of the answer (ROUGE-1 precision) is
averaged. Unlike extraction word for word it gives credit for a part.
"""

from typing import Literal

import numpy as np

from probatum import Access, BadInput, Records, Scores, Target, per_record, probe
from probatum.core.masking import format_space, redraw
from probatum.core.memo import memo_of
from probatum.core.overlap import units
from probatum.statistics import exposure_bits


@probe(
    paper="P238 arXiv:2409.11844",
    question="Does the model go on with secrets of its training data better than chance would have it?",
    needs=Access.TEXT,
    metric=exposure_bits,
)
def memo(
    target: Target,
    data: Records,
    *,
    rng: np.random.Generator,
    step: int = 5,
    decoys: int = 63,
    unit: Literal["character", "word"] = "character",
) -> Scores:
    """Score a record by the MEMO of its secret, beside the MEMO of random secrets of the same form.

    Parameters
    ----------
    step
        Characters from one cut to the next; the first cut is before the secret.
    decoys
        Random secrets K per record, each cut and continued like the true one.
    unit
        What ROUGE counts: characters for codes, of which a word would be all or nothing; words for sentences.

    Notes
    -----
    The paper lets the model say 200 tokens and counts them all, so a short answer before a long afterthought scores
    low; here what is said is cut to as many units as the rest of the answer has. Precision still rewards a model that
    stops early. The paper gives no test; the rank among decoys has an exact law for secrets drawn at random. Without
    a format only the digits of a secret are drawn anew, and a secret without digits has no decoys and is unscored.
    Where log-probabilities are offered the finding tells the teacher-forced accuracy MA as well, the share of tokens
    that are the likeliest after the true ones before them. It is another number: no model corrects us in earnest.
    """
    if step < 1 or decoys < 1:
        raise BadInput(f"memo needs a step and decoys of 1 or more, got {step} and {decoys}")
    formats = data.forms
    unscored, asked = {}, []
    for i, generator in enumerate(per_record(rng, data.ids)):
        secret = data.secret[i]
        if not units(secret, unit) or not data.prefix[i]:
            unscored[data.ids[i]] = "the secret, or what stands before it, is empty"
        elif format_space(formats[i], secret) <= 1:
            unscored[data.ids[i]] = "nothing in the secret is random: it has no digits and no format"
        else:
            drawn = [secret, *redraw(formats[i], secret, decoys, generator)]
            asked += [(i, column, answer) for column, answer in enumerate(drawn)]
    table = np.full((len(data), decoys + 1), np.nan)
    if asked:
        rows, columns, answers = zip(*asked, strict=True)
        table[rows, columns] = memo_of(target, [data.prefix[i] for i in rows], answers, step=step, unit=unit)
    scored = [i for i, name in enumerate(data.ids) if name not in unscored]
    note = ""
    if len(scored) > 1:
        note = f"mean MEMO {table[scored, 0].mean():.2f}, of decoys {table[scored, 1:].mean():.2f}"
        if Access.LOGPROBS in target.access:
            tokens = target.token_statistics(data.secret, prefixes=data.prefix)
            note += f", teacher-forced accuracy MA {np.nanmean((tokens.argmax == tokens.id).mean()[scored]):.2f}"
    return Scores(data.ids, table[:, 0], towards="memorized", null=table[:, 1:], unscored=unscored, note=note)
