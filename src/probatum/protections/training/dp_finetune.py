"""DP fine-tuning: learn from records, and bound what anybody can learn about any one of them.

DP-SGD (Abadi et al. 2016, arXiv 1607.00133) for language models as in Li et al. 2022 (P016, arXiv 2110.05679): large
expected batches, a small clip, AdamW at a constant rate. The noise is solved for from (ε, δ) by the accountant's upper
bound, never by an estimate such as the Edgeworth series (P089) or the central limit theorem.
"""

import math

import numpy as np

from probatum import Access, Target, Texts, protection
from probatum.core.change import Change
from probatum.core.errors import BadInput
from probatum.engine.lora import adapted, merged
from probatum.engine.planted_directions import planting
from probatum.engine.private_steps import private_steps
from probatum.engine.tuning import as_on_disk, supervision, trained_on_disk
from probatum.statistics.accounting import Phase
from probatum.statistics.certificate import LOSS

SEED = 191  #: of the directions; nothing is hidden in them


@protection(
    paper="P016 P089 P191 arXiv:2110.05679",
    question="Can the model learn from these records so that none of them can be recognized?",
    needs=Access.TRAIN | Access.WEIGHTS,
    changes="weights",
    proves=("dp_certificate", "epsilon_one_run"),
)
def dp_finetune(
    target: Target,
    data: Texts,
    *,
    epsilon: float = 3.0,
    delta: float = 0.0,
    epochs: float = 5.0,
    batch_size: int = 64,
    max_grad_norm: float = 0.1,
    learning_rate: float = 1e-3,
    rank: int = 0,
    directions: int = 0,
    bfloat16: bool = False,
) -> Change:
    """Train on ``data`` with (epsilon, delta)-differential privacy for every unit (cluster, else record).

    Parameters
    ----------
    epsilon, delta
        The guarantee. delta 0: 1 / (2 n), n the number of units; 1 / n and more would let one whole record in n pass.
    epochs, batch_size, learning_rate
        Expected passes, units a batch, and AdamW's rate; each unit is in each batch with probability batch_size / n.
    max_grad_norm
        C; the gradient of a unit, summed over its records, is clipped to it.
    rank
        Above 0: only a LoRA of this rank is trained, and merged at the end.
    directions
        Above 0: so many random directions take part as units do (P191), from which the certificate estimates what the
        final weights give away. They cost no privacy, and little else while they are far fewer than the weights.
    bfloat16
        Products in that precision; norms and sums stay in float32.

    Notes
    -----
    Neighbors are sets with a unit more or less. No loss is told while it trains: it would be a release of its own.
    What was chosen on these very records (rates, epochs, the best of several runs) is not in the bound.

    Raises
    ------
    BadInput
        delta is not below 1/n; fewer than two units; a parameter that cannot be clipped unit by unit; directions of
        an adapter, whose factors are not in the files.
    """
    from probatum.statistics.guarantee import checked_delta, guarantee, solve

    rows = target.sequences(data.texts)
    names = data.cluster or data.ids
    units: dict[str, list[np.ndarray]] = {}
    for name, row in zip(names, rows, strict=True):
        units.setdefault(name, []).append(row)
    n = len(units)
    if n < 2:
        raise BadInput(f"private training needs two units or more, got {n}")
    q = min(1.0, batch_size / n)
    steps = max(1, math.ceil(epochs / q))
    delta = checked_delta(delta or 0.5 / n, n)
    if directions and rank:
        raise BadInput("directions are looked for in the weights on disk, which hold no factors of an adapter; rank 0")
    sigma = solve("sigma", epsilon=epsilon, delta=delta, q=q, steps=steps)
    watch = supervision()
    tell = watch.progress
    with target.module() as bare:
        model = adapted(bare, seed=0, rank=rank) if rank else bare
        plant = None
        if directions:
            trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
            called = trained_on_disk(model, trained, target.weights())
            plant = planting(called, directions, seed=SEED, sample_rate=q, length=max_grad_norm)
        run = private_steps(
            model,
            list(units.values()),
            sample_rate=q,
            noise_multiplier=sigma,
            max_grad_norm=max_grad_norm,
            steps=steps,
            learning_rate=learning_rate,
            autocast="bfloat16" if bfloat16 else None,
            plant=plant,
            state=watch.folder / "private.safetensors" if watch.folder else None,
            progress=None if tell is None else lambda done, all_: tell("step", done, all_),
            name=target.name,
        )
        assert run.sensitivity is not None  # the probe is never left out here
        said = {
            **guarantee([Phase(sigma, q, run.steps)], delta, n=n),
            "n": n, "records": len(rows), "sampler": "poisson", "q": q, "sigma": sigma, "T": run.steps,
            "C": max_grad_norm, "generator": f"operating system: {run.generator}", "loss": f"{LOSS}: {run.loss}",
            "optimizer": run.optimizer, "learning_rate": learning_rate, "autocast": run.autocast, "rank": rank,
            "starts": run.starts, "directions": {"seed": SEED, "count": directions}, "sensitivity": {
                "pairs": run.sensitivity.pairs, "max_ratio": run.sensitivity.ratio, "worst": run.sensitivity.worst_kind,
            },
        }  # fmt: skip
        return Change(as_on_disk(merged(model) if rank else model, target.weights()), {"certificate": said})
