"""Weight lineage: do the hidden units of this model sit where those of a suspected ancestor sit?

The matching of unit weights of Zhu et al. 2025 (arXiv 2502.12292). The hidden units of a fresh network are
exchangeable: had the two models been trained apart, the best assignment between their units would be a random
permutation.
"""

import re
from collections.abc import Sequence

import numpy as np

from probatum import Access, Scores, Target, keyed, probe
from probatum.statistics import unit_matches

#: The first matrix of an MLP, in the names that common architectures give it.
FIRST = re.compile(
    r"mlp\.(gate_proj|up_proj|c_fc|dense_h_to_4h|fc1|fc_in|gate_up_proj)\.weight$|\.fc1\.weight$|\.w1\.weight$"
)


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
    frequency of tokens. The paper uses the rank correlation of the same assignment; the count has an exact law.
    """
    from scipy.optimize import linear_sum_assignment

    own, other = target.weights(), ancestor.weights()
    layers = _one_a_layer([n for n in own if n in other and own[n].shape == other[n].shape])
    matches, unscored = [], {}
    for name in layers:
        a, b = _units(own[name]), _units(other[name])
        chosen = keyed(name).permutation(len(a))[:max_units]
        a, b = a[chosen], b[chosen]
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            unscored[name] = "the weights are not finite"
        rows, columns = linear_sum_assignment(np.nan_to_num(-(a @ b.T)))
        matches.append(float((rows == columns).sum()))
    note = "" if layers else "the two models share no MLP of the same name and shape"
    return Scores(layers, matches, towards="descent", expected=1.0, unscored=unscored, note=note)


def _one_a_layer(names: Sequence[str]) -> list[str]:
    """Gate and up projection share their hidden units: counting both would count one assignment twice."""
    first: dict[str, str] = {}
    for name in names:
        if found := FIRST.search(name):
            layer = name[: found.start()]
            first[layer] = min(name, first.get(layer, name))
    return list(first.values())


def _units(matrix: np.ndarray) -> np.ndarray:
    """One row a hidden unit, of length 1. GPT-2 stores the transpose; the hidden side is the longer one."""
    rows = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
