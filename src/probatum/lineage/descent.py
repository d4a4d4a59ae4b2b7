"""Do two models share an ancestor? Tests of the places of units, most of them with an exact law.

The units of a network that was trained apart stand in random order: whatever is compared, the best assignment
between the units of two such networks is a random permutation, whose fixed points follow Poisson(1) (Zhu et al. 2025,
arXiv 2502.12292). This holds for hidden units, for the dimensions of the residual stream, and for units described by
what does not change when that stream is rotated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from probatum.core.draws import keyed
from probatum.lineage.drawing import rows_of
from probatum.lineage.layers import by_number, halves, match_layers
from probatum.lineage.model import Model
from probatum.lineage.names import EMBEDDING, LayerMap, Named, common_names, moved
from probatum.lineage.reordering import Reordering, reordered_dimensions, reordered_units
from probatum.lineage.units import Hidden, hidden_layers, inward, kept
from probatum.statistics.tests import poisson_tail

TOKENS, DIMENSIONS = 1024, 512  #: rows and columns of an embedding that are read
TESTS = 6  #: what Bonferroni counts, run or not


@dataclass(frozen=True)
class Test:
    """One question about places, and its answer. ``matched`` units agree where chance gives ``expected``."""

    name: str
    asks: str
    layers: int
    units: int
    matched: int
    expected: float
    p_value: float
    kind: str  #: "exact", or "assumed": what is assumed stands in ``asks``
    cosine: float = math.nan  #: median over the units that stand in one place


@dataclass(frozen=True)
class Descent:
    """The tests, and how the second model has to be read so that units stand beside each other."""

    tests: tuple[Test, ...]
    layers: LayerMap  #: layers of a to layers of b
    moved_layers: bool  #: the layers are not those of the same numbers
    similarity: dict[str, np.ndarray] = field(default_factory=dict)
    reordering: Reordering | None = None

    @property
    def p_value(self) -> float:
        """Of independence, by Bonferroni over all tests that there are, whether run or not."""
        return min(1.0, TESTS * min((t.p_value for t in self.tests), default=1.0))

    def shows(self, name: str, level: float) -> bool:
        """Does this test, with the others counted, reject at ``level``?"""
        return any(t.name == name and TESTS * t.p_value <= level for t in self.tests)


def descent(a: Model, b: Model, *, level: float = 0.001, named: Named | None = None) -> Descent:
    """Test whether two models share an ancestor.

    Parameters
    ----------
    level
        Where an earlier, cheaper test rejects at this level, dearer ones that would add nothing are not run.
    """
    named = named or common_names(a.shapes, b.shapes)
    plain = by_number(a, b, named)
    found, similarity = match_layers(a, b, named)
    pairs, turned = hidden_pairs(a, b, named, plain), hidden_pairs(a, b, named, found)
    tests = [_in_place(a, b, pairs, found_on=False)]
    moves = [(x, y) for x, y in turned if (x, y) not in pairs]
    if moves:
        tests.append(_in_place(a, b, turned, found_on=True))
    tests.append(_residual(a, b, named))
    # Layers moved if matching them by content shows what numbers do not; numbers stand where both do.
    depths_differ = any(
        set(m) != set(found.get(s, {})) or len(m) != len(similarity[s].T) for s, m in plain.items() if s in similarity
    )
    by_content = (
        bool(moves) and tests[1].p_value * TESTS <= level and (depths_differ or tests[1].p_value < tests[0].p_value)
    )
    pairs = turned if by_content or not pairs else pairs
    reordering = None
    if not any(TESTS * t.p_value <= level for t in tests if t.name.startswith("units")):
        tests.append(_rotated(a, b, pairs))
        reordering = _reordered(a, b, named, pairs, tests)
        if reordering and reordering.p_value * TESTS > level:
            reordering = None
    layers = found if by_content or not any(plain.values()) else plain
    moved_layers = by_content and found != plain
    return Descent(tuple(t for t in tests if t.layers), layers, moved_layers, similarity, reordering)


def hidden_pairs(a: Model, b: Model, named: Named, layers: LayerMap) -> list[tuple[Hidden, Hidden]]:
    """Layers of hidden units of equal shape, in both models."""
    own = {n: c for c, n in named.a.items()}
    other = {h.inward: h for h in hidden_layers(b.shapes)}
    pairs = []
    for layer in hidden_layers(a.shapes):
        partner = other.get(named.b.get(moved(own[layer.inward], layers) or "", ""))
        if partner and a.shapes[layer.inward] == b.shapes[partner.inward]:
            pairs.append((layer, partner))
    return pairs


def template(layer: Hidden) -> str:
    """What the layers of a stack have in common, so that the same units are drawn of each."""
    return ".".join(part for part in layer.inward.split(".") if not part.isdigit())


def _in_place(a: Model, b: Model, pairs: list[tuple[Hidden, Hidden]], *, found_on: bool) -> Test:
    """``found_on``: the pairs were found by one half of the units, so only the other half is judged."""
    counts, cosines, units = [], [], 0
    for x, y in pairs:
        known, tested = halves(template(x), x.units)
        chosen = tested if found_on else np.sort(np.concatenate((known, tested)))
        count, cosine, alive = kept(
            inward(a.weights, x, chosen), inward(b.weights, y, chosen), keyed("ties", x.inward, y.inward)
        )
        counts.append(count)
        cosines.append(cosine)
        units += alive
    if found_on:
        asks = "the same, each layer against its most similar one (found on other units)"
        return _judge("units, layers by content", asks, pairs, counts, cosines, units)
    asks = "do the hidden units of each layer stand where the other's stand?"
    return _judge("units", asks, pairs, counts, cosines, units)


def _rotated(a: Model, b: Model, pairs: list[tuple[Hidden, Hidden]]) -> Test:
    """A unit by its cosines with other units of its layer: no rotation of what they take in changes those."""
    counts, cosines, units = [], [], 0
    for x, y in pairs:
        known, tested = halves(template(x), x.units)
        grams = []
        for model, layer in ((a, x), (b, y)):
            left = inward(model.weights, layer, known)
            right = inward(model.weights, layer, tested)
            with np.errstate(all="ignore"):
                left, right = (m / np.maximum(np.linalg.norm(m, axis=1, keepdims=True), 1e-30) for m in (left, right))
                grams.append(np.nan_to_num(right @ left.T))
        count, cosine, alive = kept(grams[0], grams[1], keyed("ties", x.inward, y.inward))
        counts.append(count)
        cosines.append(cosine)
        units += alive
    asks = "do units stand in one place if what they take in may have been rotated?"
    return _judge("units, up to rotation", asks, pairs, counts, cosines, units)


def _residual(a: Model, b: Model, named: Named) -> Test:
    """The dimensions of the embedding, each described by its weights for tokens that both have."""
    asks = "do the dimensions of the embedding stand where the other's stand?"
    for name in named.shared:
        x, y = named.a[name], named.b[name]
        if EMBEDDING.search(name) and a.shapes[x][1:] == b.shapes[y][1:] and len(a.shapes[x]) == 2:
            blocks, dims = embedding_blocks(a, b, x, y)
            count, cosine, alive = kept(blocks[0][:, dims].T, blocks[1][:, dims].T, keyed("ties", x, y))
            p = poisson_tail(count, 1.0).value
            return Test("embedding", asks, 1, alive, count, 1.0, p, "exact", cosine)
    return Test("embedding", asks, 0, 0, 0, 0.0, 1.0, "exact")


def embedding_blocks(a: Model, b: Model, x: str, y: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Rows of two embeddings for the same drawn tokens, and a draw of dimensions."""
    tokens = rows_of(min(a.shapes[x][0], b.shapes[y][0]), TOKENS, "tokens")
    blocks = [np.asarray(m.weights.rows(n, tokens), np.float32) for m, n in ((a, x), (b, y))]
    return blocks, np.sort(keyed("dimensions").permutation(a.shapes[x][1])[:DIMENSIONS])


