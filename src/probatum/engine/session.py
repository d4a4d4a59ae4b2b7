"""What all targets of one audit share: the store, the budget, the counters, and where progress is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from probatum.core.cost import Budget, Cost

if TYPE_CHECKING:
    from probatum.engine.store import EvidenceStore

#: Called with (what, done, total) in units of tokens or prompts; total may grow.
Progress = Callable[[str, int, int], None]


def default_cache() -> Path:
    """Where evidence is kept unless the user says otherwise (``PROBATUM_CACHE``, then ``XDG_CACHE_HOME``)."""
    named = os.environ.get("PROBATUM_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "probatum"


@dataclass
class Session:
    """Handed to every target that is opened in it; a target never opens a store of its own."""

    store: EvidenceStore | None = None  #: None keeps evidence in memory only
    cost: Cost = field(default_factory=Cost)
    budget: Budget = field(default_factory=Budget)
    progress: Progress | None = None
    device: str = "auto"  #: auto, cpu, cuda, cuda:1, mps
    dtype: str = "auto"  #: auto (as saved), float32, bfloat16, float16
    batch_tokens: int = 4096  #: padded tokens per forward pass; halves when memory runs out
    trust_remote_code: bool = False
