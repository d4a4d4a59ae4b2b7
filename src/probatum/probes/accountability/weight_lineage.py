"""Weight lineage: do the hidden units of this model sit where those of a suspected ancestor sit?

The matching of unit weights of Zhu et al. 2025 (arXiv 2502.12292). The hidden units of a fresh network are
exchangeable: had the two models been trained apart, the best assignment between their units would be a random
permutation.
"""

import numpy as np

from probatum import Access, Scores, Target, keyed, probe
from probatum.lineage.units import kept, one_a_layer
from probatum.statistics import unit_matches


@probe(
    paper="arXiv:2502.12292",
    question="Does this model descend from that one?",
    needs=Access.WEIGHTS,
    metric=unit_matches,
    control="lineage",
)
def weight_lineage(target: Target, *, ancestor: Target, max_units: int = 2048) -> Scores:
    """Score a layer by how many of its units the best assignment by cosine leaves in their place.

    Parameters
    ----------
    max_units
        Units of a layer that are matched (drawn by the layer's name); assignment costs their cube.

    Notes
    -----
    Chance is one unit a layer, whatever its width. A copy whose units were permuted on purpose evades this test, and
    so does one whose MLPs were replaced. Norms are not used: they agree between strangers, since they follow the
    frequency of tokens. The paper uses the rank correlation of the same assignment; the count has an exact law. Units
    without weights (all 0) have no place and do not count. `probatum compare` of two directories finds reordered and
    rotated copies too.
    """
    own, other = target.weights(), ancestor.weights()
    layers = one_a_layer([n for n in own if n in other and own[n].shape == other[n].shape])
    matches, unscored = [], {}
    for name in layers:
        a, b = _units(name, own[name]), _units(name, other[name])
        chosen = keyed(name).permutation(len(a))[:max_units]
        a, b = a[chosen], b[chosen]
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            unscored[name] = "the weights are not finite"
        matches.append(float(kept(a, b, keyed("ties", name))[0]))
    note = "" if layers else "the two models share no MLP of the same name and shape"
    return Scores(layers, matches, towards="descent", expected=1.0, unscored=unscored, note=note)


def _units(name: str, matrix: np.ndarray) -> np.ndarray:
    """One row a hidden unit. GPT-2 stores the transpose; the hidden side is the longer one."""
    rows = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    # Where gate and up stand in one matrix, a unit has two rows; one of them is enough, and both would count twice.
    return rows[: len(rows) // 2] if "gate_up_proj" in name else rows
