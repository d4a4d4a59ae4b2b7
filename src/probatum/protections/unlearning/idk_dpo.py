"""IdkDPO: prefer a refusal to the truth, measured against the model before.

The preference optimization of TOFU (Maini et al. 2024, arXiv 2401.06121, section 3) by the loss of DPO (Rafailov et al.
2023, arXiv 2305.18290, equation 7): L = −(2/β) E_F log σ(β [log π/π₀(refusal) − log π/π₀(truth)]).
"""

from typing import Any, Literal

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.core.errors import BadInput
from probatum.engine.answers import answers
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune


@protection(
    paper="arXiv:2401.06121 arXiv:2305.18290",
    question="Can the model be made to refuse these facts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def idk_dpo(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    refusal: str = " I don't know.",
    beta: float = 0.1,
    retain_term: Literal["kl", "loss"] = "kl",
    retain_weight: float = 1.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    rank: int = 0,
) -> Change:
    """Minimize −(2/β) E_F log σ(β [log π/π₀(refusal) − log π/π₀(truth)]) + retain_weight · E_R of the retain term.

    Parameters
    ----------
    refusal
        What is to be said instead, with the space before it, in words that the model knows.
    beta
        Inverse temperature.
    retain_term, retain_weight
        ``kl``: KL(π₀ ‖ π), which holds the rest where it was. ``loss``: −log π, which trains on the retain set and so
        makes secrets in it easier to extract than before.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA.

    Notes
    -----
    log π is the sum over the tokens of an answer. A plain text has no question: it is cut in the middle of its words,
    and the refusal stands in the place of its second half. A secret that is refused is not one never seen: the truth
    ends less likely than that, and what was pushed aside comes back with a little training.
    """
    from torch.nn.functional import softplus

    if not refusal.strip():
        raise BadInput("idk_dpo: the refusal is empty; give what is to be said instead, such as ' unknown'")
    prefixes, secrets = zip(*map(_asked, forget.prefix, forget.secret), strict=True)
    suffixes = [end or "" for end in forget.suffix or (None,) * len(forget)]
    truth = answers(target, prefixes, secrets, suffixes)
    instead = answers(target, prefixes, [refusal] * len(forget))
    chosen = schedule(len(truth), batch_size, steps, rng)
    keep = keeper(
        target, retain, term=retain_term, weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng
    )  # fmt: skip

    def loss(model: Any, step: int) -> Any:
        refused, _ = instead.ratio(model, chosen[step])
        told, _ = truth.ratio(model, chosen[step])
        return 2 / beta * softplus(beta * (told - refused)).mean() + keep(model, step)

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)


def _asked(prefix: str, secret: str) -> tuple[str, str]:
    """A fact as it stands; of a text the second half of its words behind the first."""
    words = secret.split(" ")
    if prefix or len(words) < 2:
        return prefix, secret
    half = len(words) // 2
    return " ".join(words[:half]), " " + " ".join(words[half:])
