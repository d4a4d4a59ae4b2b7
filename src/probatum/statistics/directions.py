"""Random directions in the space of a model's weights: what a training adds, and what an audit looks for afterwards.

Andrew et al. 2024 (arXiv 2302.03098): a canary is a direction, uniform on the unit sphere, that is put among the
updates of the training as if it came from a record or a client. The key holds its seed and index only; both sides make
the same numbers from them::

    from probatum.statistics.directions import direction
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if p.requires_grad}
    for index in planted:                       # where canary `index` is in the batch
        for name, part in direction(seed, index, shapes).items():
            total[name] += max_grad_norm * torch.from_numpy(part)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from probatum.core.draws import keyed


def direction(seed: int, index: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return direction ``index`` of a key: float32 arrays of the given shapes, together of length 1.

    The numbers of a parameter depend on (seed, index, name) and its size only, so the order of ``shapes`` does not
    matter; the length is taken over all of them, so both sides must name the same parameters.
    """
    parts = {name: _normal(seed, index, name, int(np.prod(shape))).reshape(shape) for name, shape in shapes.items()}
    length = np.sqrt(sum(float(np.dot(p.ravel(), p.ravel())) for p in parts.values()))
    return {name: (part / np.float32(length)).astype(np.float32) for name, part in parts.items()}


def cosines(update: Mapping[str, np.ndarray], keys: Iterable[tuple[int, int]]) -> np.ndarray:
    """Return the cosine between ``update`` and the direction of every (seed, index), shape (k,); NaN for no update.

    One parameter of one direction is held at a time.
    """
    flat = {name: np.asarray(part, dtype=np.float32).ravel() for name, part in update.items()}
    length = np.sqrt(sum(float(np.dot(p, p)) for p in flat.values()))
    found = []
    for seed, index in keys:
        along = square = 0.0
        for name, part in flat.items():
            own = _normal(seed, index, name, len(part))
            along += float(np.dot(own, part))
            square += float(np.dot(own, own))
        found.append(along / (length * np.sqrt(square)) if length > 0 and square > 0 else np.nan)
    return np.array(found, dtype=np.float64)


def _normal(seed: int, index: int, name: str, size: int) -> np.ndarray:
    return keyed("direction", seed, index, name).standard_normal(size, dtype=np.float32)
