"""One-shot epsilon: how much privacy does the final update of the weights show to be lost?

Andrew et al. 2024 (P191, arXiv 2302.03098): random directions, put among the updates of the training as canaries, turn
up in the final update ρ. Their cosines with ρ are N(0, 1/d) if they were left out, and shifted if they were put in; the
ε between the two normal laws is that of the Gaussian mechanism, if the training is one.
"""

from collections.abc import Mapping

import numpy as np

from probatum import Access, BadInput, Directions, Scores, Target, TrainingLog, probe
from probatum.statistics import one_shot_epsilon
from probatum.statistics.directions import cosines
from probatum.statistics.guarantee import upper_bounds


@probe(
    paper="P191 arXiv:2302.03098",
    question="How much privacy does the final update show to be lost?",
    needs=Access.WEIGHTS,
    metric=one_shot_epsilon,
    measure=True,
    control="directions",
)
def epsilon_one_shot(
    target: Target, data: Directions, log: TrainingLog | None = None, *, reference: Target, delta: float = 1e-5
) -> Scores:
    """Score a direction by its cosine with the change of the weights since ``reference``, in units of 1/√d.

    Parameters
    ----------
    delta
        The δ for which ε is estimated, in (0, 1).

    Notes
    -----
    ``reference`` holds the weights before the training. Directions are made by `probatum.statistics.directions`, over
    the parameters that were trained; here they are those that changed. A point estimate, without any coverage: random
    directions are not the worst case, and with few canaries the spread of their cosines alone looks like a loss, which
    the breakdown shows beside it. There must be far fewer directions than dimensions, lest they hide one another.
    """
    if not 0 < delta < 1:
        raise BadInput(f"epsilon_one_shot.delta must lie strictly between 0 and 1, got {delta:g}")
    try:
        keys = [(int(seed), int(index)) for seed, index in zip(data.seed, data.index, strict=True)]
    except (TypeError, ValueError) as error:
        raise BadInput(f"directions are named by whole numbers, seed and index ({error})") from error
    update = _update(target.weights(), reference.weights())
    d = sum(part.size for part in update.values())
    found = cosines(update, keys) * np.sqrt(d)
    unscored = {} if d else dict.fromkeys(data.ids, "no weight that both models have has changed")
    parameters = {"delta": delta, "dimension": float(d), **upper_bounds(log, delta)}
    return Scores(data.ids, found, towards="planted", unscored=unscored, parameters=parameters)


def _update(after: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What was added to the parameters that both have in one shape; frozen ones are left out."""
    shared = [n for n in sorted(after) if n in before and after[n].shape == before[n].shape]
    change = {n: np.asarray(after[n], np.float32) - np.asarray(before[n], np.float32) for n in shared}
    return {n: part for n, part in change.items() if part.any()}
