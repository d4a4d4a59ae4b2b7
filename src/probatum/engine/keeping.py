"""The retain term of an unlearning loss: what holds the rest of the model where it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from probatum.core.data import Facts
from probatum.core.target import Target
from probatum.engine.answers import Reference, answers_of
from probatum.engine.tuning import schedule

#: ``kl``: KL(π₀ ‖ π) per token of the rows, which holds them where they were. ``loss``: −log π of the answers, which
#: trains on them once more, and so makes secrets among them easier to extract than before.
Term = Literal["kl", "loss"]


def keeper(
    target: Target,
    retain: Facts,
    *,
    term: Term,
    weight: float,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
) -> Callable[[Any, int], Any]:
    """``keep(model, step)``: ``weight`` times the retain term on the rows of that step, a scalar; 0 at weight 0."""
    if not weight:
        return lambda model, step: 0.0
    kept = answers_of(target, retain)
    chosen = schedule(len(kept), batch_size, steps, rng)
    if term == "loss":
        return lambda model, step: weight * kept.loss(model, chosen[step])
    reference = Reference(target, kept)
    return lambda model, step: weight * reference.divergence(model, chosen[step])
