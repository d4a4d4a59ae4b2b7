"""How tokens stand to each other in an embedding: what neither a rotation nor a new order of its dimensions changes."""

from __future__ import annotations

import math

import numpy as np

from probatum.lineage.drawing import rows_of
from probatum.lineage.model import Model
from probatum.lineage.names import EMBEDDING, Named

TOKENS = 512
#: Correlation of the cosines between tokens from which on two embeddings are said to be alike. A rotation leaves more
#: than this; small models that were trained apart on one text reach 0.984 (the built-in base and stranger). It is no
#: test and has no p-value.
ALIKE = 0.999


def token_geometry(a: Model, b: Model, named: Named) -> float:
    """Correlation of the cosines between drawn tokens in the two embeddings; NaN where there is none to compare."""
    for name in named.shared:
        x, y = named.a[name], named.b[name]
        if not EMBEDDING.search(name) or not len(a.shapes[x]) == len(b.shapes[y]) == 2:
            continue
        tokens = rows_of(min(a.shapes[x][0], b.shapes[y][0]), TOKENS, "tokens")
        if len(tokens) < 16:
            continue
        sides = []
        for model, own in ((a, x), (b, y)):
            rows = np.asarray(model.weights.rows(own, tokens), np.float64)
            rows = np.where(np.isfinite(rows), rows, 0)
            rows -= rows.mean(axis=0)
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
            sides.append((rows @ rows.T)[np.triu_indices(len(tokens), 1)])
        if min(side.std() for side in sides) > 0:
            return float(np.corrcoef(sides[0], sides[1])[0, 1])
    return math.nan
