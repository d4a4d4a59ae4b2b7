"""SimNPO: push the forget set down until its tokens are unlikely, with no model to compare with.

Fan et al. 2024 (arXiv 2410.07163), equation 4: L = −(2/β) E_F log σ(−(β/|x|) log π − γ), with a retain term. In the
place of `npo`'s ratio to the model before stands the loss per token, so long answers are not forgotten at the price of
short ones, and the push on a text dies out as it becomes unlikely, whatever it was before.
"""

from typing import Any, Literal

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune


@protection(
    paper="arXiv:2410.07163",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def sim_npo(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    beta: float = 2.5,
    gamma: float = 0.0,
    retain_term: Literal["kl", "loss"] = "kl",
    retain_weight: float = 1.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    rank: int = 0,
) -> Change:
    """Minimize −(2/β) E_F log σ(−(β/|x|) log π − γ) + retain_weight · E_R of the retain term per token.

    Parameters
    ----------
    beta
        Inverse temperature (the paper: 2.5 to 4.5); towards 0 this is gradient ascent per token.
    gamma
        Margin: above 0 the push dies out later.
    retain_term, retain_weight
        ``kl``: KL(π₀ ‖ π), which holds the rest where it was. ``loss``: −log π, as the paper has it, which trains on
        the retain set and so makes secrets in it easier to extract. The paper's weight is 8 (forget 1/8, retain 1).
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    The loss is per token, not summed, so it stops early: a text that is unlikely token by token may still be told from
    one never seen.
    """
    from torch.nn.functional import softplus

    gone = answers_of(target, forget)
    chosen = schedule(len(gone), batch_size, steps, rng)
    keep = keeper(
        target, retain, term=retain_term, weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng
    )  # fmt: skip

    def loss(model: Any, step: int) -> Any:
        logprob, tokens = gone.logprob(model, chosen[step])
        return 2 / beta * softplus(gamma + beta * logprob / tokens.clamp(min=1)).mean() + keep(model, step)

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
