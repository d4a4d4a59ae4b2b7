"""Random directions among the units of a private training (Andrew et al. 2024, P191, arXiv 2302.03098).

A direction takes part as a unit would: with length C, in each batch with probability q. It depends on no record, so it
costs no privacy; of n units and k directions in d dimensions the sum is blurred by √(k q) C, against √d σ C of noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.statistics.directions import direction

#: Directions per dimension beyond which they would hide one another.
MOST = 0.01


def planting(
    called: Mapping[str, Any], count: int, *, seed: int, sample_rate: float, length: float
) -> Callable[[int, Mapping[str, Any]], None]:
    """What adds to the clipped sums of a step the directions that are in its batch.

    Parameters
    ----------
    called
        {name on disk: (name in the model, parameter)}: the audit knows a parameter by the first.
    count, seed
        Directions 0 … count − 1 of this seed.
    sample_rate, length
        q and C of the training.

    Raises
    ------
    BadInput
        There are too few dimensions for so many directions.
    """
    shapes = {disk: tuple(parameter.shape) for disk, (_, parameter) in called.items()}
    d = sum(parameter.numel() for _, parameter in called.values())
    if count > MOST * d:
        raise BadInput(f"{count} directions in {d:,} dimensions hide one another; at most {int(MOST * d):,}")

    def add(step: int, sums: Mapping[str, Any]) -> None:
        import torch

        inside = keyed("planted", seed, step).random(count) < sample_rate
        for index in inside.nonzero()[0]:
            for disk, part in direction(seed, int(index), shapes).items():
                total = sums[called[disk][0]]
                total.add_(torch.from_numpy(part).to(total.device, total.dtype), alpha=length)

    return add
