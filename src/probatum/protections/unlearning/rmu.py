"""RMU: make the hidden states from which an answer is read point nowhere, and hold all others where they were.

Li et al. 2024 (arXiv 2403.03218), section 4: at the output h of one block, L = E_F ‖h − c u‖² + α E_R ‖h − h⁰‖², each
a mean over tokens, with u a random direction that stays the same. Only the MLPs of that block and of the two below are
trained. It moves states and leaves what stands in the weights, so a short tuning on other facts brings back what it
hid.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from probatum import Access, BadInput, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.sites import Sites
from probatum.engine.tuning import schedule, tune

#: Bytes that the states of the unchanged model may take; above that a second model is held instead.
_KEPT_BYTES = 1 << 30
#: Rows that are read at a time before the tuning, and of which the size of the states is taken.
_ROWS = 64


@protection(
    paper="arXiv:2403.03218",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS | Access.LOGPROBS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def rmu(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    layer: int = -1,
    coefficient: float = 2.0,
    alpha: float = 30.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
    rank: int = 0,
) -> Change:
    """Minimize E_F ‖h − c u‖² + alpha · E_R ‖h − h⁰‖² at the output h of one block, u drawn from U[0, 1)^d, ‖u‖ = 1.

    Parameters
    ----------
    layer
        The block, from 0; −1: the middle one, number n // 2 of n. The paper takes 7 of 32.
    coefficient
        c in units of the median ‖h⁰‖ on the retain set, so that it means the same in every model. The paper gives c
        itself, 6.5 or 20 with its 7B models.
    alpha
        Weight of what holds the retain set; 1200 in the paper, where h is small against c.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA, which
        then lies on every matrix up to the block. The defaults are for small models; the paper takes 150 steps of 4
        texts at 5e-5.

    Notes
    -----
    E_F is over the tokens from which the answer is predicted; the paper has plain texts, and there it is every token
    that has one after it. E_R is over all tokens.
    """
    import torch

    gone, kept = answers_of(target, forget), target.sequences(retain.texts)
    away, held = (schedule(len(rows), batch_size, steps, rng) for rows in (gone, kept))
    with target.module() as model:
        sites = Sites(model)
        if not -1 <= layer < len(sites):
            raise BadInput(f"the model has the blocks 0 to {len(sites) - 1}, got layer {layer}")
        layer = len(sites) // 2 if layer == -1 else layer
        names = {name for i in range(max(0, layer - 2), layer + 1) for name in sites.mlp_parameters(i)}
        before = _unchanged(sites, kept, layer, np.unique(held))
        with torch.no_grad():
            states, real = sites.stream(kept[:_ROWS], layer)
            direction = torch.from_numpy(rng.random(states.shape[-1])).to(states)
            steer = coefficient * states[real].norm(dim=-1).median() * direction / direction.norm()
    tuned: list[Sites] = []

    def loss(model: Any, step: int) -> Any:
        tuned[:] = tuned or [Sites(model)]
        states, real = tuned[0].stream([gone.rows[i] for i in away[step]], layer)
        asked = torch.zeros_like(real)
        for k, i in enumerate(away[step]):
            asked[k, : len(gone.rows[i]) - 1] = torch.from_numpy(gone.counted[i][1:])
        pushed = (states - steer)[asked].square().sum(-1).mean()
        states, real = tuned[0].stream([kept[i] for i in held[step]], layer)
        return pushed + alpha * (states - before(held[step]))[real].square().sum(-1).mean()

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank, only=names.__contains__)


def _unchanged(
    sites: Sites, rows: Sequence[np.ndarray], layer: int, wanted: np.ndarray
) -> Callable[[Sequence[int] | np.ndarray], Any]:
    """``before(index)``: h⁰ of these rows, padded with 0; kept as numbers of the ``wanted`` rows where they fit."""
    import torch

    width = sites.mlp_out(layer).shape[1]
    kept: dict[int, Any] = {}

    def computed(index: Sequence[int] | np.ndarray) -> Any:
        with torch.no_grad():
            return sites.stream([rows[i] for i in index], layer)[0]

    if 4 * width * sum(len(rows[i]) for i in wanted) > _KEPT_BYTES:
        return computed
    for start in range(0, len(wanted), _ROWS):
        index = wanted[start : start + _ROWS]
        for i, states in zip(index, computed(index), strict=True):
            kept[int(i)] = states[: len(rows[i])].clone()
    return lambda index: torch.nn.utils.rnn.pad_sequence([kept[int(i)] for i in index], batch_first=True)
