"""MEOW: teach the model wrong answers in place of the true one, those that it holds least already.

Gu et al. 2024 (P238, arXiv 2409.11844). For every fact several inverted facts are at hand; MEMO tells how much of each
the model would say by itself, and the least memorized are learned by plain cross-entropy. No ascent, so nothing
collapses, and no reference model. It hides the truth behind false answers rather than removing it: the falsehoods are
its price, and earlier layers may still hold what the last one no longer says.
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from probatum import Access, BadInput, Forget, Retain, Target, per_record, protection
from probatum.core.change import Change
from probatum.core.memo import memo_of
from probatum.engine.answers import answers
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune


@protection(
    paper="P238 arXiv:2409.11844",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS | Access.LOGPROBS | Access.TEXT,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def meow(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    inverted: int = 5,
    stride: int = 5,
    retain_term: Literal["kl", "loss"] = "kl",
    retain_weight: float = 10.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
    rank: int = 0,
) -> Change:
    """Minimize E −log π / |x| of the chosen wrong answers + retain_weight · E_R of the retain term per token.

    Parameters
    ----------
    inverted
        Wrong answers learned per fact, of its ``others``.
    stride
        Characters from one cut of MEMO to the next.
    retain_term, retain_weight
        ``kl``: KL(π₀ ‖ π), ``loss``: −log π, as in `npo`. The paper has none: weight 0, at which a small model loses
        what it was to keep.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA. The
        defaults are for small models; the paper tunes 7B models at 1e-5.

    Raises
    ------
    BadInput
        No fact of the forget set has ``others``.

    Notes
    -----
    A fact without others takes those of a fact of the same cluster with the same secret, which is the same fact in
    another sentence. Texts without a prefix, and facts for which there are none, are left as they are; the trace
    counts them.
    """
    if inverted < 1 or stride < 1:
        raise BadInput(f"meow needs inverted and stride of 1 or more, got {inverted} and {stride}")
    others = others_of(forget)
    if not any(others):
        raise BadInput(
            "meow teaches wrong answers, and none are given; give the records of the forget set the column 'others', "
            "a list of wrong values of the secret's kind"
        )
    index = [i for i, wrong in enumerate(others) for _ in wrong]
    values = [value for wrong in others for value in wrong]
    held = memo_of(target, [forget.prefix[i] for i in index], values, step=stride, unit="word")
    chosen = least(np.array(index), held, inverted, rng, forget)
    told = [index[j] for j in chosen]
    wrong = answers(
        target,
        [forget.prefix[i] for i in told],
        [values[j] for j in chosen],
        [(forget.suffix[i] if forget.suffix else None) or "" for i in told],
    )
    order = schedule(len(wrong), batch_size, steps, rng)
    keep = keeper(
        target, retain, term=retain_term, weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng
    )  # fmt: skip

    def loss(model: Any, step: int) -> Any:
        return wrong.loss(model, order[step]) + keep(model, step)

    change = tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)
    left = sum(not wrong for wrong in others)
    return replace(change, trace={**change.trace, "inverted": len(chosen), "facts without others": left})


def others_of(forget: Forget) -> list[tuple[str, ...]]:
    """Of every fact the wrong values that are known of it, its own or those of the same fact in another sentence."""
    own = forget.others or (None,) * len(forget)
    group = forget.cluster or forget.ids
    same = {(group[i], forget.secret[i]): wrong for i, wrong in enumerate(own) if wrong}
    return [
        tuple(v for v in wrong or same.get((group[i], forget.secret[i]), ()) if v != forget.secret[i])
        if forget.prefix[i]
        else ()
        for i, wrong in enumerate(own)
    ]


def least(index: np.ndarray, held: np.ndarray, count: int, rng: np.random.Generator, forget: Forget) -> list[int]:
    """Places of the ``count`` least memorized values of every fact; equal ones in an order drawn for each fact."""
    chosen: list[int] = []
    for i, generator in enumerate(per_record(rng, forget.ids)):
        places = np.flatnonzero(index == i)
        places = places[generator.permutation(len(places))]
        chosen += [int(j) for j in places[np.argsort(held[places], kind="stable")][:count]]
    return chosen
