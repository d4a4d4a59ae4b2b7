"""DP2Unlearning: throw the model away and train again, from a base that was bound not to know.

Al Mahmud et al. 2025 (P184, arXiv 2504.13774). The base was trained on everything under differential privacy, once; the
model in use was fine-tuned from it on the raw data. On a request it is discarded, and the base is fine-tuned on what is
to be kept. What the result may still tell about a forgotten unit is bounded by the base's epsilon.
"""

import json
from typing import Any

import numpy as np

from probatum import Access, BadInput, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.tuning import schedule, tune
from probatum.statistics.certificate import recheck


@protection(
    paper="P184 arXiv:2504.13774",
    question="Can the model be trained again so that a bound, and not a test, says what is left of these texts?",
    needs=Access.WEIGHTS | Access.BYTES,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def dp2unlearning(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    base: Target,
    rng: np.random.Generator,
    steps: int = 600,
    learning_rate: float = 2e-3,
    batch_size: int = 64,
    rank: int = 0,
) -> Change:
    """Fine-tune ``base`` on the retain set: −log π per token of the answers.

    Parameters
    ----------
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    The forget set is not looked at: the result is the same whatever it is, which is the point. The bound is for the
    unit of the base's certificate, holds for the base alone, and is void where the retain set tells the same facts.

    Raises
    ------
    BadInput
        The base has no certificate (of `dp_finetune`), its certificate does not hold, or its tensors are others.
    """
    said = _certificate(base)
    own, its = target.weights(), base.weights()
    if {n: own[n].shape for n in own} != {n: its[n].shape for n in its}:
        raise BadInput(f"dp2unlearning: {base.name} and {target.name} do not have the same tensors")
    kept = answers_of(base, retain)
    chosen = schedule(len(kept), batch_size, steps, rng)

    def loss(model: Any, step: int) -> Any:
        return kept.loss(model, chosen[step])

    change = tune(base, loss, steps=steps, learning_rate=learning_rate, rank=rank)
    bound = {key: said[key] for key in ("unit", "relation", "epsilon", "delta")}
    return Change(change.tensors, {**change.trace, "bound": bound})


def _certificate(base: Target) -> dict[str, Any]:
    file = base.files() / "certificate.json"
    if not file.is_file():
        raise BadInput(
            f"dp2unlearning: {base.name} has no certificate.json, so nothing bounds what it knows; train it with "
            "`probatum protect dp_finetune`"
        )
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    wrong = recheck(said)
    if wrong:
        raise BadInput(f"dp2unlearning: the certificate of {base.name} does not hold: {wrong[0]}")
    return said
