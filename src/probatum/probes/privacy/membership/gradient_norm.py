"""Gradient norm: would another training step on these texts move the model less than on texts it never saw?

Wang et al. 2024, Pandora's White-Box (P105, arXiv 2402.17012). After training on a text the loss lies near a minimum in
its direction, so the gradient of a member's loss is short.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from probatum import Access, BadInput, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="P105 arXiv:2402.17012",
    question="Were these texts in the training data?",
    needs=Access.GRADIENTS,
    metric=auroc,
    signals=("gradnorm",),
    rowwise=True,
)
def gradient_norm(
    target: Target,
    data: Members,
    *,
    group: Literal["all", "embedding", "blocks", "first block", "last block", "norm", "head"] = "all",
) -> Scores:
    """Score a text by −‖∇_θ ℓ(x)‖₂, the gradient of its own mean loss, negative since members have the smaller one.

    Parameters
    ----------
    group
        Parameters that count. Where embedding and head are one matrix, both names stand for it.

    Notes
    -----
    Every text has a gradient of its own, whatever batch it was computed in (a published peer gives each text the norm
    of its batch; another flips the sign twice). Only p = 2 of the paper's norms is offered: the others would need every
    gradient in full. The loss is the mean, not the sum: a sum grows with the length of the text. Of a text longer than
    the model's context only the first tokens count.
    """
    groups, squared = target.gradient_norms(data.texts)
    chosen = squared[:, _numbers(groups, group)]
    if not chosen.shape[1]:
        raise BadInput(f"gradient_norm.group: {target.name} has no '{group}'; its groups are {', '.join(groups)}")
    return Scores(data.ids, -np.sqrt(chosen.sum(1, dtype=np.float64)), towards="member")


def _numbers(groups: Sequence[str], group: str) -> list[int]:
    blocks = [i for i, name in enumerate(groups) if name.startswith("block ")]
    runs = {"all": [*range(len(groups))], "blocks": blocks, "first block": blocks[:1], "last block": blocks[-1:]}
    return runs[group] if group in runs else [i for i, name in enumerate(groups) if group in name.split("+")]
