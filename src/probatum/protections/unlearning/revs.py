"""REVS: rewrite the neurons that say a secret's rarest tokens, so that they say them late.

Ashuach et al. 2024 (P199, arXiv 2406.09325). A column of an MLP's output matrix, read through the last norm and the
unembedding, ranks the vocabulary. Of the neurons that are active before the token, those that rank it highest are moved
along the pseudo-inverse of the unembedding until it ranks low, as many as it takes for the residual stream to follow.
No gradient, no retain term: what other facts share with the secret (its tokens, those neurons) pays for it.
"""

from typing import Any

import numpy as np

from probatum import Access, BadInput, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import Answers, answers_of
from probatum.engine.readout import Readout
from probatum.engine.sites import Sites, captured
from probatum.engine.tuning import as_on_disk

#: A token's logit is lowered by the first number, then by steps of the others until its rank lies in the margins.
_FIRST, _MORE, _LESS, _TRIES = 10.0, 1.3, 0.8, 100
#: How far above its margin a token may rank in an edited neuron, as a share of the vocabulary.
_WIDTH = 0.1


@protection(
    paper="P199 arXiv:2406.09325",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS | Access.LOGPROBS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def revs(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    tokens: int = 1,
    neurons: int = 5,
    neuron_rank: float = 0.7,
    residual_rank: float = 0.02,
) -> Change:
    """Edit, fact by fact and block by block, until every secret's rarest tokens rank low before they are said.

    Parameters
    ----------
    tokens
        How many of a secret's tokens: those that stand least often in the retain set; of equals the later in the
        vocabulary, which a BPE merged later. The paper takes 1 or 2.
    neurons
        Of a block, this many may be edited for a token: the most active ones. The paper takes 100 of the 14,336 of
        Llama-3; the default is for models with a few hundred.
    neuron_rank, residual_rank
        Where the token shall rank at least, as a share of the vocabulary: in an edited neuron, and in the residual
        stream and what the MLP adds to it. The paper: 90,000 (0.7) and 10,000 (0.08) of 128,000 tokens. With fewer
        neurons to share the burden, a residual rank of 0.08 costs small models most of what they were to keep.

    Notes
    -----
    The paper grows and shrinks the number of edited neurons by steps; here it is the smallest that suffices. The facts
    are edited one after the other, in an order that is drawn; a later edit may raise what an earlier one lowered. Made
    for secrets with tokens of their own: a retained fact with the same answer as a forgotten one is often lost.
    """
    if tokens < 1 or neurons < 1 or not (0 < residual_rank < 0.9 and 0 < neuron_rank < 0.9):
        raise BadInput("revs needs tokens and neurons of 1 or more, and ranks between 0 and 0.9 of the vocabulary")
    gone = answers_of(target, forget)
    common = np.bincount(np.concatenate(target.sequences(retain.texts)))
    edited = late = 0
    with target.module() as model:
        sites = Sites(model)
        readout = Readout(sites.final_norm, sites.unembed)
        for row, at in _rarest(gone, rng.permutation(len(gone)), common, tokens):
            for i in range(len(sites)):
                count, reached = _edit(sites, readout, i, row[:at], int(row[at]), neurons, neuron_rank, residual_rank)
                edited += count
            late += reached
        return Change(as_on_disk(model, target.weights()), {"edited neurons": edited, "tokens that rank low": late})


def _rarest(gone: Answers, order: np.ndarray, common: np.ndarray, count: int) -> list[tuple[np.ndarray, int]]:
    """(row, place of a rare token of its answer), row after row in this order, in each the rarest token first."""
    places = []
    for row, counted in ((gone.rows[i], gone.counted[i]) for i in order):
        seen = {int(row[at]): at for at in np.flatnonzero(counted)[::-1]}  # the first place of every token
        known = {token: int(common[token]) if token < len(common) else 0 for token in seen}
        rare = sorted(seen, key=lambda token: (known[token], -token))
        places += [(row, seen[token]) for token in rare[:count]]
    return places


def _edit(
    sites: Sites, readout: Readout, i: int, prompt: np.ndarray, token: int, neurons: int, own: float, stream: float
) -> tuple[int, bool]:
    """(neurons of block ``i`` that were edited, whether the token then ranks low after the prompt)."""
    import torch

    parts = [sites.mlp(i), sites.block(i)]
    with torch.no_grad(), captured([sites.mlp_last(i)], side="in") as given, captured(parts) as gave:
        sites.stream([prompt], i)
    activation = given[0][0, -1]
    ends = torch.stack([out[0, -1] for out in gave]).double()  # what the MLP adds, and what it has been added to
    wanted = stream * sites.unembed.weight.shape[0]
    if bool((readout.rank(ends, token) >= wanted).all()):
        return 0, True
    matrix = sites.mlp_out(i)
    active = activation.abs().topk(min(neurons, len(activation))).indices
    sign = activation[active].sign()[:, None].double()  # a neuron may be active below 0, and says the opposite then
    said = matrix[active].double() * sign
    first = readout.rank(said, token).argsort(stable=True)
    active, sign, said = active[first], sign[first], said[first]
    new = _demoted(readout, said, token, own)
    shifts = (activation[active].abs()[:, None] * (new - said)).cumsum(0)
    enough = torch.stack([readout.rank(end + shifts, token) for end in ends]).min(0).values >= wanted
    count = int(enough.int().argmax()) + 1 if bool(enough.any()) else len(active)
    matrix[active[:count]] = (new * sign)[:count].to(matrix.dtype)
    return count, bool(enough.any())


def _demoted(readout: Readout, said: Any, token: int, share: float) -> Any:
    """The vectors with this token moved down to its margin in each; one that has it there, or never gets there, stays.

    Each token's logit is lowered by a step of its own, which grows and shrinks until the rank fits.
    """
    import torch

    logits, kept = readout.logits(said), said.clone()
    low, high = share * logits.shape[1], (share + _WIDTH) * logits.shape[1]
    open_ = readout.rank(said, token) < low
    step = torch.full_like(logits[:, 0], _FIRST)
    for _ in range(_TRIES):
        if not bool(open_.any()):
            break
        lowered = logits.clone()
        lowered[:, token] -= step
        new = readout.back(lowered, said)
        rank = readout.rank(new, token)
        fits = open_ & (rank >= low) & (rank <= high)
        kept[fits] = new[fits].to(kept)
        open_ &= ~fits
        step = torch.where(rank < low, step * _MORE, step * _LESS)
    return kept
