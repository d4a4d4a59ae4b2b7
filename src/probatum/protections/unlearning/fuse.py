"""Fuse to forget: the mean of fine-tunes of one base keeps what they share and loses what one alone has learned.

Zaman et al. 2023 (P114, arXiv 2311.07682), section 2: θ = mean of θᵢ. Nothing is trained, and what is to be forgotten
need not be known: what the other model never saw fades. It fades in part only. Models that do not descend from one base
have nothing to average: their mean has lost what they share as well, so they are refused.
"""

from collections.abc import Mapping

import numpy as np

from probatum import Access, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.core.errors import BadInput

#: Median cosine of the matrices of two models. Strangers lie within 0.01 of 0; the built-in specimen and its twin,
#: which were trained long and fast from one base, at 0.48, and their mean still knows most of what both know.
RELATED = 0.2


@protection(
    paper="P114 arXiv:2311.07682",
    question="Can the model be made to forget what its sibling never learned?",
    needs=Access.WEIGHTS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def fuse(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    other: Target,
    third: Target | None = None,
    rng: np.random.Generator,
) -> Change:
    """Average the weights with those of ``other``, and of ``third`` where there is one.

    Raises
    ------
    BadInput
        A model has another tokenizer, other tensors, the very same weights, or another initialization.

    Notes
    -----
    The further models are fine-tunes of the same base that did not see the forget set; ``third`` may be the base
    itself, which takes away more of both. Forget and retain set serve the proof only, and no chance is involved.
    """
    own = target.weights()
    relatives = {"other": other, **({"third": third} if third is not None else {})}
    closeness = {role: _related(target, relative) for role, relative in relatives.items()}
    weights = [own, *(relative.weights() for relative in relatives.values())]
    mean = {n: np.asarray(np.mean([w[n] for w in weights], axis=0, dtype=np.float32)) for n in own}
    return Change(mean, {"cosine": closeness})


def _related(target: Target, other: Target) -> float:
    """Median cosine of their matrices; a sentence where their mean would be no model."""
    both = f"fuse: {target.name} and {other.name}"
    if target.tokenizer_digest != other.tokenizer_digest:
        raise BadInput(f"{both} have different tokenizers; give another fine-tune of the same base")
    own, its = target.weights(), other.weights()
    if lone := sorted(set(own) ^ set(its)):
        raise BadInput(f"{both} have different tensors (only one has {lone[0]}); give another fine-tune of one base")
    for name in own:
        if own[name].shape != its[name].shape:
            sizes = f"{own[name].shape} and {its[name].shape}"
            raise BadInput(f"{both} differ in the shape of {name} ({sizes}); give another fine-tune of the same base")
    if all(np.array_equal(own[name], its[name]) for name in own):
        raise BadInput(
            f"{both} have the same weights, so their mean changes nothing; give another fine-tune of one base"
        )
    cosine = _cosine(own, its)
    if not cosine > RELATED:
        raise BadInput(
            f"{both} do not descend from one base: the median cosine of their matrices is {cosine:.2f} (fine-tunes of "
            f"one base lie above {RELATED:g}); the mean of different initializations loses what both know"
        )
    return round(cosine, 6)


def _cosine(own: Mapping[str, np.ndarray], its: Mapping[str, np.ndarray]) -> float:
    """Median over all matrices; vectors are left out, since gains near 1 agree between strangers."""
    cosines = []
    for name in own:
        a, b = own[name], its[name]
        if a.ndim > 1:
            size = np.linalg.norm(a) * np.linalg.norm(b)
            cosines.append(float((a * b).sum() / size) if size else float("nan"))
    return float(np.median(cosines)) if cosines else float("nan")
