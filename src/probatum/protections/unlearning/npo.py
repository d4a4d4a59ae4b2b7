"""NPO: push the forget set down only as far as it is still likelier than before.

Zhang et al. 2024 (P036, arXiv 2404.05868), equation 3, with a retain term as in their NPO+KL or NPO+RT. Gradient ascent
on a text goes on for ever and takes the model with it; here the gradient is that of ascent weighted by
2 π^β / (π^β + π₀^β), which dies out as the text becomes unlikely.
"""

from typing import Any, Literal

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import answers_of
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune


@protection(
    paper="P036 arXiv:2404.05868",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def npo(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    beta: float = 0.1,
    retain_term: Literal["kl", "loss"] = "kl",
    retain_weight: float = 1.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    rank: int = 0,
) -> Change:
    """Minimize (2/β) E_F log(1 + (π/π₀)^β) + retain_weight · E_R of the retain term per token.

    Parameters
    ----------
    beta
        Inverse temperature; towards 0 this is gradient ascent.
    retain_term, retain_weight
        ``kl``: KL(π₀ ‖ π), which holds the rest where it was. ``loss``: −log π, which trains on the retain set and so
        makes secrets in it easier to extract than before; the audit of the retain set shows it. Weight 0: plain NPO.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    log π is the sum over the tokens of an answer. It overshoots: a forgotten secret may end less likely than one never
    seen, which is itself a trace; the proof therefore looks at both sides (exposure below chance).
    """
    from torch.nn.functional import softplus

    gone = answers_of(target, forget)
    chosen = schedule(len(gone), batch_size, steps, rng)
    keep = keeper(
        target, retain, term=retain_term, weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng
    )  # fmt: skip

    def loss(model: Any, step: int) -> Any:
        ratio, _ = gone.ratio(model, chosen[step])
        return 2 / beta * softplus(beta * ratio).mean() + keep(model, step)

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