def _reordered(a: Model, b: Model, named: Named, pairs: list, tests: list[Test]) -> Reordering | None:
    """Add the tests that look for units elsewhere; give back what they found of the order."""
    best = None
    for dims in (None, reordered_dimensions(a, b, named)):
        if dims is None and best is not None:
            continue
        found = reordered_units(a, b, pairs, dims)
        if found is None:
            continue
        name = "units, reordered" if dims is None else "units, reordered, after the embedding's order"
        asks = "does a unit's partner by what it takes in equal that by what it gives out? (assumed: in a stranger "
        asks += "the two are unrelated)"
        tests.append(
            Test(name, asks, found.layers, found.sampled, found.agree, found.layers, found.p_value, "assumed",
                 found.cosine)
        )  # fmt: skip
        if best is None or found.p_value < best.p_value:
            best = found
    return best


def _judge(name: str, asks: str, pairs: list, counts: list[int], cosines: list[float], units: int) -> Test:
    if not pairs:
        return Test(name, asks, 0, 0, 0, 0.0, 1.0, "exact")
    if all(x.mlp for x, _ in pairs):  # every layer has its own order: the counts add up
        p = poisson_tail(sum(counts), float(len(pairs))).value
    else:  # layers may share an order (of a residual stream): the best of them, by Bonferroni
        p = min(1.0, len(pairs) * poisson_tail(max(counts), 1.0).value)
    with np.errstate(all="ignore"):
        cosine = float(np.nanmedian(cosines)) if np.isfinite(cosines).any() else math.nan
    return Test(name, asks, len(pairs), units, sum(counts), float(len(pairs)), p, "exact", cosine)
