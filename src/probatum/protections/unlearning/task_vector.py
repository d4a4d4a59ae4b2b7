"""Task vector: learn what must go still better, and take that direction off the weights.

Ilharco et al. 2022 (arXiv 2212.04089), section 3; as unlearning in MUSE (Shi et al. 2024, P136): θ = θ₀ − α (θ′ − θ₀),
where θ′ is the model fine-tuned further on the forget set. One training, no reference model, no retain term: α is the
only dial, and the direction is not that of the forget set alone.
"""

from typing import Any

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.tuning import schedule, tune


@protection(
    paper="arXiv:2212.04089 P136 arXiv:2407.06460",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def task_vector(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    alpha: float = 1.0,
    steps: int = 120,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
    rank: int = 0,
) -> Change:
    """Return θ₀ − alpha (θ′ − θ₀), with θ′ minimizing E_F −log π / |x|.

    Parameters
    ----------
    alpha
        How far to go back: 0 changes nothing, −1 gives θ′, above 1 goes further than the training went.
    steps, learning_rate, batch_size, rank
        AdamW steps on the forget set, their constant rate, the facts that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    The retain set is not used; it only shows the damage.
    """
    known = answers_of(target, forget)
    chosen = schedule(len(known), batch_size, steps, rng)

    def loss(model: Any, step: int) -> Any:
        return known.loss(model, chosen[step])

    learned = tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
    before = target.weights()
    return Change({n: away(before[n], reinforced, alpha) for n, reinforced in learned.tensors.items()}, learned.trace)


def away(before: np.ndarray, reinforced: np.ndarray, alpha: float) -> np.ndarray:
    """``before − alpha (reinforced − before)``; the very numbers of ``before`` where that is no step at all."""
    step = np.float32(alpha) * (reinforced - before)
    return np.where(step == 0, before, before - step)
