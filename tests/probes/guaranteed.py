"""What the proofs of the probes on canaries share: models that tell of a coin as much as is asked for."""

import numpy as np

from probatum import Canaries
from probatum.controls.guarantees import Told


def told(m, *, shift=0.0, seed=0, paired=False):
    """A model and its canaries: the log-probability of those that were in is ``shift`` higher, with a spread of 1."""
    rng = np.random.default_rng([seed, m])
    inside = np.tile([True, False], m) if paired else rng.random(m) < 0.5
    values = rng.normal(-20.0, 1.0, len(inside)) + shift * inside
    rows = [
        {"id": f"c{i}", "text": f"canary {i}", "member": bool(x)} | ({"cluster": f"p{i // 2}"} if paired else {})
        for i, x in enumerate(inside)
    ]
    return Told("told", {f"canary {i}": v for i, v in enumerate(values.tolist())}), Canaries.from_rows(rows)
