"""Where a private run takes its chance from: the operating system, unless an insecure seed is asked for by name.

Three things that a plain `torch.Generator` gets wrong for this use were found here. `manual_seed` uses 32 bits of its
seed on a CPU, so noise could be found by trying; the whole state is filled from the operating system instead. Normal
numbers in float32 end at 5.77 standard deviations, which at σ = 1 costs up to 9e-7 of δ a step in one coordinate; the
sum of two of them, divided by √2, ends at 8.2. And a saved generator gives noise away; this one is never saved.
That floating-point numbers are no reals (Mironov 2012) is not mended, nor is the generator a cryptographic one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import Any

import numpy as np

from probatum.core.draws import keyed
from probatum.core.errors import BadInput, ProbatumError

#: What a certificate says of the noise.
SECURE = "torch, state filled from the operating system at every start, two float32 normals a number"
INSECURE = "torch, from a seed given by the user: whoever knows the seed can take the noise off"

_MT_WORDS = 624
_MT_BYTES = 5056
_MT_FIRST = 24


def poisson_sample(rng: np.random.Generator, units: int, rate: float) -> np.ndarray:
    """Numbers of the units of one batch: each independently with probability ``rate``; often none."""
    return np.flatnonzero(rng.random(units) < rate)


class Draws:
    """Batches and noise of one run.

    Attributes
    ----------
    sampler_key
        Batches of all steps follow from it, so that a resumed run takes the batches that it would have taken, and
        nobody can fish for better ones by interrupting it. Amplification by sampling needs it secret: it is saved
        while the run is unfinished, readable by the owner only, and never after.
    """

    def __init__(self, torch: Any, device: Any, insecure_seed: int | None = None, sampler_key: bytes | None = None):
        self.torch, self.device, self.seed = torch, device, insecure_seed
        self.sampler_key = sampler_key or os.urandom(32)
        self._generator = fresh_generator(torch, device) if insecure_seed is None else None

    def batch(self, step: int, units: int, rate: float) -> np.ndarray:
        """Numbers of the units of step ``step``."""
        if self.seed is not None:
            return poisson_sample(keyed("private batch", self.seed, step), units, rate)
        digest = hashlib.sha256(self.sampler_key + step.to_bytes(8, "big")).digest()
        return poisson_sample(
            np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big"))), units, rate
        )

    def add_noise(self, step: int, sums: dict[str, Any], deviation: float) -> None:
        """Add independent normal numbers of that standard deviation to every number of ``sums``."""
        generator = self._generator
        if self.seed is not None:
            generator = self.torch.Generator(self.device)
            generator.manual_seed(int(keyed("private noise", self.seed, step).integers(2**32)))
        each = deviation / 2**0.5
        for total in sums.values():
            drawn = self.torch.empty_like(total)
            for _ in range(2):
                total.add_(drawn.normal_(generator=generator), alpha=each)


def fresh_generator(torch: Any, device: Any) -> Any:
    """A generator of torch whose whole state (CPU: 19,968 bits; GPU: 63 bits) comes from the operating system."""
    generator = torch.Generator(device)
    generator.manual_seed(secrets.randbits(63))
    if torch.device(device).type != "cpu":
        return generator
    seed = 0xC0FFEE
    state = generator.manual_seed(seed).get_state().numpy().copy()
    words = state[_MT_FIRST : _MT_FIRST + 8 * _MT_WORDS].view(np.uint64)
    if len(state) != _MT_BYTES or words[0] != seed or words.max() >= 2**32:
        raise ProbatumError(
            f"torch {torch.__version__} keeps its random state in another way than 2.6 to 2.13, so noise for privacy "
            "cannot be drawn from the operating system; use one of these"
        )
    words[:] = np.frombuffer(os.urandom(4 * _MT_WORDS), np.uint32)
    generator.set_state(torch.from_numpy(state))
    return generator


def checked_rate(rate: float) -> float:
    """A sampling rate in (0, 1]."""
    if not 0 < rate <= 1:
        raise BadInput(f"sample_rate: expected a share of the units in (0, 1], got {rate}")
    return rate
