"""NPO: push the forget set down only as far as it is still likelier than before.

Zhang et al. 2024 (P036, arXiv 2404.05868), equation 3, with a retain term as in their NPO+KL or NPO+RT. Gradient ascent
on a text goes on for ever and takes the model with it; here the gradient is that of ascent weighted by
2 π^β / (π^β + π₀^β), which dies out as the text becomes unlikely.
"""

from typing import Literal

import numpy as np

from probatum import Access, Target, Texts, protection
from probatum.core.change import Change
from probatum.engine.tuning import batches, divergence, mean_loss, sequence_logprob, tune


@protection(
    paper="P036 arXiv:2404.05868",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def npo(
    target: Target,
    forget: Texts,
    retain: Texts,
    *,
    rng: np.random.Generator,
    beta: float = 0.1,
    retain_term: Literal["kl", "loss"] = "kl",
    retain_weight: float = 1.0,
    steps: int = 120,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
) -> Change:
    """Minimize (2/β) E_F log(1 + (π/π₀)^β) + retain_weight · E_R of the retain term per token.

    Parameters
    ----------
    beta
        Inverse temperature; towards 0 this is gradient ascent.
    retain_term
        ``kl``: KL(π₀ ‖ π), which holds the rest where it was. ``loss``: −log π, which trains on the retain set and so
        makes secrets in it easier to extract than before; the audit of the retain set shows it.
    retain_weight
        Weight of the retain term; at 0 this is plain NPO.
    steps, learning_rate, batch_size
        Fixed number of AdamW steps, their constant rate, and the texts of each set that a step sees.

    Notes
    -----
    log π is the sum over a text's tokens. It overshoots: a forgotten secret may end less likely than one never seen,
    which is itself a trace; the proof therefore looks at both sides (exposure below chance).
    """
    import torch

    gone, kept = target.sequences(forget.texts), target.sequences(retain.texts)
    before = torch.tensor(target.token_statistics(forget.texts).logprob.sum(), dtype=torch.float32)
    some_gone, some_kept = batches(len(gone), batch_size, rng), batches(len(kept), batch_size, rng)

    def loss(model: torch.nn.Module, _: int) -> torch.Tensor:
        own = next(some_gone)
        logprob, _ = sequence_logprob(model, [gone[i] for i in own])
        ratio = logprob - before[torch.from_numpy(own)].to(logprob.device)
        value = 2 / beta * torch.nn.functional.softplus(beta * ratio).mean()
        if retain_weight:
            rest = [kept[i] for i in next(some_kept)]
            value = value + retain_weight * (
                divergence(frozen, model, rest) if retain_term == "kl" else mean_loss(model, rest)
            )
        return value

    with target.module() as frozen:
        return tune(target, loss, steps=steps, learning_rate=learning_rate)
