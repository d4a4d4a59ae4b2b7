"""Which layer of one model is which of the other, by content: for depths that differ, layers dropped or repeated."""

from __future__ import annotations

import numpy as np

from probatum.core.draws import keyed
from probatum.lineage.drawing import rows_of, two_draws
from probatum.lineage.model import Model
from probatum.lineage.names import LayerMap, Named, stacks
from probatum.lineage.units import FIRST, hidden_layers

ROWS, COLUMNS, TENSORS = 32, 256, 5  #: what is read of a layer to recognize it
CLEAR = 6.0  #: standard deviations that a similarity lies above chance, if a layer is to have a partner at all


def halves(template: str, units: int, most: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint draws of units, the same for every layer: one to recognize layers by, one to test on."""
    return two_draws(units, most, "units", template)


def match_layers(a: Model, b: Model, named: Named) -> tuple[LayerMap, dict[str, np.ndarray]]:
    """For every stack of layers that both models have: the most similar layer of ``b`` for each of ``a``.

    Only the recognizing half of an MLP's units is looked at, so that a test on the other half stays exact.
    Gives the map and {stack: similarities [layers of a, layers of b]}.
    """
    out: LayerMap = {}
    tables = {}
    own = stacks({name: a.shapes[n] for name, n in named.a.items()})
    other = stacks({name: b.shapes[n] for name, n in named.b.items()})
    for stack in own.keys() & other.keys():
        rests = _telling(stack, own[stack], other[stack])
        if not rests:
            continue
        first, second = sorted(own[stack]), sorted(other[stack])
        table = np.zeros((len(first), len(second)))
        numbers = 0
        for rest in rests:
            left = _signatures(a, named.a, stack, first, rest)
            numbers += left.shape[1]
            table += left @ _signatures(b, named.b, stack, second, rest).T / len(rests)
        best = table.argmax(axis=1)
        clear = table.max(axis=1) >= CLEAR / np.sqrt(numbers)
        out[stack] = {layer: second[j] for layer, j, sure in zip(first, best, clear, strict=True) if sure}
        tables[stack] = table
    return out, tables


def by_number(a: Model, b: Model, named: Named) -> LayerMap:
    """The map that the names give: each layer to the one of its number."""
    own = stacks({name: a.shapes[n] for name, n in named.a.items()})
    other = stacks({name: b.shapes[n] for name, n in named.b.items()})
    return {s: {i: i for i in own[s] if i in other[s]} for s in own.keys() & other.keys()}


def _telling(stack: str, *sides: dict[int, dict[str, tuple[int, ...]]]) -> list[str]:
    """Matrices that every layer has in one shape, the largest first; of an MLP only the first one.

    The other matrices of an MLP belong to the same units, whose testing half must not be looked at.
    """
    layers = [layer for side in sides for layer in side.values()]
    shared = [r for r, s in layers[0].items() if len(s) == 2 and all(layer.get(r) == s for layer in layers)]
    hidden = hidden_layers({stack + "0." + r: layers[0][r] for r in shared})
    first = {h.inward.removeprefix(stack + "0.") for h in hidden if h.mlp and h.axis == 0}
    inside = tuple(p for r in layers[0] if FIRST.search(r) and (p := r.rpartition(".weight")[0].rpartition(".")[0]))
    last = {h.outward.removeprefix(stack + "0.") for h in hidden}

    def usable(rest: str) -> bool:
        return rest in first or not (FIRST.search(rest) or rest in last or rest.startswith(inside))

    return sorted((r for r in shared if usable(r)), key=lambda r: (-np.prod(layers[0][r]), r))[:TENSORS]


def _signatures(model: Model, names: dict[str, str], stack: str, layers: list[int], rest: str) -> np.ndarray:
    """Some rows of one matrix of every layer, of length 1: [layers, ROWS · COLUMNS]."""
    shape = model.shapes[names[f"{stack}{layers[0]}.{rest}"]]
    if FIRST.search(rest):
        rows = halves(stack + rest, hidden_layers({rest: shape})[0].units)[0]
        rows = rows[:ROWS]
    else:
        rows = rows_of(shape[0], ROWS, "signature", rest)
    columns = np.sort(keyed("signature", rest).permutation(shape[1])[:COLUMNS])
    out = np.zeros((len(layers), len(rows) * len(columns)), np.float32)
    for k, layer in enumerate(layers):
        block = np.asarray(model.weights.rows(names[f"{stack}{layer}.{rest}"], rows), np.float32)[:, columns].ravel()
        norm = float(np.linalg.norm(block))
        if 0 < norm < np.inf:
            out[k] = block / norm
    return out
