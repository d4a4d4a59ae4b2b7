"""Random numbers that are the same on every Python and every machine.

FNV-1a turns a name such as ``0/records`` into a state, splitmix64 turns the state into numbers. Every kind
of text has a stream of its own, so that adding a kind does not move the others. Nothing here depends on
``random``, on the order of hashes or on a locale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def fnv1a(text: str) -> int:
    """Return the 64-bit FNV-1a hash of ``text``, finished by one splitmix64 step so that all bits depend on
    all."""
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return _mix((value + 0x9E3779B97F4A7C15) & _MASK)


def _mix(value: int) -> int:
    """Return the output function of splitmix64 for one state."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Stream:
    """A named stream of random numbers: the same seed and name always give the same numbers."""

    def __init__(self, seed: int, name: str) -> None:
        self._state = fnv1a(f"{seed}/{name}")

    def next(self) -> int:
        """Return the next 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        return _mix(self._state)

    def below(self, n: int) -> int:
        """Return a whole number in ``[0, n)``."""
        return ((self.next() >> 11) * n) >> 53

    def choice(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return ``items`` in random order (Fisher-Yates)."""
        result = list(items)
        for i in range(len(result) - 1, 0, -1):
            j = self.below(i + 1)
            result[i], result[j] = result[j], result[i]
        return result

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different members of ``items`` in random order."""
        pool = list(items)
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
