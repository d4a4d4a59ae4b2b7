"""Gradient ascent: up the loss of what must go, and nothing that holds the rest.

Jang et al. 2022 (arXiv 2210.01504), section 3; the baseline of TOFU (arXiv 2401.06121): L = E_F log π per token. The
loss has no floor: some steps after the texts are gone the model is gone as well. It stands here to be compared with.
"""

from typing import Any

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.tuning import schedule, tune


@protection(
    paper="arXiv:2210.01504",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def gradient_ascent(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    steps: int = 20,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
    rank: int = 0,
) -> Change:
    """Minimize E_F log π / |x|.

    Parameters
    ----------
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    The retain set is not trained on; it only shows the damage. `grad_diff` is this with a retain term.
    """
    gone = answers_of(target, forget)
    chosen = schedule(len(gone), batch_size, steps, rng)

    def loss(model: Any, step: int) -> Any:
        return -gone.loss(model, chosen[step])

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
