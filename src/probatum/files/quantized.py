"""Weights whose parameters are numbers under their original names, in whatever scheme they are stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from probatum.files.quant.awq import awq
from probatum.files.quant.bitsandbytes import bitsandbytes
from probatum.files.quant.compressed import compressed
from probatum.files.quant.fp8 import fp8
from probatum.files.quant.gptq import gptq
from probatum.files.quant.grid import Grid, Parameter
from probatum.files.tensors import Weights

SCHEMES: tuple[Callable[[Weights, dict[str, Any]], Iterator[Parameter]], ...] = (
    bitsandbytes,
    gptq,
    awq,
    compressed,
    fp8,
)


def dequantized(weights: Weights, config: dict[str, Any]) -> Quantized:
    """The parameters of a safetensors model, whichever of `SCHEMES` they are stored in.

    Parameters
    ----------
    config
        What ``config.json`` holds; only its ``quantization_config`` is looked at. Most schemes need nothing of it.

    Raises
    ------
    BadInput
        A matrix is quantized but a part of it is missing, or its parts do not fit together.
    """
    return Quantized(weights, [found for scheme in SCHEMES for found in scheme(weights, config)])


class Quantized(Weights):
    """As `Weights`: ``rows`` gives float32 of the original shape, ``stored`` the scheme's name, such as nf4.

    Shapes and counts are those of the parameters, not of their parts. ``raw`` takes the names that ``parts`` gives.
    """

    def __init__(self, store: Weights, packed: Iterable[Parameter]):
        self.store = store
        self._packed = {p.name: p for p in packed}
        owner = {part: p.name for p in self._packed.values() for part in p.parts}
        self._known = dict.fromkeys(owner.get(name, name) for name in store)  # in the order of the files

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._packed:
            return self.store[name]
        shape = self._packed[name].shape
        return self.rows(name, np.arange(shape[0] if shape else 1)).reshape(shape)

    def rows(self, name: str, index: np.ndarray) -> np.ndarray:
        """Some rows of a tensor, by their places along its first axis, as float32."""
        if name not in self._packed:
            return self.store.rows(name, index)
        found = self._packed[name].read(index)
        numbers = found.numbers() if isinstance(found, Grid) else found
        return np.asarray(numbers, np.float32).reshape(len(index), *self._packed[name].shape[1:])

    def cells(self, name: str, index: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """How far below and above each of these numbers its rounding cell reaches; None where none was quantized."""
        found = self._packed[name].read(index) if name in self._packed else None
        if not isinstance(found, Grid):
            return None
        below, above = found.cells()
        return below.reshape(len(index), -1), above.reshape(len(index), -1)

    def exact(self, name: str) -> bool:
        """Does the scheme's own tool round every number to the nearest value?"""
        return name in self._packed and self._packed[name].exact

    def quantized(self, name: str) -> bool:
        """Is it stored in one of the schemes?"""
        return name in self._packed

    def parts(self, name: str) -> tuple[str, ...]:
        """The stored tensors that a parameter is made of."""
        return self._packed[name].parts if name in self._packed else (name,)

    def raw(self, name: str) -> np.ndarray:
        """The bytes of a stored tensor as they lie on disk; of a parameter without one of its name its first part."""
        return self.store.raw(name if name in self.store else self._packed[name].parts[0])

    def stored_array(self, name: str) -> np.ndarray:
        """Of a stored tensor, as `Weights.stored_array`."""
        return self.store.stored_array(name)

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def parameter_count(self) -> int:
        """Numbers of all parameters, not of the codes and scales that they are stored as."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The original shapes; reads none."""
        plain = self.store.shapes
        return {n: self._packed[n].shape if n in self._packed else plain[n] for n in self._known}

    def stored(self, name: str) -> str:
        """The scheme of a parameter, or its type as safetensors calls it."""
        return self._packed[name].stored if name in self._packed else self.store.stored(name)

    @property
    def dtype(self) -> str:
        """The scheme or type of most of the numbers."""
        counts: dict[str, int] = {}
        for name, shape in self.shapes.items():
            counts[self.stored(name)] = counts.get(self.stored(name), 0) + math.prod(shape)
        most = max(counts, key=lambda n: counts[n], default="float32")
        return self.store.dtype if most in ("F64", "F32", "F16", "BF16") else most
