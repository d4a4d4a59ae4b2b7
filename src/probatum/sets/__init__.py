"""Sets of items that tasks ask: known benchmarks, read where the user has them, and generated ones of the same shape.

The project ships no benchmark. A set is one decorated function that turns the rows of the published file into the
columns of `Items`; beside it stands the function that generates items of the same shape, so that every task runs
without any file. Sets are found by walking this package.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Source:
    """Where a published set comes from, and under what license.

    ``archive`` is the name of the file that holds it (a zip), or "" for plain files; ``digests`` are the SHA-256 of
    what is known to be it: file name → one or several.
    """

    name: str
    paper: str
    license: str
    url: str
    archive: str = ""
    digests: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, eq=False)
class ItemSet:
    """One set of items: ``name`` is ``family/part``."""

    name: str
    title: str
    source: Source | None  #: None: only generated
    file: str  #: path of the published file, as its repository has it
    read: Callable[[Any], Rows] | None  #: rows of the published file → columns of `Items`
    generated: Callable[[np.random.Generator], Rows]  #: our own items of the same shape
    harmful: bool = False  #: masked in reports unless the user asks to see them


def item_set(
    name: str,
    *,
    source: Source,
    file: str,
    generated: Callable[[np.random.Generator], Rows],
    harmful: bool = False,
) -> Callable[[Callable[[Any], Rows]], ItemSet]:
    """Make the decorated reader a set. Its docstring's first line is the title."""

    def register(read: Callable[[Any], Rows]) -> ItemSet:
        title = (read.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return ItemSet(name, title, source, file, read, generated, harmful)

    return register


def generated_set(name: str, *, harmful: bool = False) -> Callable[[Callable[[np.random.Generator], Rows]], ItemSet]:
    """Make the decorated generator a set of its own, of which no file was ever published."""

    def register(generated: Callable[[np.random.Generator], Rows]) -> ItemSet:
        title = (generated.__doc__ or "").strip().splitlines()[0].rstrip(".")
        return ItemSet(name, title, None, "", None, generated, harmful)

    return register


@functools.cache
def known() -> Mapping[str, ItemSet]:
    """All sets by name."""
    return dict(sorted((s.name, s) for s in _walk()))


def _walk() -> Iterator[ItemSet]:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, ItemSet):
                yield value
