"""Con-ReCall: do unseen texts before these texts disturb them more than seen ones do?

Wang et al. 2024 (arXiv 2409.03363). A prefix of members makes members likelier and nonmembers not; so the
contrast of the two prefixes, [LL(x | P_nonmember) − γ · LL(x | P_member)] / LL(x), is larger for members.
"""

import numpy as np

from probatum import Access, Members, Scores, Target, probe
from probatum.core.shots import log_likelihoods, shot_prefixes
from probatum.statistics import auroc


@probe(
    paper="arXiv:2409.03363",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def con_recall(
    target: Target,
    data: Members,
    known: Members,
    *,
    rng: np.random.Generator,
    shots: int = 7,
    prefixes: int = 1,
    gamma: float = 0.5,
) -> Scores:
    """Score a text by the contrast of its log-likelihood after known nonmembers and after known members.

    Parameters
    ----------
    shots
        Known texts in each prefix; fewer where half of the model's context holds fewer.
    prefixes
        Prefixes of each side, of different shots, over which log-likelihoods are averaged, a pass each.
    gamma
        Weight of the member prefix; at 0 this is `recall`. The paper tunes it from 0.1 to 1.

    Notes
    -----
    A model that heeds no context gives exactly 1 − γ. Prefixes come from records that are not judged: with judged
    members in the prefix (a published tool) the score would tell the labels back.
    """
    label = known.label or ()
    sides = [[t for t, member in zip(known.texts, label, strict=False) if member is side] for side in (False, True)]
    unseen, seen = (shot_prefixes(target, s, data.texts, rng, shots=shots, prefixes=prefixes) for s in sides)
    if not (unseen and seen):
        why = f"no known {'member' if unseen else 'nonmember'} is left for the prefix"
        return Scores(data.ids, np.full(len(data), np.nan), "member", unscored=dict.fromkeys(data.ids, why), note=why)
    alone, *after = log_likelihoods(target, data.texts, [*unseen, *seen])
    away, towards = np.mean(after[: len(unseen)], axis=0), np.mean(after[len(unseen) :], axis=0)
    return Scores(data.ids, (away - gamma * towards) / alone, towards="member")
