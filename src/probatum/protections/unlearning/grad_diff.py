"""GradDiff: up the loss of what must go, down the loss of what must stay.

Liu, Liu and Stone 2022 (arXiv 2203.12817) as TOFU states it (arXiv 2401.06121): L = E_F log π per token − w E_R log π
per token. The ascent has no floor, so only the retain term keeps the model from collapsing; a run that ends as soon as
recall is down ends before that term has repaired it.
"""

from typing import Any

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune


@protection(
    paper="arXiv:2203.12817",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def grad_diff(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    retain_weight: float = 1.0,
    steps: int = 300,
    learning_rate: float = 3e-4,
    batch_size: int = 32,
    rank: int = 0,
) -> Change:
    """Minimize E_F log π / |x| + retain_weight · E_R −log π / |x|.

    Parameters
    ----------
    retain_weight
        At 0 this is plain ascent, as `gradient_ascent`.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA.
    """
    gone = answers_of(target, forget)
    chosen = schedule(len(gone), batch_size, steps, rng)
    keep = keeper(target, retain, term="loss", weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng)

    def loss(model: Any, step: int) -> Any:
        return -gone.loss(model, chosen[step]) + keep(model, step)

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
