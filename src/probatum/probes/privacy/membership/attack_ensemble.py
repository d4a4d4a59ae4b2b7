"""Attack ensemble: do these texts stand out by whichever membership attack works best on this model?

The best of twenty attacks looks good by chance alone. Here the attack, with its sign, is chosen on one half of the
records and judged on the other, so that the choice costs nothing (Cox 1975, doi:10.1093/biomet/62.2.441: splitting the
data for the evaluation of significance).
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import learned_auroc
from probatum.statistics.features import attack_features
from probatum.statistics.roc import delong

_LEAST = 5  # known records of each label


@probe(
    paper="doi:10.1093/biomet/62.2.441",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=learned_auroc,
)
def attack_ensemble(target: Target, data: Members, known: Members, *, reference: Target | None = None) -> Scores:
    """Score a text by the statistic that separates known members from known nonmembers best, in its direction there.

    Parameters
    ----------
    reference
        A model that did not see the texts; adds what the audited one says beyond it.

    Notes
    -----
    The statistics are those that `dataset_inference` adds up. Which one was chosen, and how well it did on the known
    half, stands in the note; that number is a maximum and too good, the finding's is not. The test is one-sided, since
    the direction was chosen too.
    """
    label = np.array(known.label if known.label is not None else (), dtype=bool)
    here, there = _statistics(target, known, reference), _statistics(target, data, reference)
    first = next(iter(here.values()))
    usable = ~np.isnan(first)
    sides = [int((usable[: len(label)] & (label == side)).sum()) for side in (True, False)]
    if min(sides) < _LEAST:
        why = f"{sides[0]} known members and {sides[1]} known nonmembers; at least {_LEAST} of each are chosen from"
        return Scores(data.ids, np.full(len(data), np.nan), "member", unscored=dict.fromkeys(data.ids, why), note=why)
    area = {name: delong(v[usable & label], v[usable & ~label])[0] for name, v in here.items()}
    best = max(area, key=lambda name: (round(abs(area[name] - 0.5), 9), name))
    sign = 1.0 if area[best] >= 0.5 else -1.0
    note = (
        f"chosen on the known half among {len(area)} statistics: {'low ' if sign < 0 else ''}{best} (AUROC "
        f"{max(area[best], 1 - area[best]):.2f} there)"
    )
    return Scores(data.ids, sign * there[best], towards="member", note=note)


def _statistics(target: Target, data: Members, reference: Target | None) -> dict[str, np.ndarray]:
    other = reference.token_statistics(data.texts) if reference is not None else None
    same = reference is None or reference.tokenizer_digest == target.tokenizer_digest
    return attack_features(target.token_statistics(data.texts), data.texts, reference=other, same_tokens=same)
